"""A fault as it happens: what is sent instead, how it is sent, and where it breaks off."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from codex_nb.local.faults import Fault
    from codex_nb.local.transport import Connection

GZIP_WBITS = 31
EVENT_END = b"\n\n"
# A reset throws away what the client has not read yet; this long it may read.
GRACE_SECONDS = 0.05


class _CutError(Exception):
    """The connection ends here."""


class Trouble:
    """One fault on one request. ``connection`` is None under a foreign server, where a cut raises."""

    def __init__(self, fault: Fault, connection: Connection | None) -> None:
        self.fault = fault
        self._connection = connection
        self._events = 0
        self._bytes = 0
        self._stalled = False
        self._zip = zlib.compressobj(wbits=GZIP_WBITS) if fault.gzip else None

    async def befall(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request with the fault laid over it."""
        self._send = send
        try:
            if not self.fault.mid_stream:
                await self._strike()
            if self.fault.status is not None:
                await self._reply()
            else:
                await app(scope, receive, self._pass)
        except _CutError:
            await self._end(started=self.fault.mid_stream)

    async def _reply(self) -> None:
        fault = self.fault
        named = {"content-type": fault.content_type, "content-length": str(len(fault.body))}
        if fault.status == 304 or not fault.body:
            named.pop("content-type")
        headers = named | {name.lower(): value for name, value in fault.headers.items()}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._pass({"type": "http.response.start", "status": fault.status, "headers": raw})
        await self._pass({"type": "http.response.body", "body": fault.body, "more_body": False})

    async def _pass(self, message: Message) -> None:
        """Let a message of the answer through, changed."""
        if message["type"] == "http.response.start":
            await self._send(self._with_encoding(message) if self._zip else message)
            if self.fault.mid_stream:
                await self.count(0, 0)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        while body:
            chunk, body = self._until_limit(body)
            await self._write(chunk)
            await self.count(len(chunk), int(chunk.endswith(EVENT_END)))
        if not more:
            await self._send({"type": "http.response.body", "body": self._flush(), "more_body": False})

    def _with_encoding(self, message: Message) -> Message:
        kept = [(name, value) for name, value in message["headers"] if name != b"content-length"]
        return {**message, "headers": [*kept, (b"content-encoding", b"gzip")]}

    def _until_limit(self, body: bytes) -> tuple[bytes, bytes]:
        """Split off what may still pass before the counted limit."""
        if self.fault.after_bytes is not None:
            size = max(0, self.fault.after_bytes - self._bytes) or len(body)
        elif self.fault.after_events is not None and EVENT_END in body:
            size = body.index(EVENT_END) + len(EVENT_END)
        else:
            size = len(body)
        return body[:size], body[size:]

    async def count(self, size: int, events: int) -> None:
        """Count what has passed, and strike where it is due."""
        self._bytes += size
        self._events += events
        fault = self.fault
        due = fault.after_events is not None and self._events >= fault.after_events
        due = due or (fault.after_bytes is not None and self._bytes >= fault.after_bytes)
        if not due or self._stalled:
            return
        self._stalled = True
        await self._strike()

    async def _strike(self) -> None:
        await self._wait(self.fault.stall)
        if self.fault.cut:
            raise _CutError

    async def _write(self, chunk: bytes) -> None:
        size, pause = self.fault.drip or (len(chunk), 0.0)
        for at in range(0, len(chunk), size):
            part = chunk[at : at + size]
            if self._zip:
                part = self._zip.compress(part) + self._zip.flush(zlib.Z_SYNC_FLUSH)
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
            if pause:
                await self._wait(pause)

    def _flush(self) -> bytes:
        return self._zip.flush() if self._zip else b""

    async def _wait(self, seconds: float) -> None:
        """Stay silent for a while, or until the client is gone."""
        if self._connection is None:
            await asyncio.sleep(seconds)
        elif seconds:
            await self._connection.wait_closed(seconds)

    async def _end(self, *, started: bool) -> None:
        if self.fault.cut == "clean" and started:
            await self._send({"type": "http.response.body", "body": self._flush(), "more_body": False})
            return
        if self._connection is None:
            raise ConnectionAbortedError("A fault ends this connection.")
        if self.fault.cut == "reset":
            await asyncio.sleep(GRACE_SECONDS)
        await self._connection.end(reset=self.fault.cut == "reset")
