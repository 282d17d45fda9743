"""100 000 short texts as a frame of vectors, and search among 200 000, beside openai-python and bare loops, in one run.

Run by hand: ``uv run --group bench tests/bench/embedding_frames.py [rounds]``. The server is that of `embeddings.py`: a
process of its own that sends prebuilt replies of 1536 numbers, 50 ms after it was asked. Each client works in a process
of its own, which takes turns with the others; the best round counts, the median is shown beside it. Peak memory is the
growth of the resident set after imports and one small request (Linux); the matrix itself is 614 MB of it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from embeddings import AT_ONCE, COUNT, MANY, SIZE, bare_httpx, openai_python, resident, start

ROWS, K, SEARCHES = 200_000, 10, 9
TEXTS = [f"text {number}" for number in range(MANY)]


def frame(url):
    """Return what embeds into a frame."""
    from codex_nb import Bearer, Session, frames

    session = Session(url, auth=Bearer("made-up"))
    return lambda texts: frames.embeddings(texts, session)["embedding"].array.matrix


def loop(embed, at_once=1):
    """Return what embeds in batches by a client, one after the other or several at once."""

    def embed_all(texts):
        batches = [texts[at : at + COUNT] for at in range(0, len(texts), COUNT)]
        with ThreadPoolExecutor(at_once) as pool:
            return np.concatenate(list(pool.map(embed, batches)))

    return embed_all


WAYS = {
    "bare httpx, a loop": lambda url: loop(bare_httpx(f"{url}/slow")),
    "bare httpx, 8 threads": lambda url: loop(bare_httpx(f"{url}/slow"), AT_ONCE),
    "openai-python, a loop": lambda url: loop(openai_python(f"{url}/slow")),
    "openai-python, 8 threads": lambda url: loop(openai_python(f"{url}/slow"), AT_ONCE),
    "frame, nothing kept": lambda url: frame(f"{url}/slow"),
    "frame, kept on disk": lambda url: frame(f"{url}/slow"),
    "frame, all from disk": lambda url: frame(f"{url}/slow"),
}


def one(name, url):
    """Print seconds and memory of one way; run in a process of its own."""
    embed = WAYS[name](url)
    embed(["text 0"])
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    began = time.perf_counter()
    assert embed(TEXTS).shape == (MANY, SIZE)
    print(json.dumps([time.perf_counter() - began, resident("VmHWM") - before]))


def times(url, rounds):
    """Print what each way takes."""
    found = {name: [] for name in WAYS}
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name in WAYS:
                kept = "off" if "disk" not in name else str(Path(folder) / f"kept{number}.sqlite3")
                settings = os.environ | {"CODEX_NB_KEPT": kept, "CODEX_NB_LEDGER": str(Path(folder) / "ledger")}
                command = [sys.executable, __file__, "one", name, url]
                done = subprocess.run(command, capture_output=True, text=True, check=True, env=settings)
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
    print(f"{MANY:,} texts, {SIZE} numbers each, {rounds} rounds, {os.cpu_count()} cores\n")
    print(f"{'':26}{'best':>10}{'median':>10}{'peak MB':>9}")
    for name, rows in found.items():
        seconds, peaks = zip(*rows, strict=True)
        print(f"{name:26}{min(seconds):8.2f} s{statistics.median(seconds):8.2f} s{min(peaks) / 1e6:9.0f}")


def search():
    """Print what a search takes, beside numpy on vectors that are of length 1 already."""
    import pandas as pd

    from codex_nb.frames.vectors.column import VectorArray

    rng = np.random.default_rng(0)
    matrix = np.empty((ROWS, SIZE), np.float32)
    for at in range(0, ROWS, 10_000):
        matrix[at : at + 10_000] = rng.standard_normal((10_000, SIZE), np.float32)
        matrix[at : at + 10_000] /= np.linalg.norm(matrix[at : at + 10_000], axis=1, keepdims=True)
    rows = pd.DataFrame({"number": np.arange(ROWS), "vector": VectorArray(matrix)}, copy=False)
    queries = rng.standard_normal((SEARCHES + 1, SIZE), np.float32)

    def bare(query):
        scores = matrix @ (query / np.linalg.norm(query))
        best = np.argpartition(scores, -K)[-K:]
        return best[np.argsort(-scores[best])]

    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    spent = {"search": [], "numpy": []}
    for query in queries:
        for name, find in (("search", lambda q: rows.codex.search(q, k=K)["row"].to_numpy()), ("numpy", bare)):
            began = time.perf_counter()
            found = find(query)
            spent[name].append((time.perf_counter() - began) * 1e3)
            if name == "search":
                first = found
        assert list(first) == list(found)
    print(f"\n{ROWS:,} rows of {SIZE} numbers ({matrix.nbytes / 1e6:.0f} MB), the {K} best\n")
    print(f"first search (measures lengths)  {spent['search'][0]:7.0f} ms")
    for name in spent:
        print(f"{name:26}{min(spent[name][1:]):10.0f} ms{statistics.median(spent[name][1:]):9.0f} ms")
    print(f"peak memory beyond the frame {(resident('VmHWM') - before) / 1e6:9.0f} MB")


def main():
    """Measure and print."""
    server, url = start(SIZE)
    times(url, int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    server.terminate()
    search()


if __name__ == "__main__":
    one(*sys.argv[2:]) if sys.argv[1:2] == ["one"] else main()
