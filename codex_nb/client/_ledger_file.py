"""The ledger's file: its rows, its tables, and how it is opened so that no other program's data is touched.

The tables follow the rows' fields: a field that is added here is added to an older file when it is next opened, and a
file of a newer version is read and written in the columns that both know.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, get_args, get_type_hints

from codex_nb.databases import check_owner, number, transaction

__all__ = ["CallRow", "Entry", "LedgerFile", "QuotaRow", "account_key", "readable"]

APPLICATION: Final = 0x63646E62  # marks the file as ours
VERSION: Final = 1
# How long a transaction waits for that of another process.
BUSY_SECONDS: Final = 1.0


class CallRow(NamedTuple):
    """One call: what was asked of which endpoint, and what came of it. None is "not known", never 0.

    ``time`` is when it began, in epoch microseconds (UTC); ``to_headers``, ``to_text`` (the first text of an answer)
    and ``seconds`` (the end) count from there in seconds, waits between attempts included. ``outcome`` is
    ``completed``, ``incomplete``, ``failed`` (said so by the service), ``interrupted`` (left by its reader), or the
    name of the error. ``code`` is the service's word for it. ``endpoint`` is the path with ids as ``{id}``.
    ``account`` tells accounts apart, and is not their id. ``model`` was asked for, ``served_model`` answered;
    ``engine`` is that of the embedded backend. Token counts are those of the service.
    """

    id: int
    time: int
    session: str | None
    backend: str | None
    host: str | None
    account: str | None
    method: str
    endpoint: str
    outcome: str
    status: int | None
    code: str | None
    attempts: int
    model: str | None
    served_model: str | None
    engine: str | None
    effort: str | None
    service_tier: str | None
    response_id: str | None
    request_id: str | None
    to_headers: float | None
    to_text: float | None
    seconds: float
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None


class QuotaRow(NamedTuple):
    """One window of the quota at one time.

    ``time`` is epoch microseconds (UTC), ``call`` the id of the call that brought it, ``source`` where it was said
    (``headers``, ``event``, ``usage``). ``limit_name`` is the family (``codex``), ``slot`` ``primary`` or ``secondary``
    (no statement about its length), ``used`` percent 0-100, ``minutes`` the length, ``resets_at`` epoch seconds.
    """

    id: int
    time: int
    call: int
    account: str | None
    source: str
    limit_name: str
    slot: str
    used: float | None
    minutes: int | None
    resets_at: float | None


@dataclass(slots=True)
class Entry:
    """One call on its way into the file. Where the rows have ``account``, this has the account's id, not yet hashed."""

    call: dict[str, str | float | None]
    account: str | None = field(default=None, repr=False)
    quota: list[dict[str, str | float | None]] = field(default_factory=list[dict[str, "str | float | None"]])


KINDS: Final = {int: "INTEGER", float: "REAL", str: "TEXT"}
ROWS: Final[dict[str, type[CallRow | QuotaRow]]] = {"calls": CallRow, "quota": QuotaRow}


@functools.cache
def _columns(table: str) -> dict[str, str]:
    """Return the columns of a table with their SQL types, from the annotations of its rows."""
    hints = get_type_hints(ROWS[table])
    kinds = {name: KINDS[(*get_args(hint), hint)[0]] for name, hint in hints.items()}
    return kinds | {"id": "INTEGER PRIMARY KEY"}


class LedgerFile:
    """The open file, for writing. Not for several threads at once.

    Raises:
        ForeignDatabase: the file is another program's.
        sqlite3.Error, OSError: it cannot be opened.

    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its side files the permissions of the file itself.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self.path = path
        self._inode = path.stat().st_ino
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._known = self._prepare()
            self._salt: bytes = self._db.execute("SELECT value FROM about WHERE name = 'salt'").fetchone()[0]
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> dict[str, set[str]]:
        """Bring the tables up to date; return the columns of each that can be written."""
        check_owner(self._db, APPLICATION)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        with transaction(self._db):
            check_owner(self._db, APPLICATION)
            if number(self._db, "user_version") < VERSION:
                self._create()
            return {table: set(_columns(table)) & _columns_in(self._db, table) - {"id"} for table in ROWS}

    def _create(self) -> None:
        for table in ROWS:
            columns = _columns(table)
            spelt = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({spelt})")
            for name in columns.keys() - _columns_in(self._db, table):
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
            self._db.execute(f"CREATE INDEX IF NOT EXISTS {table}_time ON {table} (time)")
        self._db.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value)")
        self._db.execute("INSERT OR IGNORE INTO about VALUES ('salt', ?)", [secrets.token_bytes(16)])
        self._db.execute(f"PRAGMA application_id = {APPLICATION}")
        self._db.execute(f"PRAGMA user_version = {VERSION}")

    @property
    def in_place(self) -> bool:
        """Whether the path still leads to this file: it may have been deleted, or moved away."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def write(self, entries: Iterable[Entry]) -> None:
        """Write all entries, or on an error none."""
        with transaction(self._db):
            for entry in entries:
                account = account_key(self._salt, entry.account)
                call = self._insert("calls", entry.call | {"account": account})
                for window in entry.quota:
                    self._insert("quota", window | {"call": call, "account": account})

    def _insert(self, table: str, row: dict[str, str | float | None]) -> int | None:
        row = {name: value for name, value in row.items() if name in self._known[table]}
        marks = ", ".join("?" * len(row))
        # The names are those of the fields above.
        cursor = self._db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))  # noqa: S608
        return cursor.lastrowid

    def close(self) -> None:
        """Close the file; the last process to do so folds the side files in."""
        self._db.close()


def _columns_in(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def account_key(salt: bytes, account: str | None) -> str | None:
    """Return what stands for an account in one file: the same for the same account, and of no use elsewhere."""
    return hashlib.blake2b(account.encode("utf-8", "replace"), key=salt, digest_size=6).hexdigest() if account else None


def readable(path: Path) -> tuple[sqlite3.Connection, dict[str, str]]:
    """Open the file for reading; return it with the list of columns to select from each table.

    A column that the file does not have reads as NULL.

    Raises:
        ForeignDatabase: it is another program's.
        sqlite3.Error: it cannot be opened.

    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        check_owner(db, APPLICATION)
        selections: dict[str, str] = {}
        for table in ROWS:
            there = _columns_in(db, table)
            selections[table] = ", ".join(name if name in there else f"NULL AS {name}" for name in _columns(table))
    except BaseException:
        db.close()
        raise
    return db, selections
