"""A transcription in flight, for its reader: events or text as it is heard, then the `Transcript`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from codex_nb.client.resources._growing import Growing
from codex_nb.types.audio import (
    Transcript,
    TranscriptionStreamEvent,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from codex_nb.client.resources._growing import Part

    Running: TypeAlias = Generator[Any, None, Transcript]
    RunningAsync: TypeAlias = Coroutine[Any, Any, Transcript]

__all__ = ["AsyncTranscriptStream", "TranscriptStream"]


class _Shown:
    """What a stream tells of itself at any time: ``text``, and ``transcript`` once it is whole."""

    def __init__(self) -> None:
        self.transcript: Transcript | None = None
        self._growing = Growing()

    @property
    def text(self) -> str:
        """The text so far."""
        return self.transcript.text if self.transcript else self._growing.shown

    def _deltas(self, part: Part) -> list[TranscriptionStreamEvent]:
        more = self._growing.take(part)
        return [TranscriptionTextDeltaEvent(delta=more)] if more else []

    def _done(self, found: Transcript) -> TranscriptionTextDoneEvent:
        self.transcript = found
        return TranscriptionTextDoneEvent(text=found.text, transcript=found)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'finished' if self.transcript else 'open'}, {len(self.text)} characters>"


class TranscriptStream(_Shown):
    """The events of one transcription. It begins when it is first used, and stops when its reader leaves it.

    Iterating raises what went wrong; what was heard by then is in the error's ``.partial``.
    """

    def __init__(self, run: Callable[[], Running]) -> None:
        super().__init__()
        self._events = self._iterate(run)

    def _iterate(self, run: Callable[[], Running]) -> Generator[TranscriptionStreamEvent]:
        running = run()
        try:
            while True:
                try:
                    part = next(running)
                except StopIteration as end:
                    yield self._done(end.value)
                    return
                yield from self._deltas(part)
        finally:
            running.close()

    def __iter__(self) -> Iterator[TranscriptionStreamEvent]:
        return self

    def __next__(self) -> TranscriptionStreamEvent:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def text_deltas(self) -> Iterator[str]:
        """Give the text as it is heard."""
        return (event.delta for event in self if isinstance(event, TranscriptionTextDeltaEvent))

    def final(self) -> Transcript:
        """Read to the end and return the whole."""
        for _ in self:
            pass
        assert self.transcript is not None  # noqa: S101 - the last event brings it
        return self.transcript

    def close(self) -> None:
        """Stop here."""
        self._events.close()


class AsyncTranscriptStream(_Shown):
    """`TranscriptStream` for ``async with`` and ``async for``."""

    def __init__(self, run: Callable[[Callable[[Part], None]], RunningAsync]) -> None:
        super().__init__()
        self._run = run
        self._task: asyncio.Task[Transcript] | None = None
        self._parts: asyncio.Queue[Part | None] = asyncio.Queue()
        self._events = self._iterate()

    async def _iterate(self) -> AsyncGenerator[TranscriptionStreamEvent]:
        self._task = asyncio.ensure_future(self._run(self._parts.put_nowait))
        self._task.add_done_callback(lambda _: self._parts.put_nowait(None))
        try:
            while (part := await self._parts.get()) is not None:
                for event in self._deltas(part):
                    yield event
            yield self._done(await self._task)
        finally:
            await self._stop()

    async def _stop(self) -> None:
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    def __aiter__(self) -> AsyncIterator[TranscriptionStreamEvent]:
        return self

    async def __anext__(self) -> TranscriptionStreamEvent:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def text_deltas(self) -> AsyncIterator[str]:
        """Give the text as it is heard."""
        async for event in self:
            if isinstance(event, TranscriptionTextDeltaEvent):
                yield event.delta

    async def final(self) -> Transcript:
        """Read to the end and return the whole."""
        async for _ in self:
            pass
        assert self.transcript is not None  # noqa: S101 - the last event brings it
        return self.transcript

    async def aclose(self) -> None:
        """Stop here."""
        await self._stop()
        await self._events.aclose()
