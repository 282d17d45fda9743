"""Each version of ipykernel, in an environment of its own, passes the same tests of the notebook.

``uv sync --project tests/kernels/NAME`` makes an environment; without it the version is skipped, and
``CODEX_NB_REQUIRE=kernels`` makes that an error.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.requirements_gate import require

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# What depends on how a kernel queues, interrupts, asks for input and files outputs.
CHOSEN = [
    "test_kernel.py::test_the_saved_output_is_the_answer_and_its_receipt",
    "test_kernel.py::test_interrupt_keeps_the_partial_answer_and_closes_the_connection",
    "test_kernel.py::test_run_all_stops_at_a_failing_cell",
    "test_kernel.py::test_queued_cells_all_run",
    "test_tools.py::test_three_tools_in_parallel_and_no_queued_cell_is_lost",
    "test_tools.py::test_calls_are_approved_at_the_prompt",
    "test_tools.py::test_without_anybody_to_ask_the_answer_is_no",
    "test_around.py::test_thoughts_stand_above_the_answer_in_an_output_of_their_own",
    "test_around.py::test_capture_and_replay_keep_the_last_state",
    "test_around.py::test_an_output_widget_takes_all_of_it",
    "test_live.py",
    "test_options.py",
]


@pytest.mark.parametrize("version", ["6.31", "7.3", "7.4"])
def test_the_notebook_works_on(version):
    """Outputs, the stop, queued cells, tools on the kernel's loop, approval, captured outputs."""
    folder = HERE / f"ipykernel_{version.replace('.', '_')}"
    python = folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    require("kernels", None if python.exists() else f"no environment: uv sync --project {folder.relative_to(ROOT)}")
    told = [python, "-c", "import ipykernel; print(ipykernel.__version__)"]
    assert subprocess.run(told, capture_output=True, text=True, check=True).stdout.startswith(f"{version}.")
    tests = [f"tests/notebook/{each}" for each in CHOSEN]
    # Nothing of the environment that runs this one.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "VIRTUAL_ENV"))}
    clean["CODEX_NB_KERNEL"] = version
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *tests],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]
    assert " skipped" not in done.stdout.splitlines()[-1]
