"""The lock that programs take before they write a login file: ``auth.lock`` beside it, as the Codex CLI does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from codex_nb.auth.writing import cannot_write

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import FileLock

__all__ = ["LoginLock"]


class LoginLock:
    """The lock of one login file, for one use. Threads, tasks and processes exclude each other.

    Taking it never waits, so that whoever waits does it without holding a thread. A file that is a link is locked
    where the link is, which is where the Codex CLI looks, and where the file is, which others may link to as well.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = list(dict.fromkeys(folder / "auth.lock" for folder in (path.parent, path.resolve().parent)))
        self._held: list[FileLock] = []
        self._over = False
        self._guard = threading.Lock()

    def try_take(self) -> bool:
        """Take the lock if nobody holds it. Once it was released it is not taken again.

        Raises:
            AuthenticationError: the lock's file cannot be made, so the login cannot be written either.

        """
        from filelock import FileLock, Timeout

        with self._guard:
            if self._over:  # a task was cancelled while a thread was on its way here
                return False
            try:
                for file in self._files:
                    self._held.append(FileLock(file, mode=0o644, thread_local=False))
                    self._held[-1].acquire(timeout=0)
            except Timeout:
                self._let_go()
                return False
            except OSError as error:
                self._let_go()
                raise cannot_write(self._path, error) from error
            return True

    def release(self) -> None:
        """Let others have it. Does nothing when it is not held."""
        with self._guard:
            self._over = True
            self._let_go()

    def _let_go(self) -> None:
        while self._held:
            self._held.pop().release(force=True)
