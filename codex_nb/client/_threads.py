"""Flows side by side on the synchronous face: each on a thread of its own, what they tell on the caller's."""

from __future__ import annotations

import contextvars
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

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

    result: Any


def side_by_side(step: Together, run: Run) -> Generator[Any, None, list[Any]]:
    """Do what ``step`` asks for by ``run``. Flows are taken on the caller's thread, which an interrupt frees."""
    threads = _Threads(run)
    try:
        for flow in step.flows:
            if threads.started - len(threads.results) >= step.limit:
                yield from threads.take_one()
            threads.start(flow)
        while len(threads.results) < threads.started:
            yield from threads.take_one()
    finally:
        threads.halted.set()
    return [threads.results[number] for number in range(threads.started)]


class _Threads:
    """The threads of one step."""

    def __init__(self, run: Run) -> None:
        self.halted = threading.Event()
        self.results: dict[int, Any] = {}
        self.started = 0
        self._run = run
        self._came: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()

    def start(self, flow: Flow[Any]) -> None:
        """Begin a flow."""
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._work, self.started, flow), daemon=True).start()
        self.started += 1

    def take_one(self) -> Generator[Any, None, None]:
        """Wait until one more has ended; give what any of them tells meanwhile."""
        while True:
            number, event, error = self._came.get()
            if error:
                raise error
            if isinstance(event, _Ended):
                self.results[number] = event.result
                return
            yield event

    def _work(self, number: int, flow: Flow[Any]) -> None:
        try:
            for event in self._telling(flow):
                self._came.put((number, event, None))
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            self._came.put((number, None, error))

    def _telling(self, flow: Flow[Any]) -> Generator[Any, None, None]:
        result = yield from self._run(flow, self.halted)
        yield _Ended(result)
