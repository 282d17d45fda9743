"""WebSockets for the drivers (extra ``realtime``): httpx opens them, with the session's login, proxy and certificates.

What is said on them goes by the frames of `websockets`, which knows no network here.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from codex_nb.client._transport import HIDDEN, close, fault, secrets_of, without_query
from codex_nb.errors import APIConnectionError, MalformedStream, StreamInterrupted, UnsupportedByBackend
from codex_nb.extras import extra
from codex_nb.wire.failures import clean

if TYPE_CHECKING:
    from collections.abc import Generator

    from codex_nb.client._recording import Recording

__all__ = ["AsyncLine", "Handshake", "SyncLine", "is_open"]

SWITCHED: Final = 101
CHUNK: Final = 64 * 1024
LARGEST_MESSAGE: Final = 1024 * 1024
# Seconds that saying goodbye may take.
GOODBYE: Final = 1.0


class Handshake:
    """The opening of a socket: ``request`` gets the headers that ask for one.

    Raises:
        CodexError: the package is not installed.

    """

    def __init__(self, request: httpx.Request) -> None:
        with extra("realtime", "The realtime socket"):
            client: Any = import_module("websockets.client")
            uri: Any = import_module("websockets.uri")
        address = uri.parse_uri(f"ws{str(request.url).removeprefix('http')}")
        self._asked = client.ClientProtocol(address)
        self._open: Any = lambda: client.ClientProtocol(
            address, state=import_module("websockets.protocol").OPEN, max_size=LARGEST_MESSAGE
        )
        asked = self._asked.connect().headers
        for name in ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"):
            request.headers[name] = asked[name]

    def opened(self, response: httpx.Response) -> Any:
        """Return the protocol of an open socket.

        Raises:
            MalformedStream: the answer is no answer to this handshake.

        """
        datastructures: Any = import_module("websockets.datastructures")
        http11: Any = import_module("websockets.http11")
        headers = datastructures.Headers(response.headers.multi_items())
        try:
            self._asked.process_response(http11.Response(SWITCHED, "", headers))
        except import_module("websockets.exceptions").InvalidHandshake:
            raise MalformedStream(
                "The server agreed to open a socket, and then did it wrong.",
                hint="Check the backend's address, and whether a proxy is in the way.",
            ) from None
        return self._open()


def is_open(response: httpx.Response) -> bool:
    """Whether the server opened the socket that it was asked for; a refusal is told by its status.

    Raises:
        MalformedStream: it answered as if it had been asked for a page.

    """
    if response.is_success:
        raise MalformedStream(
            f"The server opens no socket here (HTTP {response.status_code}).",
            hint="Check the backend's address, and whether a proxy or sign-in page is in the way.",
            content_type=response.headers.get("content-type", ""),
        )
    return response.status_code == SWITCHED


class _Line:
    """An open socket, apart from its network: bytes in, messages and bytes out."""

    content_type = ""

    def __init__(
        self, response: httpx.Response, handshake: Handshake, silence: float, recording: Recording | None
    ) -> None:
        self.recording = recording
        # How it ended, for people; empty while it is open.
        self.ending = ""
        self._response = response
        self._silence = silence
        self._secrets = [secret.encode() for secret in secrets_of(response)]
        self._messages: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._protocol: Any = handshake.opened(response)
        self._stream: Any = response.extensions.get("network_stream")
        if self._stream is None:
            raise UnsupportedByBackend(
                "The HTTP client of this session opens no sockets.", hint="Leave out Session(http=…), or its transport."
            )

    @property
    def closed(self) -> bool:
        """Whether nothing more can be read."""
        return self._response.is_closed

    def hide(self, content: bytes) -> bytes:
        """Return ``content`` without the login, if it quotes it."""
        for secret in self._secrets:
            content = content.replace(secret, HIDDEN.encode())
        return content

    def _take(self, data: bytes) -> bytes:
        """Take bytes from the network (none: its end); return those to send for them, answers to pings mostly."""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for frame in self._protocol.events_received():
            if frame.opcode in {0, 1, 2}:  # the rest of a message, a text, bytes
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    self._add(b"".join(self._parts))
                    self._parts.clear()
        received = self._protocol.close_rcvd
        if received is not None:
            said = clean(self.hide(received.reason.encode()).decode())
            self.ending = f"the service closed the socket ({received.code}{': ' + said if said else ''})"
        elif not data or self._protocol.parser_exc:
            self.ending = "the connection broke"
        return b"".join(self._protocol.data_to_send())

    def _add(self, message: bytes) -> None:
        self._messages.append(self.hide(message))
        if self.recording:
            self.recording.said(message)

    def _taken(self) -> list[bytes]:
        messages = list(self._messages)
        self._messages.clear()
        return messages

    def _framed(self, message: str) -> bytes:
        """Return a message as bytes to send.

        Raises:
            StreamInterrupted: the socket is closed.
            MalformedStream: what came is not what sockets say.

        """
        if self._over:
            raise StreamInterrupted(f"Before everything was sent, {self.ending}.", hint="Try again.")
        self._protocol.send_text(message.encode("utf-8", "replace"))
        return b"".join(self._protocol.data_to_send())

    def _goodbye(self) -> bytes:
        if self.ending or self._protocol.state.name != "OPEN":
            return b""
        self._protocol.send_close(1000)
        return b"".join(self._protocol.data_to_send())

    @property
    def _over(self) -> bool:
        """Whether no message will come any more.

        Raises:
            MalformedStream: what came is not what sockets say.

        """
        if self._protocol.parser_exc and not isinstance(self._protocol.parser_exc, EOFError):
            raise MalformedStream("The service broke the rules of sockets.", hint="Try again.")
        return bool(self.ending)

    @property
    def _readable(self) -> bool:
        return bool(self._stream.get_extra_info("is_readable"))

    @contextmanager
    def _faults(self) -> Generator[None]:
        url = self._response.request.url
        try:
            yield
        except httpcore.TimeoutException as error:
            self.ending = "the service went silent"
            raise fault(httpx.ReadTimeout(""), without_query(url), self._silence) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            self.ending = "the connection broke"
            if not self._messages:  # what came before comes first
                raise APIConnectionError(
                    f"The connection to {url.host} broke.", hint="Try again.", url=without_query(url)
                ) from error


class SyncLine(_Line):
    """A socket on the synchronous client."""

    def read(self) -> bytes:
        """Return the next message, ``b""`` at the end."""
        while not self._messages:
            if self._over:
                return b""
            with self._faults():
                self._receive()
        return self._messages.popleft()

    def write(self, message: str) -> list[bytes]:
        """Send a message; return those that have come meanwhile."""
        if self.ending and self._messages:  # what came before it ended comes first
            return self._taken()
        framed = self._framed(message)
        with self._faults():
            self._stream.write(framed, self._silence)
            while not self.ending and self._readable:
                self._receive()
        return self._taken()

    def _receive(self) -> None:
        if answer := self._take(self._stream.read(CHUNK, self._silence)):
            self._stream.write(answer, self._silence)

    def close(self) -> None:
        """Say goodbye, and close the connection."""
        if self.closed:
            return
        if self.recording:
            self.recording.left()
        with suppress(httpcore.NetworkError, httpcore.TimeoutException, OSError):
            self._stream.write(self._goodbye(), GOODBYE)
        close(self._response)


class AsyncLine(_Line):
    """A socket on the asynchronous client."""

    async def read(self) -> bytes:
        """Return the next message, ``b""`` at the end."""
        while not self._messages:
            if self._over:
                return b""
            with self._faults():
                await self._receive()
        return self._messages.popleft()

    async def write(self, message: str) -> list[bytes]:
        """Send a message; return those that have come meanwhile."""
        if self.ending and self._messages:  # what came before it ended comes first
            return self._taken()
        framed = self._framed(message)
        with self._faults():
            await self._stream.write(framed, self._silence)
            while not self.ending and self._readable:
                await self._receive()
        return self._taken()

    async def _receive(self) -> None:
        if answer := self._take(await self._stream.read(CHUNK, self._silence)):
            await self._stream.write(answer, self._silence)

    async def aclose(self) -> None:
        """Say goodbye, and close the connection."""
        if self.closed:
            return
        if self.recording:
            self.recording.left()
        with suppress(httpcore.NetworkError, httpcore.TimeoutException, OSError):
            await self._stream.write(self._goodbye(), GOODBYE)
        await self._response.aclose()
