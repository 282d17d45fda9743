"""Peers: clients that others wrote, run against the embedded backend.

Two versions of one package do not fit into one environment, so a peer has its own, in a folder of its name beside this
file. To add one: a folder with a ``pyproject.toml`` that names what it needs, and a script that takes the backend's
address, does its scenes and ends with `tests.peers.scenes.play`. ``uv sync --project tests/peers/NAME`` makes the
environment; without it the tests are skipped, and ``CODEX_NB_REQUIRE=peers`` makes that an error.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.requirements_gate import require

HERE = Path(__file__).parent


def python_of(peer):
    """Return the Python of a peer's environment: the project's own for None."""
    if peer is None:
        return Path(sys.executable)
    folder = HERE / peer / ".venv"
    found = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    require("peers", None if found.exists() else f"no environment of {peer}: uv sync --project tests/peers/{peer}")
    return found


def run_peer(peer, script, *arguments, **environment):
    """Run a script beside this file in a peer's environment; return the JSON that it prints last.

    Its scenes come as ``{"name": {"saw": …}}``, or with ``{"raised": traceback}``.
    """
    command = [python_of(peer), "-P", HERE / script, *arguments]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HERE), **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
