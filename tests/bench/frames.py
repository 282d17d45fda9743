"""10 000 tasks over 100 pages into a frame, beside the bare wire and two other ways: what reading and building cost.

The wire is the same pages as bytes, by httpx alone: what is said below goes beyond it, JSON included. The other ways
are what people write without this package: `pandas.json_normalize` of the same pages, read by httpx or by
codex-backend-sdk, which is no typed table yet. Beside them stands what the same bytes take without any request: JSON,
validation, table. CPU seconds of this process, the best of several rounds; the local backend is another one. The load
of the machine is said, as two threads of one core slow each other down.

Run by hand: ``uv run --group bench tests/bench/frames.py``.
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
import pandas as pd
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
        backend.inject(*(copy.deepcopy(fault) for _ in range(4 * ROUNDS) for fault in faults))
        pipe.send(backend.url)
        pipe.recv()


def bare(url):
    """Return what reads the pages by httpx alone."""
    client = httpx.Client(headers={"authorization": "Bearer made-up"})
    return lambda: [client.get(url + LIST, params={"limit": SIZE}).content for _ in range(PAGES)]


def normalized(url):
    """Return what makes a frame of the pages by httpx and pandas."""
    read = bare(url)
    return lambda: pd.json_normalize([item for page in read() for item in json.loads(page)["items"]])


def codex_backend_sdk(url):
    """Return what makes a frame of the pages by codex-backend-sdk and pandas."""
    import codex_backend_sdk._client as sdk

    sdk.WHAM_BASE_URL = f"{url}/backend-api"
    client = sdk.OpenAI()
    client._store = sdk.TokenStore(
        access_token="made-up", refresh_token="made-up", id_token_raw="made-up", account_id="a"
    )
    tasks = client.codex.tasks
    return lambda: pd.json_normalize([item for _ in range(PAGES) for item in tasks.list(limit=SIZE)["items"]])


def framed(url):
    """Return what makes the frame."""
    session = Session(url, auth=Bearer("made-up"))
    return lambda: frames.tasks(session, page=SIZE)


def built():
    """Return what makes the frame of pages that are there already."""
    pages = [json.dumps(page).encode() for page in payloads()]

    def rows():
        for page in pages:
            yield from TaskPage.model_validate(pydantic_core.from_json(page)).items

    return lambda: table(TASKS, rows(), source="bench")


WAYS = {
    "wire": bare,
    "httpx + json_normalize": normalized,
    "codex-backend-sdk 0.3.3 + json_normalize": codex_backend_sdk,
    "codex_nb": framed,
}


def seconds(way):
    """Return the CPU seconds of one round."""
    began = time.process_time()
    rows = len(way())
    took = time.process_time() - began
    assert rows in {PAGES, PAGES * SIZE}
    return took


def main():
    """Print the seconds of each way, and the rows a second beyond the wire."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    server.start()
    url = here.recv()
    ways = {name: way(url) for name, way in WAYS.items()} | {"codex_nb, without the requests": built()}
    with Session(url, auth=Bearer("made-up")) as session:
        frames.memories(session)  # imports
    # In turns, so that a slow minute of the machine hits all of them.
    rounds = [{name: seconds(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    here.send(None)
    server.join()
    best = {name: min(one[name] for one in rounds) for name in ways}
    print(f"CPU of {PAGES * SIZE:,} rows in {PAGES} pages, best of {ROUNDS} rounds; load {os.getloadavg()[0]:.1f}")
    for name, took in best.items():
        beyond = took - (0 if "without" in name else best["wire"])
        print(f"{name:42} {took:.3f} s" + (f"  {PAGES * SIZE / beyond:9,.0f} rows/s beyond the wire" if beyond else ""))


if __name__ == "__main__":
    main()
