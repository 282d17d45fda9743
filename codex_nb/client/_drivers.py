"""The drivers: each does what a flow asks for, on its own face."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import httpx

from codex_nb.client._bodies import AsyncBody, SyncBody
from codex_nb.client._recording import Watched
from codex_nb.client._socket import AsyncLine, Handshake, SyncLine, is_open
from codex_nb.client._threads import Halted, side_by_side
from codex_nb.client._transport import fault, without_query
from codex_nb.errors import CodexError
from codex_nb.wire.call import Blocking, Call, Pause, Play, Read, Tell, Together, Write
from codex_nb.wire.retry import Retry, retrying

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Callable, Generator, Sequence

    from codex_nb.client._recording import Recorder, Recording
    from codex_nb.client._transport import Transport
    from codex_nb.wire.call import Flow, Reply, Step

__all__ = ["AsyncDriver", "SyncDriver"]

T = TypeVar("T")
# Of the event loop, in which a request that has become possible gets on its way.
TURNS: Final = 10


class SyncDriver:
    """Runs flows on the caller's own thread, where an interrupt reaches them."""

    def __init__(self, transport: Transport, recorder: Recorder | None = None) -> None:
        self.transport = transport
        self.recorder = recorder

    def run(self, flow: Flow[T], *, keep_open: bool = False) -> T:
        """Do what ``flow`` asks for until it returns, then close what it opened, unless that is its result."""
        running = self.running(flow, keep_open=keep_open)
        while True:
            try:
                next(running)
            except StopIteration as end:
                return cast("T", end.value)

    def running(
        self, flow: Flow[T], *, keep_open: bool = False, halted: threading.Event | None = None
    ) -> Generator[Any, None, T]:
        """Do the same, and give what it tells meanwhile. Once ``halted`` is set the flow is left at its next step."""
        watched = Watched(self.recorder)
        flow = retrying(watched.flow(flow), Retry(self.transport.settings.max_retries))
        opened: list[SyncBody | SyncLine] = []
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                if halted and halted.is_set():
                    raise Halted
                outcome = failed = None
                try:
                    match step:
                        case Tell(event):
                            yield event
                        case Together():
                            outcome = yield from side_by_side(step, self._beside)
                        case _:
                            outcome = self._do(step, opened, watched)
                except CodexError as error:
                    failed = error
        except StopIteration as end:
            opened = [] if keep_open else opened
            return cast("T", end.value)
        finally:
            flow.close()
            for body in opened:
                body.close()

    def _beside(self, flow: Flow[T], halted: threading.Event) -> Generator[Any, None, T]:
        return self.running(flow, halted=halted)

    def _do(self, step: Step, opened: list[SyncBody | SyncLine], watched: Watched) -> Any:
        match step:
            case Call():
                return self._send(step, opened, watched.recording)
            case Read(reply):
                return cast("SyncBody | SyncLine", reply.body).read()
            case Write(reply, message):
                return cast("SyncLine", reply.body).write(message)
            case Play():
                return self._play(step)
            case Pause(seconds):
                return time.sleep(seconds)
            case Blocking(work):
                return work()
            case _:
                raise AssertionError(step)

    def _send(self, call: Call, opened: list[SyncBody | SyncLine], recording: Recording | None) -> Reply:
        transport = self.transport
        client = transport.client()
        request = transport.request(client, call)
        handshake = Handshake(request) if call.socket else None
        if recording:
            recording.sending(request)
        try:
            response = client.send(request, auth=transport.auth_for(call, self), stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise fault(error, without_query(request.url), transport.silence(call)) from error
        if recording:
            recording.arrived(response)
        streams = call.stream and response.is_success
        body = SyncBody(response, transport.silence(call), recording if streams else None)
        opened.append(body)
        if handshake and is_open(response):
            opened[-1] = line = SyncLine(response, handshake, transport.silence(call), recording)
            return transport.reply(response, b"", line)
        if streams:
            return transport.reply(response, b"", body)
        reply = transport.reply(response, body.read_all())
        opened.remove(body)
        return reply

    def _play(self, step: Play) -> Reply:
        response = httpx.Response(200, headers=step.headers, content=iter(step.chunks), request=_as_if(step))
        return self.transport.reply(response, b"", SyncBody(response, self.transport.settings.silence))


def _as_if(step: Play) -> httpx.Request:
    return httpx.Request("POST", step.url)


async def _others_first() -> None:
    """Let tasks that are ready go first: the next request is sent before this result is finished."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def _each(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class AsyncDriver:
    """Runs flows on the event loop: `SyncDriver`, with ``await`` where that one waits."""

    def __init__(self, transport: Transport, recorder: Recorder | None = None) -> None:
        self.transport = transport
        self.recorder = recorder

    async def run(self, flow: Flow[T], *, keep_open: bool = False, tell: Callable[[Any], None] | None = None) -> T:
        """Do what ``flow`` asks for until it returns, then close what it opened, unless that is its result.

        ``tell`` is called with what it tells meanwhile.
        """
        watched = Watched(self.recorder)
        flow = retrying(watched.flow(flow), Retry(self.transport.settings.max_retries))
        opened: list[AsyncBody | AsyncLine] = []
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                outcome = failed = None
                try:
                    match step:
                        case Tell(event):
                            if tell:
                                tell(event)
                        case Together():
                            outcome = await self._together(step, tell)
                        case _:
                            outcome = await self._do(step, opened, watched)
                except CodexError as error:
                    failed = error
        except StopIteration as end:
            opened = [] if keep_open else opened
            return cast("T", end.value)
        finally:
            flow.close()
            for body in opened:
                await body.aclose()

    async def _do(self, step: Step, opened: list[AsyncBody | AsyncLine], watched: Watched) -> Any:
        match step:
            case Call():
                return await self._send(step, opened, watched.recording)
            case Read(reply):
                return await cast("AsyncBody | AsyncLine", reply.body).read()
            case Write(reply, message):
                return await cast("AsyncLine", reply.body).write(message)
            case Play():
                return self._play(step)
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Blocking(work):
                return await asyncio.to_thread(work)
            case _:
                raise AssertionError(step)

    async def _send(self, call: Call, opened: list[AsyncBody | AsyncLine], recording: Recording | None) -> Reply:
        transport = self.transport
        client = transport.async_client()
        request = transport.request(client, call)
        handshake = Handshake(request) if call.socket else None
        if recording:
            recording.sending(request)
        try:
            response = await client.send(
                request, auth=transport.auth_for(call, self), stream=True, follow_redirects=False
            )
        except httpx.HTTPError as error:
            raise fault(error, without_query(request.url), transport.silence(call)) from error
        if recording:
            recording.arrived(response)
        streams = call.stream and response.is_success
        body = AsyncBody(response, transport.silence(call), recording if streams else None)
        opened.append(body)
        if handshake and is_open(response):
            opened[-1] = line = AsyncLine(response, handshake, transport.silence(call), recording)
            return transport.reply(response, b"", line)
        if streams:
            return transport.reply(response, b"", body)
        reply = transport.reply(response, await body.read_all())
        opened.remove(body)
        return reply

    def _play(self, step: Play) -> Reply:
        response = httpx.Response(200, headers=step.headers, content=_each(step.chunks), request=_as_if(step))
        return self.transport.reply(response, b"", AsyncBody(response, self.transport.settings.silence))

    async def _together(self, step: Together, tell: Callable[[Any], None] | None) -> list[Any]:
        places, room = asyncio.Semaphore(step.limit), asyncio.Semaphore(step.most)

        async def one(flow: Flow[Any]) -> Any:
            try:
                result = await self.run(flow, tell=tell)
            finally:
                places.release()
            if step.then:
                await _others_first()
                result = await asyncio.to_thread(step.then, result)
            room.release()
            return result

        tasks: list[asyncio.Task[Any]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for flow in step.flows:
                    await room.acquire()
                    await places.acquire()
                    tasks.append(group.create_task(one(flow)))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]
