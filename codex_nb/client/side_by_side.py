"""The same work on many things, several at once, from synchronous code."""

from __future__ import annotations

import contextvars
import threading
from numbers import Integral
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from codex_nb.client._waiting import next_of
from codex_nb.errors import CodexError, InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["check_concurrency", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")


def check_concurrency(concurrency: int, usual: int) -> None:
    """Check how many are to be under way at once.

    Raises:
        InvalidOption: it is no such number.

    """
    if not isinstance(concurrency, Integral) or concurrency < 1:
        raise InvalidOption("concurrency must be a whole number, at least 1.", hint=f"Leave it out for {usual}.")


def side_by_side(work: Callable[[T], R], things: Sequence[T], limit: int) -> Generator[tuple[int, R | CodexError]]:
    """Give ``(place, result)`` as each ends, on the caller's thread; a `CodexError` stands where the result would.

    At most ``limit`` are under way at once. When the iterator is left (an interrupt, say), nothing new is begun.
    Any other exception of ``work`` is raised here.
    """
    waiting = iter(enumerate(things))
    ended: SimpleQueue[tuple[int, R | BaseException]] = SimpleQueue()
    halted, lock = threading.Event(), threading.Lock()

    def worker() -> None:
        while not halted.is_set():
            with lock:
                place, thing = next(waiting, (-1, None))
            if place < 0:
                return
            try:
                ended.put((place, work(thing)))  # pyright: ignore[reportArgumentType]
            except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
                ended.put((place, error))

    try:
        for _ in range(min(limit, len(things))):
            threading.Thread(target=contextvars.copy_context().run, args=(worker,), daemon=True).start()
        for _ in things:
            place, outcome = next_of(ended)
            if isinstance(outcome, BaseException) and not isinstance(outcome, CodexError):
                raise outcome
            yield place, outcome
    finally:
        halted.set()
