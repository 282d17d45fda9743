"""Cells in a shell of this process."""

from contextlib import contextmanager
from typing import Any, NamedTuple

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from codex_nb.notebook import chats

__all__ = ["WAIT", "Ran", "open_shell", "run"]

# A function for cells of a kernel, whose result comes from the kernel's own loop.
WAIT = """
import asyncio
ready = asyncio.get_running_loop().create_future()
asyncio.get_running_loop().call_later(0.1, ready.set_result, "from the kernel's loop")

async def wait() -> str:
    "Wait for something of the kernel's own loop."
    return await ready
"""


class Ran(NamedTuple):
    """What a cell printed, what it raised, and what its last line gave."""

    printed: str
    error: BaseException | None
    result: Any


def run(shell, cell):
    """Run a cell as a front end does."""
    with capture_output() as captured:
        ran = shell.run_cell(cell, store_history=True)
    return Ran(captured.stdout, ran.error_before_exec or ran.error_in_exec, ran.result)


@contextmanager
def open_shell(setup=""):
    """Give an IPython shell of this process with the extension loaded and ``setup`` run; it has asked nothing yet."""
    shell = InteractiveShell.instance()
    # IPython keeps what cells showed on the class: a shell of another module left its pictures there.
    getattr(shell.history_manager, "outputs", {}).clear()
    shell.run_line_magic("load_ext", "codex_nb")
    try:
        assert shell.run_cell(setup).success
        yield shell
    finally:
        shell.run_line_magic("unload_ext", "codex_nb")
        chats._known.clear()
        InteractiveShell.clear_instance()
