"""What every request passes first: it is recorded, struck by a fault if one is laid, and must carry a bearer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from codex_nb.local.record import MAX_BODY, RecordedRequest, as_json
from codex_nb.local.socket_trouble import SocketTrouble, as_refusals
from codex_nb.local.store import SIGNED
from codex_nb.local.transport import connection_of
from codex_nb.local.trouble import Trouble

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from codex_nb.local.state import State

OPEN = ("/healthz", "/oauth/", "/api/accounts/deviceauth/", "/codex/device")
INVALIDATED = {
    "error": {
        "message": "Your authentication token has been invalidated. Please try signing in again.",
        "type": "invalid_request_error",
        "code": "token_invalidated",
        "param": None,
    },
    "status": 401,
}
UNREADABLE = {"detail": "Could not parse your authentication token. Please try signing in again."}


class Gate:
    """ASGI middleware around the whole backend."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record, strike, let in."""
        if scope["type"] == "websocket":
            await self._open_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        if self._is_at_wrong_port(scope):
            await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)
            return
        if scope["path"].startswith(SIGNED):
            await self._pass_by(scope, receive, send)
            return
        content = await _read(receive)
        if content is None:
            return
        self._record(scope, content)
        fault = self._state.faults.strike(scope["method"], scope["path"])
        if fault is None:
            await self._let_in(scope, _replay(content, receive), send)
            return
        await Trouble(fault, connection_of(scope)).befall(self._let_in, scope, _replay(content, receive), send)

    def _is_at_wrong_port(self, scope: Scope) -> bool:
        """Whether a signed address is asked for at the first port, or anything else at the second."""
        second = self._state.files.address
        return second is not None and (scope["server"][1] == second[1]) != scope["path"].startswith(SIGNED)

    async def _pass_by(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in what its signature vouches for. Its body may be huge: it is neither kept nor read ahead."""
        self._record(scope, b"")
        fault = self._state.faults.strike(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.status is not None:
            # A reply in the middle of an upload would be lost when the connection closes.
            await _drain(receive)
        await Trouble(fault, connection_of(scope)).befall(self._app, scope, receive, send)

    async def _open_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a socket in, as a request without a body."""
        self._record({**scope, "method": "GET"}, b"")
        fault = self._state.faults.strike("GET", scope["path"])
        if fault is None:
            await self._let_in(scope, receive, as_refusals(send))
            return
        await SocketTrouble(fault, connection_of(scope)).befall(self._let_in, scope, receive, as_refusals(send))

    def _record(self, scope: Scope, content: bytes) -> None:
        headers = Headers(scope=scope)
        connection = connection_of(scope)
        self._state.recorder.add(
            RecordedRequest(
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                headers=dict(headers),
                body=as_json(content, headers.get("content-encoding", "").strip().lower()),
                content=content,
                connection=connection.number if connection else 0,
                port=(scope.get("client") or ("", 0))[1],
            )
        )

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["path"].startswith(OPEN)
        app = self._app if is_open else self._guard(Headers(scope=scope).get("authorization", ""))
        await app(scope, receive, send)

    def _guard(self, header: str) -> ASGIApp:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return JSONResponse({"detail": "Unauthorized"}, 401)
        tokens = self._state.tokens
        if tokens.is_refused(token.strip()):
            return JSONResponse(INVALIDATED, 401)
        if tokens.strict and not tokens.is_ours(token.strip()):
            return JSONResponse(UNREADABLE, 401)
        return self._app


async def _read(receive: Receive) -> bytes | None:
    """Return the whole body; None when the client left before it was sent. What is above the limit is dropped."""
    content = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if len(content) <= MAX_BODY:
            content += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(content)


async def _drain(receive: Receive) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
        pass


def _replay(content: bytes, receive: Receive) -> Receive:
    """Hand the body out once more; after it, news of the connection come as they are."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": content, "more_body": False}

    return again
