"""The index of the Codex CLI's rollout files: what was read stays read, in an SQLite file that may be deleted.

It holds counts, times, models, folders and limits, and no word of a conversation.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from codex_nb.databases import number, transaction
from codex_nb.frames.rollout_files import Found, find, lines, opened
from codex_nb.frames.rollouts import Event, Limit, Reader, interesting
from codex_nb.settings import cache_folder

__all__ = ["index_of"]

VERSION: Final = 1
# Another program may be making the same index for the first time.
BUSY_SECONDS: Final = 120.0
# So much is read between two commits: what a killed kernel has to read again.
BATCH: Final = 256 << 20
HEAD: Final = 4096
# Lines that are copied into a fork come at once; no answer comes that soon.
AT_ONCE: Final = 200_000

TABLES: Final = f"""
CREATE TABLE files (name TEXT PRIMARY KEY, path TEXT, archived INTEGER, size INTEGER, changed INTEGER, head BLOB,
  offset INTEGER, reader TEXT, id TEXT, parent TEXT, inherited INTEGER DEFAULT 0);
CREATE INDEX files_id ON files (id);
CREATE TABLE events (name TEXT, {", ".join(Event._fields)}, twin INTEGER DEFAULT 0,
  PRIMARY KEY (name, n)) WITHOUT ROWID;
CREATE INDEX events_at ON events (at, sum);
CREATE TABLE limits (name TEXT, "{'", "'.join(Limit._fields)}");
CREATE INDEX limits_name ON limits (name);
PRAGMA user_version = {VERSION};
"""


def index_of(home: Path) -> sqlite3.Connection:
    """Bring the index of a Codex home up to date, and return it open for reading; the caller closes it."""
    folder = cache_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    path = folder / f"rollouts-{key}.sqlite3"
    try:
        return _updated(path, home)
    except sqlite3.OperationalError:  # locked, or the disk is full: no fault of the file
        raise
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)
        return _updated(path, home)


def _updated(path: Path, home: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if number(db, "user_version") != VERSION:
            _create(db)
        _update(db, find(home))
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    with transaction(db):
        if number(db, "user_version") == VERSION:  # another process was faster
            return
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            db.execute(f"DROP TABLE {table}")
        for statement in filter(str.strip, TABLES.split(";")):
            db.execute(statement)


def _update(db: sqlite3.Connection, found: list[Found]) -> None:
    known = {row[0]: row[1:] for row in db.execute("SELECT name, path, size, changed FROM files")}
    fresh = [one for one in found if known.get(one.name) != (str(one.path), one.size, one.changed)]
    gone = known.keys() - {one.name for one in found}
    if not fresh and not gone:
        return
    db.execute("BEGIN IMMEDIATE")
    for name in gone:
        _forget(db, name)
    read = 0
    for one in fresh:
        read += _read(db, one)
        if read > BATCH:
            read = 0
            db.execute("COMMIT")
            db.execute("BEGIN IMMEDIATE")
    _settle(db, [one.name for one in fresh])
    db.execute("COMMIT")


def _forget(db: sqlite3.Connection, name: str) -> None:
    for table in ("files", "events", "limits"):
        db.execute(f"DELETE FROM {table} WHERE name = ?", [name])  # noqa: S608 - one of the three


def _read(db: sqlite3.Connection, found: Found) -> int:
    """Read what is new in a file; return how many bytes that was."""
    try:
        with closing(opened(found)) as file:
            head = file.read(HEAD)
            start, reader = _where(db, found, head)
            file.seek(start)
            end, events, limits = _rows(file, start, reader)
    except OSError:  # moved away, or not to be read
        return 0
    marks = ", ".join("?" * (len(Event._fields) + 1))
    db.executemany(f"INSERT INTO events VALUES ({marks}, 0)", [(found.name, *event) for event in events])  # noqa: S608
    marks = ", ".join("?" * (len(Limit._fields) + 1))
    db.executemany(f"INSERT INTO limits VALUES ({marks})", [(found.name, *limit) for limit in limits])  # noqa: S608
    db.execute(
        "INSERT OR REPLACE INTO files (name, path, archived, size, changed, head, offset, reader, id, parent)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(found.name, str(found.path), found.archived, found.size, found.changed, _digest(head, end)),
            *(end, json.dumps(reader.as_dict()), reader.id, reader.parent),
        ],
    )
    if reader.first:
        db.execute(
            "UPDATE events SET model = ?, effort = ?, cwd = ? WHERE name = ? AND turn = 0", [*reader.first, found.name]
        )
    return end - start


def _rows(file: Any, start: int, reader: Reader) -> tuple[int, list[Event], list[Limit]]:
    events: list[Event] = []
    limits: list[Limit] = []
    end = start
    for behind, line in lines(file, start):
        end = behind
        if line and interesting(line):
            event, told = reader.read(line)
            limits += told
            if event:
                events.append(event)
    return end, events, limits


def _where(db: sqlite3.Connection, found: Found, head: bytes) -> tuple[int, Reader]:
    """Return where reading goes on; from the start, if this is not the file that was read before."""
    row = db.execute("SELECT offset, head, reader FROM files WHERE name = ?", [found.name]).fetchone()
    if row and row[0] and row[1] == _digest(head, row[0]) and not found.packed and found.size >= row[0]:
        return row[0], Reader(**json.loads(row[2]))
    _forget(db, found.name)
    return 0, Reader()


def _digest(head: bytes, end: int) -> bytes:
    return hashlib.sha256(head[: min(HEAD, end)]).digest()


def _settle(db: sqlite3.Connection, names: Iterable[str]) -> None:
    """Find the calls that are told twice: in forks, which may begin with a copy, and in copies of files."""
    changed = set(names)
    forks = db.execute("SELECT name, parent, reader, id FROM files WHERE parent IS NOT NULL").fetchall()
    ids = dict(db.execute("SELECT id, name FROM files"))
    for name, parent, reader, _ in forks:
        if name in changed or ids.get(parent) in changed:
            copied = _copied(db, name, ids.get(parent), json.loads(reader))
            db.execute("UPDATE files SET inherited = ? WHERE name = ?", [copied, name])
    for name in changed:
        db.execute(
            "UPDATE events SET twin = 1 WHERE name = ? AND sum >= 0 AND EXISTS (SELECT 1 FROM events AS other WHERE"
            " other.at = events.at AND other.sum = events.sum AND other.input = events.input"
            " AND other.output = events.output AND other.name < events.name)",
            [name],
        )


def _copied(db: sqlite3.Connection, name: str, parent: str | None, reader: dict[str, Any]) -> int:
    """Return how many of a fork's calls are its parent's."""
    query = "SELECT sum, input, cached, output, reasoning FROM events WHERE name = ? ORDER BY n"
    if parent is not None:
        own, inherited = db.execute(query, [name]).fetchall(), db.execute(query, [parent]).fetchall()
        same = 0
        while same < min(len(own), len(inherited)) and own[same] == inherited[same]:
            same += 1
        return same
    # Its parent is gone. What is copied is older than the fork, or was written in the same moment.
    born = max(reader["started"] or 0, (reader["first_line"] or 0) + AT_ONCE)
    older = "SELECT coalesce(max(n) + 1, 0) FROM events WHERE name = ? AND at < ?"
    return db.execute(older, [name, born]).fetchone()[0]
