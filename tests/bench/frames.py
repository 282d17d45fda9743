"""10 000 tasks over 100 pages into a frame, beside the bare wire: what reading and building cost a row.

The wire is the same pages as bytes, by httpx alone: what is said below goes beyond it, JSON included. Beside it stands
what the same bytes take without any request: JSON, validation, table. CPU seconds of this process, the best of several
rounds; the local backend is another one. The load of the machine is said, as two threads of one core slow each other
down.

Run: python tests/bench/frames.py
"""

import copy
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["CODEX_NB_LEDGER"] = str(Path(tempfile.mkdtemp()) / "ledger.sqlite3")
sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx
import pydantic_core

from codex_nb import Bearer, Session, frames
from codex_nb.columns import table
from codex_nb.frames.tasks import TASKS
from codex_nb.local import Fault, LocalBackend, Script
from codex_nb.types.tasks import TaskPage

PAGES, SIZE, ROUNDS = 100, 100, 9
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


def serve(pipe):
    """Serve every page in turn, as often as it is asked for, until the other end closes."""
    faults = [Fault.reply(200, page, path=f"*{LIST}", method="GET", times=1) for page in payloads()]
    with LocalBackend(Script()) as backend:
        backend.inject(*(copy.deepcopy(fault) for _ in range(2 * ROUNDS) for fault in faults))
        pipe.send(backend.url)
        pipe.recv()


def bare(url):
    """Read the pages by httpx alone; return the CPU seconds."""
    with httpx.Client(headers={"authorization": "Bearer made-up"}) as client:
        client.get(url + "/backend-api/memories")
        began = time.process_time()
        for _ in range(PAGES):
            assert client.get(url + LIST, params={"limit": SIZE}).content
        return time.process_time() - began


def framed(session):
    """Read the pages into a frame; return the CPU seconds."""
    began = time.process_time()
    frame = frames.tasks(session, page=SIZE)
    seconds = time.process_time() - began
    assert len(frame) == frame["id"].nunique() == PAGES * SIZE
    return seconds


def built(pages):
    """Make a frame of pages that are there already; return the CPU seconds."""
    began = time.process_time()
    rows = (row for page in pages for row in TaskPage.model_validate(pydantic_core.from_json(page)).items)
    frame = table(TASKS, rows, source="bench")
    seconds = time.process_time() - began
    assert len(frame) == PAGES * SIZE
    return seconds


def main():
    """Print the seconds of all three, and the rows a second beyond the wire."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    server.start()
    url = here.recv()
    with Session(url, auth=Bearer("made-up")) as session:
        frames.memories(session)  # connections and imports
        pages = [json.dumps(page).encode() for page in payloads()]
        # In turns, so that a slow minute of the machine hits all of them.
        wire, whole, alone = zip(*((bare(url), framed(session), built(pages)) for _ in range(ROUNDS)), strict=True)
    here.send(None)
    server.join()
    beyond = min(whole) - min(wire)
    print(
        f"CPU of {PAGES * SIZE:,} rows: wire {min(wire):.3f} s, frame {min(whole):.3f} s, "
        f"{min(whole) / min(wire):.1f} times the wire; beyond it {PAGES * SIZE / beyond:,.0f} rows/s; "
        f"without the requests {PAGES * SIZE / min(alone):,.0f} rows/s; "
        f"load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
