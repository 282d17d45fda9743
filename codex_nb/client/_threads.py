"""Flows side by side on the synchronous face: each on a thread of its own, what they tell on the caller's."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from codex_nb.client._waiting import next_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from codex_nb.wire.call import Flow, Together

    Run = Callable[[Flow[Any], threading.Event], Generator[Any, None, Any]]

__all__ = ["Halted", "side_by_side"]

# Seconds that a flow has to send its first request before this thread takes the interpreter for a result.
HEAD_START: Final = 0.001


class Halted(BaseException):
    """A flow is left because one beside it failed."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """The end of a flow."""

    result: Any


def side_by_side(step: Together, run: Run) -> Generator[Any, None, list[Any]]:
    """Do what ``step`` asks for by ``run``. Flows are taken on the caller's thread, which an interrupt frees."""
    threads = _Threads(step, run)
    try:
        for flow in step.flows:
            while threads.full:
                yield from threads.turn()
            threads.start(flow)
        while threads.unfinished:
            yield from threads.turn()
    finally:
        threads.halted.set()
    return [threads.results[number] for number in range(threads.started)]


class _Threads:
    """The threads of one step."""

    def __init__(self, step: Together, run: Run) -> None:
        self.halted = threading.Event()
        self.results: dict[int, Any] = {}
        self.started = 0
        self._step = step
        self._run = run
        self._came: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        self._waiting: deque[tuple[int, Any]] = deque()
        self._head_start = 0.0

    @property
    def unfinished(self) -> int:
        """How many are under way, or wait for what is left to do with them."""
        return self.started - len(self.results)

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return self.unfinished - len(self._waiting) >= self._step.limit or self.unfinished >= self._step.most

    def start(self, flow: Flow[Any]) -> None:
        """Begin a flow."""
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._work, self.started, flow), daemon=True).start()
        self.started += 1
        self._head_start = HEAD_START

    def turn(self) -> Generator[Any, None, None]:
        """Take what came, and give it if it is told; do what is left of a result while nothing comes; else wait."""
        try:
            number, event, error = self._came.get(timeout=self._head_start) if self._waiting else next_of(self._came)
        except Empty:
            self._head_start = 0.0
            self._finish(*self._waiting.popleft())
            return
        if error:
            raise error
        if isinstance(event, _Ended):
            self._waiting.append((number, event.result))
        else:
            yield event

    def _finish(self, number: int, result: Any) -> None:
        self.results[number] = self._step.then(result) if self._step.then else result

    def _work(self, number: int, flow: Flow[Any]) -> None:
        try:
            for event in self._telling(flow):
                self._came.put((number, event, None))
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            self._came.put((number, None, error))

    def _telling(self, flow: Flow[Any]) -> Generator[Any, None, None]:
        result = yield from self._run(flow, self.halted)
        yield _Ended(result)
