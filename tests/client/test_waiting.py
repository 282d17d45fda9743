"""Waiting for other threads: what they tell comes at once, and an interrupt is heard."""

import signal
import threading
from queue import SimpleQueue

import pytest

from codex_nb.client._waiting import next_of


def test_things_come_in_their_order():
    """Those that are there, and one that comes later."""
    queue = SimpleQueue()
    queue.put(1)
    queue.put(None)
    later = threading.Timer(0.25, queue.put, [2])
    later.start()
    assert [next_of(queue) for _ in range(3)] == [1, None, 2]
    later.join()


@pytest.mark.skipif(not hasattr(signal, "siginterrupt"), reason="signals of POSIX")
def test_an_interrupt_is_heard_where_signals_restart_what_they_interrupt():
    """As they do once Polars is imported."""
    queue = SimpleQueue()
    ended = threading.Timer(30, queue.put, ["the wait was not interrupted"])
    interrupt = threading.Timer(0.25, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.siginterrupt(signal.SIGINT, False)
    try:
        ended.start()
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            next_of(queue)
    finally:
        ended.cancel()
        interrupt.join()
        signal.signal(signal.SIGINT, before)
