"""Kernels that begin in a moment: forked, like other processes of the tests, by one that has imported much already.

What a kernel imports, and when, is the concern of other tests; here it would be most of their time.
"""

import atexit
import os
import runpy
import signal
import sys
from contextlib import suppress

from tests.processes import start

__all__ = ["launch_kernel"]


def launch_kernel(command, *, env=None, cwd=None, **_pipes):
    """Do as `jupyter_client.launcher.launch_kernel`, and return what it makes of a `subprocess.Popen`."""
    program = start(_run, command, cwd, environment=env)
    assert program.pipe.recv() == "leads a group of its own"  # by which Jupyter stops it
    return _Kernel(program)


class _Kernel:
    """As much of a `subprocess.Popen` as Jupyter needs."""

    stdin = stdout = stderr = None

    def __init__(self, program):
        self._program = program
        self.pid = program.process.pid

    @property
    def returncode(self):
        """The exit status, if it has ended."""
        return self._program.process.exitcode

    def poll(self):
        """Return the exit status, if it has ended."""
        return self.returncode

    def wait(self, timeout=None):
        """Wait for its end."""
        self._program.process.join(timeout)
        return self.returncode

    def send_signal(self, number):
        """Signal the process alone, if it is there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self):
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self):
        """End it."""
        self.send_signal(signal.SIGKILL)


def _run(pipe, command, folder):
    """Be ``python … -m module arguments``."""
    os.setsid()
    pipe.send("leads a group of its own")
    if folder:
        os.chdir(folder)
    import pandas as pd

    pd.set_option("display.max_columns", 20)  # which Pandas chooses by where it is imported: this is a kernel's
    sys.argv = command[command.index("-m") + 1 :]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # a fork leaves them out
