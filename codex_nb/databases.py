"""Our own SQLite files: each has a mark, so that no other program's data is touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["ForeignDatabase", "check_owner", "number", "transaction"]


class ForeignDatabase(Exception):
    """The file is another program's, or that of a newer version."""


def check_owner(db: sqlite3.Connection, mark: int, newest: int | None = None) -> None:
    """Refuse a file that is not ours; one without anything is free to take.

    ``mark`` is what our file has as its ``application_id``, ``newest`` the latest ``user_version`` that is understood,
    None if any is.

    Raises:
        ForeignDatabase: it has tables or a mark of another program's, or is of a newer version.
        sqlite3.Error: it cannot be read.

    """
    tables = db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    owner = number(db, "application_id")  # after the tables, with which another process may write it just now
    if owner != mark and (owner or tables):
        raise ForeignDatabase("it is another program's database")
    if newest is not None and number(db, "user_version") > newest and owner == mark:
        raise ForeignDatabase("a newer version of codex_nb made it")


def number(db: sqlite3.Connection, pragma: str) -> int:
    """Return the value of a ``pragma`` that is a number."""
    return db.execute(f"PRAGMA {pragma}").fetchone()[0]


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """Do all of a block or nothing. The lock is taken at once, so that it cannot fail in its middle for want of one."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
