"""The conversations of a notebook as a table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from codex_nb.columns import FLAG, NUMBER, TEXT, TIME, Column, ordered, table

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.chat.chat import Turn
    from codex_nb.chat.store import Chats

__all__ = ["chats_table"]

STATUSES = ("completed", "incomplete", "interrupted", "failed")


class _Row(NamedTuple):
    chat: str
    number: int | None
    turn: Turn


COLUMNS: list[Column[_Row]] = [
    Column("chat", TEXT),
    Column("turn", NUMBER, "number"),
    Column("prompt", TEXT, lambda row: row.turn.prompt.strip()),
    Column("status", ordered(STATUSES), "turn.status"),
    Column("model", TEXT, "turn.model"),
    Column("stale", FLAG, "turn.stale"),
    Column("at", TIME, lambda row: _seconds(row.turn.at)),
]


def chats_table(chats: Chats) -> pd.DataFrame:
    """Return every turn, one row each, in the order in which they were asked.

    Columns: ``chat`` (text), ``turn`` (Int64: its number on the present line, as ``--at`` counts; missing on a line
    that was left), ``prompt`` (text), ``status`` (ordered category), ``model`` (text), ``stale`` (boolean: an earlier
    turn was asked anew since), ``at`` (datetime64[us, UTC]).
    """
    rows: list[_Row] = []
    for chat in chats:
        numbers = {turn.id: number for number, turn in enumerate(chat.line(), 1)}
        rows += [_Row(chat.name, numbers.get(turn.id), turn) for turn in chat.turns]
    return table(COLUMNS, rows, source=str(chats.path or "this kernel"))


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
