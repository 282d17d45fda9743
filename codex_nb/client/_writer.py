"""The thread that writes the ledger: a call hands its entry over in microseconds, and no event loop waits for a disk.

An entry is written a moment after it came, with those that came meanwhile, so a killed process loses at most its last
instant, and many calls one after the other share a transaction. What waits is written when the process ends. A file
that cannot be written is said once, in the log, and does nothing to the calls: while it is only locked or full the
newest entries are kept and tried again.
"""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
import sys
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from codex_nb.client._ledger_file import Entry, LedgerFile
from codex_nb.databases import ForeignDatabase

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Writer", "unfinished"]

log = logging.getLogger("codex_nb.ledger")

KEPT: Final = 10_000
BATCH: Final = 500
# How long an entry waits for others, as long as nobody waits for it.
MOMENT_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 0.5
# The same when the process ends: processes that begin one file at once are in each other's way for an instant.
LAST_SECONDS, LAST_RETRY_SECONDS = 1.5, 0.25
# How long the end of the process, or a reader, waits for the thread.
PATIENCE: Final = 3.0
PASSING: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL})


class _Stop:
    """Ends the thread."""


class Unfinished(Protocol):
    """A call under way."""

    def left(self) -> None:
        """Hand over what is known of it: the process ends."""

    def drop(self) -> None:
        """Forget it: this process is a copy, and the call is the other's."""


Item: TypeAlias = Entry | threading.Event | _Stop
_all: weakref.WeakSet[Writer] = weakref.WeakSet()
unfinished: weakref.WeakSet[Unfinished] = weakref.WeakSet()


class Writer:
    """Writes entries to the file at ``path``. ``trouble`` says why it does not, None while it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: str | None = None
        self._off = self._said = False
        self._file: LedgerFile | None = None
        self._starting = threading.Lock()
        self._begin_anew()
        _all.add(self)

    def _begin_anew(self) -> None:
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._waiting: deque[Entry] = deque(maxlen=KEPT)
        self._thread: threading.Thread | None = None
        self._using_file = threading.Lock()
        self._awaited = threading.Event()

    def start(self) -> None:
        """Start the thread, if it does not run."""
        if self._off or (self._thread and self._thread.is_alive()):
            return
        with self._starting:
            if not (self._thread and self._thread.is_alive()):
                thread = threading.Thread(target=self._work, name="codex_nb ledger", daemon=True)
                with suppress(RuntimeError):  # the process ends, and starts no thread any more
                    thread.start()
                    self._thread = thread
                    _end_with_worker(self)

    def put(self, entry: Entry) -> None:
        """Take an entry over. Safe anywhere, in a destructor too."""
        if not self._off:
            self._queue.put(entry)

    def flush(self, seconds: float = PATIENCE) -> None:
        """Wait until what was handed over is written, or cannot be, but no longer than ``seconds``."""
        if not self._thread and self._queue.empty():
            return
        self.start()
        done = threading.Event()
        self._queue.put(done)
        self._awaited.set()
        if self._thread:
            done.wait(seconds)

    def close(self) -> None:
        """Write what is left, close the file and end the thread. A later entry starts it again."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread and thread.is_alive():
            self._queue.put(_Stop())
            self._awaited.set()
            thread.join(PATIENCE)

    def _work(self) -> None:
        stopping = False
        while not stopping:
            marks: list[threading.Event] = []
            for item in self._taken():
                match item:
                    case Entry():
                        self._waiting.append(item)
                    case threading.Event():
                        marks.append(item)
                    case _:
                        stopping = True
            with self._using_file:
                self._write()
            for mark in marks:
                mark.set()
        self._finish()

    def _finish(self) -> None:
        """Try again what could not be written yet, for a while: nobody does after this thread."""
        until = time.monotonic() + LAST_SECONDS
        while self._waiting and time.monotonic() < until:
            time.sleep(LAST_RETRY_SECONDS)
            with self._using_file:
                self._write()
        with self._using_file:
            if self._file:
                self._file.close()
                self._file = None

    def _taken(self) -> list[Item]:
        """Wait for the next item, and take what else comes in a moment, or is there already if it is waited for."""
        items: list[Item] = []
        with suppress(Empty):
            items.append(self._queue.get(timeout=RETRY_SECONDS if self._waiting else None))
            self._awaited.wait(MOMENT_SECONDS)
            self._awaited.clear()
            while len(items) < BATCH:
                items.append(self._queue.get_nowait())
        return items

    def _write(self) -> None:
        if self._off or not self._waiting:
            self._waiting.clear()
            return
        try:
            if self._file and not self._file.in_place:
                self._file.close()
                self._file = None
            self._file = self._file or LedgerFile(self.path)
            self._file.write(self._waiting)
        except (sqlite3.Error, ForeignDatabase, OSError, OverflowError) as error:
            self._fail(error)
        else:
            self._waiting.clear()
            self.trouble = None

    def _fail(self, error: Exception) -> None:
        # An extended code has the plain one in its last byte.
        passing = getattr(error, "sqlite_errorcode", 0) & 0xFF in PASSING
        again, self.trouble = self.trouble is not None, f"{error}"
        self._off = not passing
        if self._off:
            self._waiting.clear()
        # Many processes that begin one file at once get over it.
        if not self._said and (again or self._off):
            self._said = True
            log.warning(
                "The ledger %s cannot be written (%s). Calls go on without it; CODEX_NB_LEDGER=off turns it off, "
                "CODEX_NB_LEDGER=PATH puts it elsewhere.",
                self.path,
                error,
            )

    def before_fork(self) -> None:
        """Keep the file out of a transaction while the process is copied."""
        self._held = self._using_file.acquire(timeout=PATIENCE)

    def after_fork(self, *, child: bool) -> None:
        """Go on in the parent; begin anew in the child, where the thread is gone and the file is not to be touched."""
        if self._held:
            self._using_file.release()
        if child:
            if self._file:
                _inherited.append(self._file)
            self._file, self._starting = None, threading.Lock()
            self._begin_anew()


# SQLite forbids even closing what was open before a fork.
_inherited: list[LedgerFile] = []


def _end_with_worker(writer: Writer) -> None:
    """In a worker of multiprocessing, which leaves without the usual end of a process, write what is left."""
    process = sys.modules.get("multiprocessing.process")
    if process and process.parent_process():
        from multiprocessing.util import Finalize

        Finalize(None, writer.close, exitpriority=100)


def _before_fork() -> None:
    for writer in list(_all):
        writer.before_fork()


def _after_fork(*, child: bool) -> None:
    for writer in list(_all):
        writer.after_fork(child=child)
    while child and unfinished:
        unfinished.pop().drop()


@atexit.register
def _end() -> None:
    with suppress(KeyError):
        while True:
            unfinished.pop().left()
    for writer in list(_all):
        writer.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(child=False),
        after_in_child=lambda: _after_fork(child=True),
    )
