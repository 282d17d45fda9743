"""`Ledger`: what each call used, in an SQLite file of the user's. No prompt, no answer, no name of a file is in it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from codex_nb.client._ledger_file import CallRow, QuotaRow, account_key, readable
from codex_nb.client._writer import Writer
from codex_nb.databases import ForeignDatabase
from codex_nb.errors import CodexError
from codex_nb.moments import epoch
from codex_nb.settings import chosen_file

if TYPE_CHECKING:
    from codex_nb.client._ledger_file import Entry
    from codex_nb.moments import Moment

__all__ = ["CallRow", "Ledger", "QuotaRow", "chosen_path"]

NAME: Final = "ledger.sqlite3"
PAGE: Final = 2_000
NEWEST: Final = 2**63 - 1

R = TypeVar("R", CallRow, QuotaRow)


def chosen_path() -> Path | None:
    """Return where the ledger is, None for nowhere.

    ``CODEX_NB_LEDGER`` is ``off``, a file or a folder; without it the ledger is in the user's data folder.
    """
    return chosen_file("CODEX_NB_LEDGER", NAME)


class Ledger:
    """The ledger at ``path``; with None it keeps nothing, and reads as empty.

    Several threads and processes may write to one file. Writing never raises and never waits; see ``trouble``.
    Reading is in pages, so that a file of millions of rows costs no more memory than one page.
    """

    _shared: Final[dict[Path | None, Ledger]] = {}
    _sharing: Final = threading.Lock()

    def __init__(self, path: Path | str | None) -> None:
        self.path = Path(path) if path is not None else None
        self._writer = Writer(self.path) if self.path else None

    @classmethod
    def shared(cls) -> Ledger:
        """Return the ledger that the environment chooses; sessions of one process share it."""
        path = chosen_path()
        with cls._sharing:
            if path not in cls._shared:
                cls._shared[path] = cls(path)
            return cls._shared[path]

    def __repr__(self) -> str:
        return f"<Ledger {self}>"

    def __str__(self) -> str:
        if self.path is None:
            return "off (CODEX_NB_LEDGER)"
        return f"{self.path}{f' (not written: {self.trouble})' if self.trouble else ''}"

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._writer is not None

    @property
    def trouble(self) -> str | None:
        """Why the file is not written at present; None while all is well."""
        return self._writer.trouble if self._writer else None

    def begin(self) -> None:
        """Get ready for an entry."""
        if self._writer:
            self._writer.start()

    def add(self, entry: Entry) -> None:
        """Take an entry over; it is written in a moment, on a thread of its own."""
        if self._writer:
            self._writer.put(entry)

    def flush(self, seconds: float = 3.0) -> None:
        """Wait until what was added is in the file, but no longer than ``seconds``."""
        if self._writer:
            self._writer.flush(seconds)

    def close(self) -> None:
        """Write what is left and close the file; a later entry opens it again."""
        if self._writer:
            self._writer.close()

    def calls(self, since: Moment | None = None, limit: int | None = None) -> Iterator[CallRow]:
        """Give the calls, the latest beginning first: those that began at ``since`` or later, at most ``limit``.

        ``since`` is a date or a datetime (a naive one is local time), pandas' and numpy's too, or epoch seconds.

        Raises:
            InvalidOption: ``since`` is no time.
            CodexError: the file cannot be read, or is no ledger.

        """
        return self._rows(CallRow, "calls", since, limit)

    def quota_history(self, since: Moment | None = None, limit: int | None = None) -> Iterator[QuotaRow]:
        """Give what was said of the quota, the latest first: a row a window and time; arguments as for `calls`.

        Raises:
            CodexError: the file cannot be read, or is no ledger.

        """
        return self._rows(QuotaRow, "quota", since, limit)

    def account_key(self, account_id: str) -> str | None:
        """Return what stands for this account in ``account`` of the rows; None while there is no ledger."""
        for db, _ in self._opened():
            salt: bytes = db.execute("SELECT value FROM about WHERE name = 'salt'").fetchone()[0]
            return account_key(salt, account_id)
        return None

    def _rows(self, kind: type[R], table: str, since: Moment | None, limit: int | None) -> Iterator[R]:
        first = -NEWEST if since is None else round(epoch(since) * 1e6)
        for db, columns in self._opened():
            # The names are those of the rows' fields.
            query = f"SELECT {columns[table]} FROM {table} WHERE time >= ? AND (time, id) < (?, ?)"  # noqa: S608
            query += " ORDER BY time DESC, id DESC LIMIT ?"
            before, left = (NEWEST, NEWEST), NEWEST if limit is None else limit
            while left > 0:
                # Each page is a transaction of its own: a long one would keep the log from being folded in.
                page = [*map(kind._make, db.execute(query, [first, *before, min(PAGE, left)]))]
                yield from page
                left = left - len(page) if len(page) == PAGE else 0
                before = (page[-1].time, page[-1].id) if page else before

    def _opened(self) -> Iterator[tuple[sqlite3.Connection, dict[str, str]]]:
        """Give the open file once; nothing if there is none."""
        self.flush()
        if self.path is None or not self.path.exists():
            return
        db: Any = None
        try:
            db, columns = readable(self.path)
            yield db, columns
        except (sqlite3.Error, ForeignDatabase) as error:
            raise CodexError(
                f"The ledger {self.path} cannot be read: {error}.",
                hint="Move the file away to begin a new one, or name another in CODEX_NB_LEDGER.",
            ) from error
        finally:
            if db:
                db.close()
