"""The two endpoints that answer: the Codex path, which always streams, and the public one."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from codex_nb.local import compaction, tools
from codex_nb.local.bodies import json_body
from codex_nb.local.checks import Refusal, error, read_codex, read_openai
from codex_nb.local.events import Events, encode, usage_of
from codex_nb.local.pieces import Failure
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from codex_nb.local.ask import Ask
    from codex_nb.local.pieces import Answer
    from codex_nb.local.state import State


# Ties the requests of one turn together: given with the first answer, sent back with the others.
TURN_STATE = "x-codex-turn-state"


async def codex(request: Request) -> Response:
    """Serve ``POST /backend-api/codex/responses``."""
    return await _respond(request, read_codex)


async def openai(request: Request) -> Response:
    """Serve ``POST /v1/responses``."""
    return await _respond(request, read_openai)


async def compact_codex(request: Request) -> Response:
    """Serve ``POST /backend-api/codex/responses/compact``: not found, as on the service, unless it is switched on."""
    if not state_of(request).compact_v1:
        return JSONResponse({"detail": "Not Found"}, 404)
    return await _compact(request, lambda body, models: read_codex(body | {"stream": True, "store": False}, models))


async def compact_openai(request: Request) -> Response:
    """Serve ``POST /v1/responses/compact``."""
    return await _compact(request, read_openai)


async def _compact(request: Request, read: Callable[[Any, list[str]], Ask | Refusal]) -> Response:
    state = state_of(request)
    body = await json_body(request)
    if not isinstance(body, (dict, Refusal)):
        body = error("The body must be a JSON object.", code="invalid_json")
    ask = body if isinstance(body, Refusal) else read(body, state.models())
    ask = ask if isinstance(ask, Refusal) else compaction.objection(ask, state.blobs, "") or ask
    if isinstance(ask, Refusal):
        return JSONResponse(ask.body, ask.status)
    unique = state.new_id()
    found = await compaction.compacted(state.engine, compaction.recalled(ask, state.blobs), ask, state.blobs, unique)
    if isinstance(found, Failure):
        return JSONResponse({"error": {"code": found.code, "message": found.message}}, 500)
    usage = found["usage"]
    state.quota.spend(usage)
    whole = {"id": f"resp_{unique}", "object": "response.compaction", "created_at": int(time.time())}
    return JSONResponse(whole | found | {"usage": usage_of(usage)}, headers=state.quota.headers())


async def upgrade(request: Request) -> JSONResponse:
    """Turn the WebSocket form away; clients then post."""
    if request.headers.get("upgrade", "").lower() == "websocket":
        return JSONResponse({"detail": "Upgrade Required"}, 426)
    return JSONResponse({"detail": "Method Not Allowed"}, 405, headers={"allow": "POST"})


async def _respond(request: Request, read: Callable[[Any, list[str]], Ask | Refusal]) -> Response:
    state = state_of(request)
    body = await json_body(request)
    ask = body if isinstance(body, Refusal) else read(body, state.models())
    unique = state.new_id()
    headers = {"x-request-id": f"req_{unique}", "x-models-etag": state.etag, "x-codex-nb-engine": state.engine.name}
    if not isinstance(ask, Refusal):
        features = request.headers.get("x-codex-beta-features", "")
        wrong = tools.refusal(ask, state.engine.rows) or compaction.objection(ask, state.blobs, features)
        ask = wrong or compaction.recalled(ask, state.blobs)
    if isinstance(ask, Refusal):
        return JSONResponse(ask.body, ask.status, headers=headers)
    headers |= state.quota.headers()
    if ask.codex and TURN_STATE not in request.headers:
        headers[TURN_STATE] = f"turn_{unique}"
    if (spent := state.quota.refusal()) is not None:
        return JSONResponse(spent, 429, headers=headers)
    return Exchange(state, ask, unique, headers)


class Exchange(Response):
    """One answer under way. It counts as open until its engine has stopped, which a client's leaving brings about."""

    def __init__(self, state: State, ask: Ask, unique: str, headers: dict[str, str]) -> None:
        super().__init__(media_type="text/event-stream" if ask.streamed else "application/json")
        self._state = state
        self._ask = ask
        self._unique = unique
        self._more = headers
        self._events: Events | None = None
        self._settled = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and stop as soon as nobody listens."""
        del scope
        self._state.count_stream(1)
        speaking = asyncio.ensure_future(self._speak(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({speaking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not speaking.done():
                speaking.cancel()
            try:
                with suppress(asyncio.CancelledError):
                    await speaking
            finally:
                self._settle()

    def _settle(self) -> None:
        """Charge the account and close the count, once: before the terminal event, or when the client has left."""
        if self._settled:
            return
        self._settled = True
        if self._events is not None:
            self._state.quota.spend(self._events.spent())
        self._state.count_stream(-1)

    async def _speak(self, send: Send) -> None:
        answer = await self._begin()
        events = self._events = Events(self._ask, self._unique, answer.model)
        async with aclosing(answer.pieces):
            if self._ask.streamed:
                await self._stream(send, answer, events)
            else:
                await self._collect(send, answer, events)

    async def _begin(self) -> Answer:
        engine, ask = self._state.engine, self._ask
        if compaction.wanted(ask):
            return await compaction.shortened(engine, ask, self._state.blobs)
        return await engine.answer(ask)

    async def _stream(self, send: Send, answer: Answer, events: Events) -> None:
        await self._start(send, answer, {"cache-control": "no-cache"})
        async for chunk in _sized(self._chunks(answer, events), answer.write_size):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            # Without a turn of the loop, small writes would leave in one packet.
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _collect(self, send: Send, answer: Answer, events: Events) -> None:
        async for _ in self._chunks(answer, events):
            pass
        reply = JSONResponse(events.final())
        await self._start(send, answer, {"content-length": str(len(reply.body))})
        await send({"type": "http.response.body", "body": bytes(reply.body), "more_body": False})

    async def _chunks(self, answer: Answer, events: Events) -> AsyncIterator[bytes]:
        if answer.raw is not None:
            yield answer.raw
            return
        yield b"".join(encode(event) for event in events.begin())
        async for piece in answer.pieces:
            for event in events.feed(piece):
                yield encode(event)
        last = [encode(event) for event in events.end()]
        self._settle()
        for chunk in last:
            yield chunk

    async def _start(self, send: Send, answer: Answer, more: dict[str, str]) -> None:
        kind = {"content-type": "text/event-stream" if self._ask.streamed else "application/json"}
        headers = kind | self._more | {"openai-model": answer.model} | more | dict(answer.headers)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})


async def _sized(chunks: AsyncIterator[bytes], size: int | None) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        for at in range(0, len(chunk), size or max(1, len(chunk))):
            yield chunk[at : at + size] if size else chunk


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
