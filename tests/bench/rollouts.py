"""Index 1 GB of rollouts as the Codex CLI writes them: MB/s of the first call, seconds of the second.

Run: python tests/bench/rollouts.py [MEGABYTES]
"""

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from codex_nb import frames
from tests.frames.rollouts import Rollout

SESSIONS_MB = 1
# A call to the model comes with so much of messages, tool calls and their output.
BETWEEN = [700, 1_500, 300, 9_000, 2_500]


def write(home, megabytes):
    """Write sessions of a megabyte each."""
    words = "lorem ipsum dolor sit amet " * 400
    for number in range(megabytes // SESSIONS_MB):
        rollout = Rollout(f"{number:08x}-0000-7000-8000-000000000000", begins=number * 600)
        parts, size, at = [rollout.text], len(rollout.text), number * 600
        while size < SESSIONS_MB << 20:
            rollout.text = ""
            rollout.turn(at + 1, turn_id=str(at))
            for length in BETWEEN:
                rollout.says(at + 1, words[:length])
            rollout.call(at + 2, 1_000, 800, 50, 10, used=float(number % 100)).again(at + 3, used=float(number % 100))
            at += 5
            parts.append(rollout.text)
            size += len(rollout.text)
        rollout.text = "".join(parts)
        rollout.save(home)


def main():
    """Print what was measured."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        os.environ["CODEX_NB_CACHE_FOLDER"] = str(Path(folder) / "cache")
        write(home, megabytes)
        size = sum(path.stat().st_size for path in home.rglob("*.jsonl"))
        for name in ("first", "second"):
            began, work = time.perf_counter(), time.process_time()
            frame = frames.cli_tokens(["day", "model", "project"], home=home)
            seconds, work = time.perf_counter() - began, time.process_time() - work
            rate = f" ({size / 1e6 / seconds:,.0f} MB/s)" if name == "first" else ""
            told = f"{frame['calls'].sum():,} calls of {size / 1e9:.2f} GB"
            print(f"{name} call: {seconds:.2f} s{rate}, of that {work:.2f} s of CPU; {told}")
        began = time.perf_counter()
        frames.cli_sessions(home=home)
        print(f"cli_sessions: {time.perf_counter() - began:.2f} s")
        index = sum(path.stat().st_size for path in (Path(folder) / "cache").iterdir())
        print(f"index: {index / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
