"""A fault on a WebSocket: its handshake refused, or the socket broken off after so many messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.local.trouble import Trouble

if TYPE_CHECKING:
    from starlette.types import Message, Send

__all__ = ["SocketTrouble", "as_refusals"]


def as_refusals(send: Send) -> Send:
    """Return ``send`` for answers of HTTP to a handshake, which a socket's server knows by another name."""

    async def named(message: Message) -> None:
        kind = message["type"]
        await send({**message, "type": f"websocket.{kind}"} if kind.startswith("http.response") else message)

    return named


class SocketTrouble(Trouble):
    """One fault on one socket: messages of the server count as events, their text as bytes."""

    async def _pass(self, message: Message) -> None:
        await self._send(message)
        if self.fault.mid_stream and message["type"] in {"websocket.accept", "websocket.send"}:
            text = message.get("text") or ""
            await self.count(len(text.encode()), int(bool(text)))

    async def _end(self, *, started: bool) -> None:
        if self.fault.cut == "clean" and started:
            await self._send({"type": "websocket.close", "code": 1000})
            return
        await super()._end(started=started)
