"""The HTTP server underneath: uvicorn, quiet, quick to stop, with its connections in reach of faults."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import struct
import sys
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

KEY = "codex_nb.connection"
# The one path that is served as a WebSocket.
SOCKET = "/v1/realtime"
DATE_SECONDS = 1.0
STOP_SECONDS = 0.3
# Longer than any client keeps an idle connection, so that a reused one is never stale.
KEEP_ALIVE_SECONDS = 120
# SO_LINGER of zero seconds; Windows has shorter fields.
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Connection:
    """One TCP connection of a client. ``number`` counts from 1 within a backend."""

    def __init__(self, number: int, transport: asyncio.Transport) -> None:
        self.number = number
        self._transport = transport
        self._closed = asyncio.Event()

    def lost(self) -> None:
        """Note that it is gone."""
        self._closed.set()

    async def wait_closed(self, seconds: float) -> None:
        """Wait until it is gone, but not longer."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)

    async def end(self, *, reset: bool = False) -> None:
        """Close it, without the end of whatever answer is under way; ``reset`` sends a TCP RST."""
        if reset:
            raw = cast("socket.socket", self._transport.get_extra_info("socket"))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()
        else:
            self._transport.close()
        await self._closed.wait()


def connection_of(scope: Scope) -> Connection | None:
    """Return the connection a request came on, None under a foreign server."""
    return scope.get(KEY)


class Protocol(H11Protocol):
    """HTTP/1.1 that tells the application which connection it talks on."""

    def __init__(self, *args: Any, numbers: Iterator[int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = logging.getLogger("codex_nb.local")
        self._numbers = numbers
        self._connection: Connection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wrap the application for this connection."""
        transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)
        # asyncio does it only for sockets whose protocol number is set, which those of a shared listener lack;
        # without it each answer waits 40 ms for an acknowledgement.
        raw = cast("socket.socket", transport.get_extra_info("socket"))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = self._connection = Connection(next(self._numbers), transport)
        self.ws_protocol_class = cast("Any", partial(SocketProtocol, connection=connection))
        self.app = _telling(self.app, connection)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits for the end."""
        super().connection_lost(exc)
        if self._connection is not None:
            self._connection.lost()

    def _should_upgrade_to_ws(self) -> bool:
        """Open sockets where there is one; elsewhere the route turns the request away."""
        return self.scope["path"] == SOCKET

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: the WebSocket form of the answers is turned away by its route."""


class SocketProtocol(WSProtocol):
    """A WebSocket that tells the application which connection it talks on."""

    def __init__(self, *args: Any, connection: Connection, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = logging.getLogger("codex_nb.local")
        self._connection = connection
        self.app = _telling(self.app, connection)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits for the end."""
        super().connection_lost(exc)
        self._connection.lost()


def _telling(app: Any, connection: Connection) -> Any:
    """Return ``app``, told which connection it talks on."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope[KEY] = connection
        await app(scope, receive, send)

    return told


class QuickServer(Server):
    """A uvicorn server that stops at once, whatever is under way. Starts on listening sockets, in its own thread."""

    def __init__(self, app: ASGIApp) -> None:
        protocol = partial(Protocol, numbers=itertools.count(1))
        super().__init__(
            Config(
                app,
                http=cast("Any", protocol),
                ws="wsproto",
                ws_ping_interval=None,
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def serve_on(self, *listeners: socket.socket) -> None:
        """Serve until `stop`; call it in a thread of its own."""
        try:
            asyncio.run(self.serve(sockets=list(listeners)))
        finally:
            self.ready.set()

    def stop(self) -> None:
        """End all connections and return from `serve_on`. Thread-safe, and harmless when it is over."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        """Wait for the end; the Date header is renewed meanwhile."""
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self.ready.set()
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), DATE_SECONDS)
            await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listener and the connections, then wait a moment for their tasks."""
        for listener in sockets or []:
            with suppress(NotImplementedError):  # on Windows, where no reader lets clients in
                asyncio.get_running_loop().remove_reader(listener)
        # Who was let in is a transport after one turn of the loop, a connection after the next; Python 3.11 leaves the
        # socket open when the server is closed before.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
