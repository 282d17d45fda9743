"""What a task changed: one row a file, to look at and to save."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from codex_nb.client.default import session_of
from codex_nb.columns import FLAG, NUMBER, TEXT, Column, ordered, table
from codex_nb.errors import InvalidOption
from codex_nb.frames.attempts_view import AttemptsView, Tried
from codex_nb.frames.diff_view import DiffView
from codex_nb.frames.needed import check_columns
from codex_nb.frames.patch import FileChange, changes
from codex_nb.frames.tasks import all_turns, attempt_number

if TYPE_CHECKING:
    from codex_nb.client.session import Session
    from codex_nb.types.turns import TaskTurn

__all__ = ["Diffs", "diffs"]

CHANGES = ("added", "modified", "renamed", "copied", "deleted")


class Diffs(pd.DataFrame):
    """A frame of changed files. What is selected from it by rows can be saved and shown as well."""

    @property
    def _constructor(self) -> Any:
        return Diffs

    @property
    def patch(self) -> str:
        """The change as one unified diff, to the letter as it came.

        Raises:
            InvalidOption: the rows are of several attempts, of which one is to be chosen, or lack a column.

        """
        check_columns(self, ("turn", "attempt", "diff"))
        kept = self[["turn", "attempt"]].drop_duplicates()
        if len(kept) > 1:
            numbers = ", ".join(str(number) for number in kept["attempt"])
            raise InvalidOption(
                f"These are the changes of {len(kept)} attempts or turns ({numbers}).",
                hint="Choose one: d[d.attempt == 1], or diffs(id, attempts=False).",
            )
        return "".join(self["diff"])

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the change to ``path``, for ``git apply``, and return the path.

        Raises:
            InvalidOption: there is nothing to save, rows of several attempts, or a file of that name already.
            OSError: it cannot be written.

        """
        patch, target = self.patch, Path(path).expanduser()
        if not patch:
            raise InvalidOption("There is no change to save.", hint="The task has none, or no row was selected.")
        try:
            # Bytes: a change of line ends is a change.
            with target.open("wb" if overwrite else "xb") as file:
                file.write(patch.encode())
        except FileExistsError as error:
            raise InvalidOption(f"{target} is there already.", hint="Pass overwrite=True to replace it.") from error
        return target

    def side_by_side(self) -> DiffView:
        """Return what shows the files before and after, beside each other.

        Raises:
            InvalidOption: the rows lack a column.

        """
        check_columns(self, ("path", "attempt", "diff"))
        return DiffView([(row.path, row.attempt, row.diff) for row in self.itertuples()])

    def compare_attempts(self) -> AttemptsView:
        """Return what shows the attempts beside each other: a column for each, a row for each file.

        Raises:
            InvalidOption: the rows are of several turns, which are no attempts at the same thing, or lack a column.

        """
        check_columns(self, ("path", "attempt", "turn", "added", "removed", "diff"))
        rows: Any = self.itertuples()
        tried = [
            Tried(str(row.path), None if pd.isna(row.attempt) else int(row.attempt), row.added, row.removed, row.diff)
            for row in rows
        ]
        if len(kept := self[["turn", "attempt"]].drop_duplicates()) > kept["attempt"].nunique(dropna=False):
            raise InvalidOption(
                "These are the changes of several turns.",
                hint="Compare the attempts at one: diffs(id).compare_attempts().",
            )
        return AttemptsView(tried)


class _Row(NamedTuple):
    turn: TaskTurn
    change: FileChange


ROWS: list[Column[_Row]] = [
    Column("path", TEXT, "change.path"),
    Column("change", ordered(CHANGES), "change.change"),
    Column("added", NUMBER, "change.added"),
    Column("removed", NUMBER, "change.removed"),
    Column("binary", FLAG, "change.binary"),
    Column("attempt", NUMBER, lambda row: attempt_number(row.turn)),
    Column("turn", TEXT, "turn.id"),
    Column("old_path", TEXT, "change.old_path"),
    Column("diff", TEXT, "change.text"),
]


def diffs(task_id: str, session: Session | None = None, *, attempts: bool = True, latest: bool = True) -> Diffs:
    """Return what a task changed, one row a file and attempt; nothing is written to this machine.

    ``attempts=False`` leaves out all but the attempt that the task shows; ``latest=False`` adds earlier turns.

    Columns: ``path`` (text), ``change`` (ordered category), ``added``, ``removed`` (Int64, lines), ``binary``
    (boolean), ``attempt`` (Int64, from 1), ``turn``, ``old_path`` (before a renaming), ``diff`` (text, of this file).
    ``d[d.attempt == 1].save("change.patch")`` saves one attempt, ``d.side_by_side()`` shows it,
    ``d.compare_attempts()`` shows all attempts beside each other.

    Raises:
        InvalidOption: ``task_id`` is no id; nothing was sent.
        NotFoundError: there is no such task.

    """
    found = [turn for turn in all_turns(session_of(session), task_id, attempts=attempts) if turn.diff]
    if latest and found:
        found = [turn for turn in found if turn.previous_turn_id == found[-1].previous_turn_id]
    rows = [_Row(turn, change) for turn in found for change in changes(turn.diff or "")]
    frame = table(ROWS, rows, source=f"wham/tasks/{task_id}/turns")
    made = Diffs(frame)
    made.attrs = frame.attrs
    return made
