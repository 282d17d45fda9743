"""`Kept`: what was computed once, by a key that says what it was computed from, in an SQLite file of the user's.

Keys are digests (see `key_of`), so what was asked is not in the file in clear; the results are. The file is its user's
alone (0600). ``CODEX_NB_KEPT`` is ``off``, a file or a folder; without it the file is in the user's data folder. It may
be deleted at any time: everything is then asked for once more.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from codex_nb.databases import ForeignDatabase, check_owner, number, transaction
from codex_nb.notices import warn
from codex_nb.settings import chosen_file

__all__ = ["Kept", "key_of"]

NAME: Final = "kept.sqlite3"
APPLICATION: Final = 0x63646E6B  # marks the file as ours
VERSION: Final = 1
# How long a transaction waits for that of another process.
BUSY_SECONDS: Final = 30.0
# Of one statement, and of one transaction: what a killed process loses, and others wait for.
MOST_KEYS: Final = 500
MOST_BYTES: Final = 8 << 20
# An embedding of 1536 numbers fits in one page.
PAGE_SIZE: Final = 8192
BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

T = TypeVar("T")


def key_of(*parts: Any) -> bytes:
    """Return the key of what is made from ``parts``, which are what JSON can say: 32 bytes, the same on any machine."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).digest()


class Kept:
    """What is kept at ``path``; with None nothing is kept, and nothing found.

    Several threads and processes may use one file; what `put_many` has returned from is there after a kill. Nothing is
    raised for the sake of the file: one that is broken is put aside (renamed) and begun anew, one that is another
    program's is left alone, and what cannot be read or written is done without. A warning says so, once.
    """

    _shared: Final[dict[Path | None, Kept]] = {}
    _sharing: Final = threading.Lock()
    _db: sqlite3.Connection | None = None  # also of one that could not be made

    def __init__(self, path: Path | str | None) -> None:
        self.path = Path(path).expanduser() if path is not None else None
        self._begin_anew()
        _all.add(self)

    @classmethod
    def shared(cls) -> Kept:
        """Return the one that the environment chooses (``CODEX_NB_KEPT``)."""
        path = chosen_file("CODEX_NB_KEPT", NAME)
        with cls._sharing:
            if path not in cls._shared:
                cls._shared[path] = cls(path)
            return cls._shared[path]

    def __repr__(self) -> str:
        return f"<Kept {self.path or 'off (CODEX_NB_KEPT)'}>"

    def __reduce__(self) -> tuple[type[Self], tuple[Path | None]]:
        return type(self), (self.path,)

    def __len__(self) -> int:
        """How many results are kept."""
        return self._safely(_count, 0)

    def __bool__(self) -> bool:
        """Whether anything is kept at all: an empty one is a `Kept` too."""
        return self.path is not None

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the results of those ``keys`` that have one."""
        found: dict[bytes, bytes] = {}
        for batch in _batches(dict.fromkeys(keys), MOST_KEYS):
            found |= self._safely(partial(_read, batch), {})
        return found

    def put_many(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep results, each by its key; one that is there already is replaced. Written in parts of some megabytes."""
        for batch in _of_size(pairs):
            self._safely(partial(_write, batch), None)

    def forget(self, keys: Iterable[bytes]) -> None:
        """Let go of the results of ``keys``."""
        for batch in _batches(keys, MOST_KEYS):
            self._safely(partial(_delete, batch), None)

    def clear(self) -> None:
        """Let go of everything, and give the space back."""
        self._safely(_empty, None)

    def close(self) -> None:
        """Close the file; it is opened again when it is used."""
        with self._lock:
            self._close()

    def __del__(self) -> None:
        self._close()

    def _begin_anew(self) -> None:
        self._lock = threading.RLock()
        self._db = None
        self._inode = 0
        self._said = False

    def _close(self) -> None:
        db, self._db = self._db, None
        if db:
            db.close()

    def _safely(self, use: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Return what ``use`` makes of the open file, ``otherwise`` where that cannot be."""
        if self.path is None:
            return otherwise
        with self._lock:
            try:
                try:
                    return use(self._opened(self.path))
                except sqlite3.DatabaseError as error:
                    if not _is_broken(error):
                        raise
                    self._put_aside(self.path, error)
                    return use(self._opened(self.path))
            except (sqlite3.Error, OSError, ForeignDatabase, OverflowError) as error:
                self._say(f"{self.path} cannot be used ({error}): results are not kept.")
                return otherwise

    def _opened(self, path: Path) -> sqlite3.Connection:
        if self._db and (not path.exists() or path.stat().st_ino != self._inode):  # deleted, or moved away
            self._close()
        if self._db is None:
            self._db = _open(path)
            self._inode = path.stat().st_ino
        return self._db

    def _put_aside(self, path: Path, error: Exception) -> None:
        """Rename the file and what SQLite has beside it; only one process does, the others find the new one."""
        from filelock import FileLock

        self._close()
        with FileLock(f"{path}.lock", timeout=BUSY_SECONDS, mode=0o600):
            if not _broken_still(path):
                return
            aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
            for end in ("", "-wal", "-shm"):  # the old log must not be taken for the new file's
                with suppress(FileNotFoundError):
                    path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
        self._say(f"{path} was broken ({error}). It is now {aside.name}, and a new one is begun.")

    def _say(self, what: str) -> None:
        if not self._said:
            self._said = True
            warn(f"{what} CODEX_NB_KEPT=off turns keeping off, CODEX_NB_KEPT=PATH moves it.")

    def after_fork(self) -> None:
        """Begin anew in a child process: what was open before a fork may not even be closed there."""
        if self._db:
            _inherited.append(self._db)
        self._begin_anew()


_all: weakref.WeakSet[Kept] = weakref.WeakSet()
_inherited: list[sqlite3.Connection] = []


def _after_fork() -> None:
    for each in list(_all):
        each.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its side files the permissions of the file itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    check_owner(db, APPLICATION, VERSION)
    db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    if number(db, "user_version") == VERSION:
        return
    with transaction(db):
        check_owner(db, APPLICATION, VERSION)
        db.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB NOT NULL)")
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {VERSION}")


def _count(db: sqlite3.Connection) -> int:
    return db.execute("SELECT count(*) FROM kept").fetchone()[0]


def _read(keys: list[bytes], db: sqlite3.Connection) -> dict[bytes, bytes]:
    return dict(db.execute(f"SELECT key, value FROM kept WHERE key IN ({', '.join('?' * len(keys))})", keys))  # noqa: S608


def _write(pairs: list[tuple[bytes, bytes]], db: sqlite3.Connection) -> None:
    with transaction(db):
        db.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", pairs)


def _delete(keys: list[bytes], db: sqlite3.Connection) -> None:
    db.execute(f"DELETE FROM kept WHERE key IN ({', '.join('?' * len(keys))})", keys)  # noqa: S608


def _empty(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM kept")
    db.execute("VACUUM")


def _is_broken(error: sqlite3.Error) -> bool:
    # An extended code has the plain one in its last byte.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in BROKEN


def _broken_still(path: Path) -> bool:
    """Whether the file is broken, and was not begun anew meanwhile by another process."""
    try:
        db = _open(path)
    except sqlite3.DatabaseError as error:
        return _is_broken(error)
    try:
        return db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
    except sqlite3.DatabaseError as error:
        return _is_broken(error)
    finally:
        db.close()


def _batches(things: Iterable[T], most: int) -> Iterator[list[T]]:
    rest = iter(things)
    while batch := [*islice(rest, most)]:
        yield batch


def _of_size(pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
    batch: list[tuple[bytes, bytes]] = []
    size = 0
    for pair in pairs:
        batch.append(pair)
        size += len(pair[1])
        if len(batch) >= MOST_KEYS or size >= MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
