"""Waiting for what other threads tell, so that an interrupt is heard meanwhile."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

__all__ = ["next_of"]

# How long an interrupt may go unheard, in seconds.
PIECE: Final = 0.1

T = TypeVar("T")


def next_of(queue: SimpleQueue[T]) -> T:
    """Return what comes next out of ``queue``.

    In pieces: where a signal's handler has waits go on (SA_RESTART, as Polars sets it for Ctrl+C once it is imported),
    Python hears of the signal only when the wait ends.
    """
    while True:
        with suppress(Empty):
            return queue.get(timeout=PIECE)
