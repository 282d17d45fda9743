"""10 000 tasks over 100 pages into a frame, beside the bare wire: what reading and building cost a row.

CPU seconds of both sides, which are in one process: the server's part is the same in both.

Run: python tests/bench/frames.py
"""

import copy
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["CODEX_NB_LEDGER"] = str(Path(tempfile.mkdtemp()) / "ledger.sqlite3")
sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from codex_nb import Bearer, Session, frames
from codex_nb.local import Fault, LocalBackend, Script

PAGES, SIZE, ROUNDS = 100, 100, 3
LIST = "/backend-api/wham/tasks/list"


def payloads():
    """Return the pages: the tasks on record, with ids of their own."""
    fixtures = Path(__file__).parents[1] / "fixtures"
    samples = [
        task for n in (1, 2) for task in json.loads((fixtures / f"tasks_list_page{n}.json").read_text())["items"]
    ]
    for page in range(PAGES):
        items = [copy.deepcopy(samples[n % len(samples)]) | {"id": f"task_e_{page}_{n}"} for n in range(SIZE)]
        yield {"items": items, "cursor": f"c{page}" if page < PAGES - 1 else None}


def main():
    """Print the seconds of both, and the rows a second beyond the wire."""
    pages = list(payloads())
    faults = [Fault.reply(200, page, path=f"*{LIST}", method="GET", times=1) for page in pages]
    wire, whole = [], []
    with LocalBackend(Script()) as backend, Session(backend.url, auth=Bearer("made-up")) as session:
        frames.memories(session)  # connections and imports
        for _ in range(ROUNDS):
            backend.inject(*copy.deepcopy(faults))
            with httpx.Client(headers={"authorization": "Bearer made-up"}) as client:
                client.get(backend.url + "/backend-api/memories")
                began = time.process_time()
                for _ in range(PAGES):
                    client.get(backend.url + LIST, params={"limit": SIZE}).read()
                wire.append(time.process_time() - began)
            backend.inject(*copy.deepcopy(faults))
            began = time.process_time()
            frame = frames.tasks(session, page=SIZE)
            whole.append(time.process_time() - began)
            assert len(frame) == PAGES * SIZE
    rows = PAGES * SIZE
    beyond = min(whole) - min(wire)
    print(f"CPU: wire {min(wire):.3f} s, frame {min(whole):.3f} s, beyond the wire {rows / beyond:,.0f} rows/s")


if __name__ == "__main__":
    main()
