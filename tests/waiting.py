"""Waiting for what another thread or process does."""

import time

__all__ = ["until"]


def until(fact, seconds=10.0):
    """Wait until something is so, or the time is over; return whether it is."""
    deadline = time.monotonic() + seconds
    while not (found := fact()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(found)
