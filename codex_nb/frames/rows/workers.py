"""What the workers of one Dask computation share: how many questions are under way, a pause, and the end.

On a cluster that is a semaphore and a variable of its scheduler; in one process, an object of that process.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from codex_nb.client.budget import Meter
from codex_nb.frames.rows.pace import Limits, Pace

if TYPE_CHECKING:
    from codex_nb.client.session import Session
    from codex_nb.errors import CodexError

__all__ = ["pace_of", "worker_session"]

# Seconds for which a worker takes the word of the others as the latest.
FRESH: Final = 0.5
REMEMBERED: Final = 8
_lock = threading.Lock()
_sessions: dict[Any, Session] = {}
_paces: OrderedDict[str, SharedPace] = OrderedDict()


def worker_session(backend: Any) -> Session:
    """Return this process's session on ``backend``, with the login that it finds here."""
    from codex_nb.client.session import Session

    with _lock:
        if backend not in _sessions:
            _sessions[backend] = Session(backend)
        return _sessions[backend]


def pace_of(run: str, limits: Limits, most: int, session: Session) -> SharedPace:
    """Return what this process shares with the others that work on ``run``."""
    with _lock:
        if run not in _paces:
            _paces[run] = SharedPace(run, limits, most, session)
            while len(_paces) > REMEMBERED:
                _paces.popitem(last=False)[1].close()
        return _paces[run]


class SharedPace(Pace):
    """A `Pace` of several processes. Quota is counted from the first question of this process on."""

    def __init__(self, run: str, limits: Limits, most: int, session: Session) -> None:
        super().__init__(limits)
        self.meter = Meter(session)
        self.meter.__enter__()
        self.spent = lambda: self.meter.spent if self.meter else 0.0
        self._word: Any = None
        self._asked_at = 0.0
        self._leases: AbstractContextManager[Any] = threading.BoundedSemaphore(most)
        if _on_a_cluster():
            distributed: Any = import_module("distributed")
            self._leases = distributed.Semaphore(max_leases=most, name=f"codex-nb-{run}")
            self._word = distributed.Variable(f"codex-nb-{run}")
            with distributed.Lock(f"codex-nb-{run}-first"):
                try:
                    self._word.get(timeout=0.1)
                except TimeoutError:  # the first worker
                    self._tell()

    def lease(self) -> AbstractContextManager[Any]:
        """Return what is held while a question is under way: there are as many as questions at once."""
        return self._leases

    def turn(self) -> None:
        """Wait until the next question may go out, by the word of any worker."""
        self._listen()
        super().turn()

    def hold(self, seconds: float | None) -> None:
        """Let no worker ask for so many seconds."""
        super().hold(seconds)
        self._tell()

    def stop(self, reason: str, cause: CodexError | None = None) -> None:
        """Let no worker ask any more."""
        super().stop(reason, cause)
        self._tell()

    def close(self) -> None:
        """Count no more."""
        if self.meter:
            self.meter.__exit__(None, None, None)

    def _tell(self) -> None:
        if self._word:
            self._word.set({"held_until": self.held_until, "stopped": self.stopped})

    def _listen(self) -> None:
        if self._word is None or time.monotonic() - self._asked_at < FRESH:
            return
        self._asked_at = time.monotonic()
        said: dict[str, Any] = self._word.get()
        self.held_until = max(self.held_until, said["held_until"])
        self.stopped = self.stopped or said["stopped"]


def _on_a_cluster() -> bool:
    try:
        import_module("distributed").get_worker()
    except (ImportError, ValueError):
        return False
    return True
