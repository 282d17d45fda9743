"""What came of each row: ``_status``, ``_error``, ``_usage``, beside the columns of the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from codex_nb.columns import NUMBER, TEXT, Column, ordered, table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DONE", "FAILED", "RESERVED", "WAITING", "Outcome", "outcomes_frame"]

DONE: Final = "done"
FAILED: Final = "failed"
WAITING: Final = "waiting"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row. ``values`` are those of the answer's columns, ``tokens`` what this run used for it."""

    status: str = WAITING
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    error: str | None = None
    tokens: int | None = None


STATUS: Final[list[Column[Outcome]]] = [
    Column("_status", ordered([DONE, FAILED, WAITING]), "status"),
    Column("_error", TEXT, "error"),
]
USAGE: Final[Column[Outcome]] = Column("_usage", NUMBER, "tokens")
RESERVED: Final = tuple(column.name for column in (*STATUS, USAGE))


def outcomes_frame(
    columns: Sequence[Column[Mapping[str, Any]]],
    outcomes: Sequence[Outcome],
    index: pd.Index[Any],
    *,
    source: str,
    usage: bool = True,
) -> pd.DataFrame:
    """Return one row an outcome, with the index of the frame that was asked about."""
    of_answers = [Column(column.name, column.cast, _value(column.name)) for column in columns]
    frame = table([*of_answers, *STATUS, *([USAGE] if usage else [])], outcomes, source=source)
    frame.index = index
    return frame


def _value(name: str) -> Callable[[Outcome], Any]:
    return lambda row: row.values.get(name)  # noqa: PD011 - no frame
