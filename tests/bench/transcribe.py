"""How long 200 recordings take at concurrency 16 against a service that takes 200 ms for each.

Run by hand: ``uv run tests/bench/transcribe.py``. The service is a process of its own. The ideal is 200 / 16 of its
times; at most 1.15 of that is the goal.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.bench.upstream import upstream
from tests.client.test_transcriptions import sound

FILES, CONCURRENCY, SECONDS, RUNS = 200, 16, 0.2, 3


def main():
    """Print each run."""
    ideal = FILES * SECONDS / CONCURRENCY
    with upstream(SECONDS) as url, tempfile.TemporaryDirectory() as folder:
        import codex_nb

        paths = [Path(folder, f"{number}.wav") for number in range(FILES)]
        for path in paths:
            path.write_bytes(sound(2, 16_000))
        best = float("inf")
        for _ in range(RUNS):
            with codex_nb.Session(url, auth=codex_nb.Bearer("made-up")) as session:
                began = time.perf_counter()
                frame = codex_nb.transcribe(paths, session=session, concurrency=CONCURRENCY)
                took = time.perf_counter() - began
            assert list(frame["text"]) == ["ok"] * FILES
            best = min(best, took)
            part = f"{took / ideal:.3f} of the ideal {ideal:.2f} s"
            print(f"{FILES} recordings, {CONCURRENCY} at once: {took:.2f} s, {part}")
    sys.exit(best > 1.15 * ideal)


if __name__ == "__main__":
    main()
