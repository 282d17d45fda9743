"""``df.codex.map`` over 2 000 rows of a service that fails in every way: all rows accounted for, none asked too often.

Run by hand: ``uv run tests/bench/map.py``. The service is the embedded backend in this process.
"""

import os
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from pathlib import Path

os.environ["CODEX_NB_LEDGER"] = "off"
os.environ["CODEX_NB_KEPT"] = tempfile.mkdtemp()
sys.path.insert(0, str(Path(__file__).parents[2]))

from codex_nb.local import Fault, Turn
from tests.frames.test_map import Server, reply, right, texts

ROWS = 2_000
FAULTS = [
    *(Fault.server_error(500, times=3, skip=skip) for skip in range(40, 2_400, 120)),
    *(Fault.throttled(0.2, times=3, skip=skip) for skip in range(70, 2_400, 150)),
    *(Fault.cut_after(3, times=2, skip=skip) for skip in range(20, 2_400, 90)),
    *(Fault.drop(times=1, skip=skip) for skip in range(100, 2_400, 200)),
]


def run(batch):
    """Map all rows, then what failed; print what came of it."""
    count, lock = Counter(), threading.Lock()

    def bad(ask):
        with lock:
            count["asked"] += 1
            number = count["asked"]
        return Turn(text='{"label": "good", "sc') if number % 23 == 0 else reply(ask)

    server, frame = Server(bad, faults=FAULTS), texts(ROWS)
    began = time.perf_counter()
    result = server.map(frame, batch=batch)
    seconds = time.perf_counter() - began
    assert right(frame, result)
    assert set(result._status) <= {"done", "failed"}
    told = result.attrs["codex_nb"]
    print(f"batch {batch}: {seconds:.1f} s, {told['requests']} requests, done {told['done']}, failed {told['failed']}")
    server.backend.state.faults.clear()
    again = result.codex.retry().attrs["codex_nb"]
    print(f"  retry: {again['requests']} requests, done {again['done']}, failed {again['failed']}")
    before = len(server.asked)
    began = time.perf_counter()
    once_more = server.map(frame, batch=batch).attrs["codex_nb"]
    seconds, asked = time.perf_counter() - began, len(server.asked) - before
    print(f"  again: {seconds:.2f} s, {asked} rows asked, {once_more['kept']} kept")
    server.close()
    os.environ["CODEX_NB_KEPT"] = tempfile.mkdtemp()


def quota():
    """Stop at a tenth of the quota."""
    server = Server(reply, budget=200_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = server.map(texts(ROWS), max_quota=10, batch=10).attrs["codex_nb"]
    spent = server.backend.state.quota.spent
    print(f"max_quota 10 %: {told['done']} done, {told['waiting']} wait, {100 * spent / 200_000:.2f} % used")
    server.close()


if __name__ == "__main__":
    run(1)
    run(10)
    quota()
