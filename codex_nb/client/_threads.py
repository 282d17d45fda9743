"""Flows side by side for the synchronous face: threads take one after the other, the caller's hears what they tell."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from codex_nb.client._waiting import next_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from codex_nb.wire.call import Flow, Together

    Run = Callable[[Flow[Any], threading.Event], Generator[Any, None, Any]]

__all__ = ["Halted", "side_by_side"]


class Halted(BaseException):
    """A flow is left because one beside it failed."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """The end of a flow."""

    number: int
    result: Any


@dataclass(frozen=True, slots=True)
class _Left:
    """The end of a thread, and why, if it is not that no flow is left."""

    error: BaseException | None = None


def side_by_side(step: Together, run: Run) -> Generator[Any, None, list[Any]]:
    """Do what ``step`` asks for by ``run``. The caller's thread waits, finishes results, and hears interrupts."""
    threads = _Threads(step, run)
    try:
        threads.start()
        while threads.busy:
            yield from threads.turn()
    finally:
        threads.halt()
    return [threads.results[number] for number in range(len(threads.results))]


class _Threads:
    """The threads of one step."""

    def __init__(self, step: Together, run: Run) -> None:
        self.results: dict[int, Any] = {}
        self._step = step
        self._run = run
        self._flows = iter(enumerate(step.flows))
        self._taking = threading.Lock()
        self._room = threading.Semaphore(step.most)
        self._halted = threading.Event()
        self._no_more = False
        self._running = 0
        self._came: SimpleQueue[Any] = SimpleQueue()
        self._waiting: deque[_Ended] = deque()

    @property
    def busy(self) -> bool:
        """Whether something is under way, or waits for what is left to do with it."""
        return bool(self._running or self._waiting)

    def start(self) -> None:
        """Begin as many threads as may run at once, or as find something to do."""
        while self._running < self._step.limit and not self._no_more:
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=(self._work,), daemon=True).start()
            self._running += 1

    def halt(self) -> None:
        """Have every thread leave at its next step, and those that wait for room at once."""
        self._halted.set()
        self._room.release(self._step.limit)

    def turn(self) -> Generator[Any, None, None]:
        """Take what came, and give it if it is told; do what is left of a result while nothing comes; else wait."""
        if self._waiting and self._came.empty():
            time.sleep(0)  # a thread that is ready goes first: the next request is sent before this result is finished
            ended = self._waiting.popleft()
            self.results[ended.number] = self._step.then(ended.result) if self._step.then else ended.result
            self._room.release()
            return
        match next_of(self._came):
            case _Ended() as ended:
                self._waiting.append(ended)
            case _Left(error):
                self._running -= 1
                if error:
                    raise error
            case told:
                yield told

    def _work(self) -> None:
        try:
            while taken := self._next():
                for event in self._telling(*taken):
                    self._came.put(event)
        except Halted:
            self._came.put(_Left())
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            self._halted.set()  # before another thread takes the next flow
            self._came.put(_Left(error))
        else:
            self._came.put(_Left())

    def _next(self) -> tuple[int, Flow[Any]] | None:
        """Take the next flow when there is room for one more; None if there is none, or it is too late."""
        self._room.acquire()
        with self._taking:
            taken = None if self._halted.is_set() else next(self._flows, None)
            self._no_more = taken is None
            return taken

    def _telling(self, number: int, flow: Flow[Any]) -> Generator[Any, None, None]:
        result = yield from self._run(flow, self._halted)
        yield _Ended(number, result)
