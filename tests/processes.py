"""Processes of the tests that begin in a moment: forked by one that has imported what they need, once for all."""

import multiprocessing
import os
from typing import Any, NamedTuple

__all__ = ["Program", "start"]

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
# Where there is no fork they begin from nothing, and import for themselves.
_CONTEXT = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
if _FORKS:
    _CONTEXT.set_forkserver_preload(
        ["codex_nb.client.session", "codex_nb.frames", "ipykernel.ipkernel", "ipykernel.kernelapp", "tests.conftest"]
    )


class Program(NamedTuple):
    """A process, and the end of a pipe to it."""

    process: Any
    pipe: Any

    def kill(self):
        """Kill it wherever it is; return what it had said and nobody had read."""
        self.process.kill()
        return self.rest()

    def rest(self):
        """Wait for its end; return what it had said and nobody had read."""
        said = []
        try:
            while True:
                said.append(self.pipe.recv())
        except EOFError:
            self.process.join()
            self.pipe.close()
        return said


def start(work, *arguments, environment=None):
    """Start ``work(pipe, *arguments)``, a function of a module, with this process's environment or another one."""
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(
        target=_begin, args=({**(environment or os.environ)}, work, there, arguments), daemon=True
    )
    process.start()
    there.close()
    return Program(process, here)


def _begin(environment, work, pipe, arguments):
    os.environ.clear()
    os.environ.update(environment)
    work(pipe, *arguments)
