"""One answer in flight, for its reader: iterate over events or text, take the final response, or close early."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from codex_nb.errors import CodexError
from codex_nb.types.events import TextDeltaEvent
from codex_nb.wire.content import digest

if TYPE_CHECKING:
    from types import TracebackType

    from codex_nb.client._bodies import AsyncBody, SyncBody
    from codex_nb.client._incoming import Incoming
    from codex_nb.types.events import ResponseEvent
    from codex_nb.types.parsed import ParsedResponse
    from codex_nb.types.responses import Response

__all__ = [
    "AsyncParsedStream",
    "AsyncResponseStream",
    "Opened",
    "OpenedAsync",
    "ParsedStream",
    "ResponseStream",
]

T = TypeVar("T")

LEFT = "The stream was closed before the answer was complete."

Opened: TypeAlias = "tuple[Incoming, SyncBody]"
OpenedAsync: TypeAlias = "tuple[Incoming, AsyncBody]"


class _Shown:
    """What a stream tells of itself at any time."""

    _incoming: Incoming | None = None

    @property
    def opened(self) -> bool:
        """Whether the service has taken the request."""
        return self._incoming is not None

    @property
    def text(self) -> str:
        """The text so far."""
        return self._incoming.text if self._incoming else ""

    @property
    def served_model(self) -> str | None:
        """The model that the service says answers."""
        return self._incoming.served_model if self._incoming else None

    @property
    def request_digest(self) -> str:
        """The SHA-256 of what was asked, the same for the same question; empty while nothing is sent."""
        return digest(self._incoming.asked()) if self._incoming else ""

    @property
    def replayed(self) -> float | None:
        """The seconds that the answer took when it was recorded; None for one that comes from the service."""
        return self._incoming.replayed if self._incoming else None

    @property
    def headers(self) -> dict[str, str]:
        """The reply's headers, names in lower case."""
        return dict(self._incoming.reply.headers) if self._incoming else {}

    def __repr__(self) -> str:
        state = "not opened" if not self._incoming else "finished" if self._incoming.finished else "open"
        return f"<{type(self).__name__} {state}, {len(self.text)} characters>"


class ResponseStream(_Shown):
    """The events of one answer. It opens when it is first used, and closes at its end, on an error and on interrupt.

    Iterating past the terminal event raises what went wrong: `StreamInterrupted`, `MalformedStream`, `ResponseFailed`.
    """

    def __init__(self, open_: Callable[[], Opened]) -> None:
        self._open_ = open_
        self._body: SyncBody | None = None
        self._pending: Iterator[ResponseEvent] = iter(())
        self._kept_open = False

    def open(self) -> Incoming:
        """Send the request, if that is not done yet."""
        if self._incoming is None:
            self._incoming, self._body = self._open_()
        return self._incoming

    def begin(self) -> Self:
        """Send the request now, and return this stream."""
        self.open()
        return self

    def __enter__(self) -> Self:
        self.open()
        self._kept_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept_open = False
        self.close()

    def __iter__(self) -> Iterator[ResponseEvent]:
        incoming = self.open()
        try:
            yield from self._pending
            while not incoming.finished:
                self._pending = iter(self._feed(incoming))
                yield from self._pending
        except GeneratorExit:  # the reader left its loop; inside a `with` it may come back
            if not self._kept_open:
                self.close()
            raise
        except BaseException:
            self.close()
            raise
        self.close()
        if incoming.failure:
            raise incoming.failure

    def _feed(self, incoming: Incoming) -> list[ResponseEvent]:
        assert self._body is not None  # noqa: S101 - open() has set it
        if self._body.closed:  # by its reader
            raise incoming.broken(CodexError(LEFT))
        try:
            return incoming.take(self._body.read())
        except CodexError as error:
            raise incoming.broken(error) from error

    def text_deltas(self) -> Iterator[str]:
        """Give the answer's text as it comes."""
        return (event.delta for event in self if type(event) is TextDeltaEvent)

    def final(self) -> Response:
        """Read to the end and return the whole response."""
        for _ in self:
            pass
        return self.response

    @property
    def response(self) -> Response:
        """The response as far as it came."""
        return self.open().response

    def close(self) -> None:
        """Stop here; the service stops working on the answer."""
        if self._body:
            self._body.close()


class AsyncResponseStream(_Shown):
    """`ResponseStream` for ``async with`` and ``async for``."""

    def __init__(self, open_: Callable[[], Coroutine[Any, Any, OpenedAsync]]) -> None:
        self._open_ = open_
        self._body: AsyncBody | None = None
        self._pending: Iterator[ResponseEvent] = iter(())
        self._kept_open = False

    async def open(self) -> Incoming:
        """Send the request, if that is not done yet."""
        if self._incoming is None:
            self._incoming, self._body = await self._open_()
        return self._incoming

    async def begin(self) -> Self:
        """Send the request now, and return this stream."""
        await self.open()
        return self

    async def __aenter__(self) -> Self:
        await self.open()
        self._kept_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept_open = False
        await self.aclose()

    async def __aiter__(self) -> AsyncIterator[ResponseEvent]:
        incoming = await self.open()
        try:
            for event in self._pending:
                yield event
            while not incoming.finished:
                self._pending = iter(await self._feed(incoming))
                for event in self._pending:
                    yield event
        except GeneratorExit:
            if not self._kept_open:
                await self.aclose()
            raise
        except BaseException:
            await self.aclose()
            raise
        await self.aclose()
        if incoming.failure:
            raise incoming.failure

    async def _feed(self, incoming: Incoming) -> list[ResponseEvent]:
        assert self._body is not None  # noqa: S101 - open() has set it
        if self._body.closed:  # by its reader
            raise incoming.broken(CodexError(LEFT))
        try:
            return incoming.take(await self._body.read())
        except CodexError as error:
            raise incoming.broken(error) from error

    async def text_deltas(self) -> AsyncIterator[str]:
        """Give the answer's text as it comes."""
        async for event in self:
            if type(event) is TextDeltaEvent:
                yield event.delta

    async def final(self) -> Response:
        """Read to the end and return the whole response."""
        async for _ in self:
            pass
        return (await self.open()).response

    async def aclose(self) -> None:
        """Stop here; the service stops working on the answer."""
        if self._body:
            await self._body.aclose()


class ParsedStream(ResponseStream, Generic[T]):
    """`ResponseStream` of an answer with a ``text_format``; its final response is read as that."""

    def __init__(self, open_: Callable[[], Opened], read: Callable[[Response], ParsedResponse[T]]) -> None:
        super().__init__(open_)
        self._read = read

    def final(self) -> ParsedResponse[T]:
        """Read to the end and return the whole response, parsed.

        Raises:
            InvalidAnswer: the answer is complete, and is not what was asked for.

        """
        return self._read(super().final())


class AsyncParsedStream(AsyncResponseStream, Generic[T]):
    """`ParsedStream` for ``async with`` and ``async for``."""

    def __init__(
        self,
        open_: Callable[[], Coroutine[Any, Any, OpenedAsync]],
        read: Callable[[Response], ParsedResponse[T]],
    ) -> None:
        super().__init__(open_)
        self._read = read

    async def final(self) -> ParsedResponse[T]:
        """Read to the end and return the whole response, parsed."""
        return self._read(await super().final())
