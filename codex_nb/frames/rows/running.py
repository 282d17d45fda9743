"""Runs over the rows of a frame: begun, ended with a warning where they stop early, and remembered for `retry`."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from codex_nb.client.side_by_side import check_concurrency
from codex_nb.errors import BudgetReached, CodexError, InvalidOption, UsageLimitReached
from codex_nb.frames.kept import Kept
from codex_nb.frames.rows.outcome import DONE, FAILED, WAITING, Outcome
from codex_nb.frames.rows.pace import Limits, Pace
from codex_nb.notices import warn

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.frames.rows.pace import Until

__all__ = ["CONCURRENCY", "How", "Keep", "Rows", "chosen", "ended", "retried"]

Keep: TypeAlias = bool | str | Path | Kept

CONCURRENCY: Final = 4
# Runs whose failures can be asked again.
REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class How:
    """How a run goes: how many requests at once, and whether a bar is shown."""

    concurrency: int = CONCURRENCY
    progress: bool = True

    def __post_init__(self) -> None:
        check_concurrency(self.concurrency, CONCURRENCY)


class Rows(ABC):
    """The rows of one frame and what came of them so far; rows that are alike have one key.

    ``stopped`` says why the last `go` ended early, None where it did not; ``cause`` is the error that it ended with,
    if it did. ``found`` is how many rows it took from what is kept.
    """

    def __init__(self, outcomes: list[Outcome], keys: Sequence[bytes | None], index: pd.Index[Any], kept: Kept) -> None:
        self.outcomes, self.index, self.kept = outcomes, index, kept
        self.rows: dict[bytes, list[int]] = {}
        for row, key in enumerate(keys):
            if key is not None:
                self.rows.setdefault(key, []).append(row)
        self.stopped: str | None = None
        self.cause: CodexError | None = None
        self.found = 0

    @abstractmethod
    def go(self, statuses: Collection[str], pace: Pace, how: How) -> None:
        """Work on the rows that have one of ``statuses``."""

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return what came of the rows."""

    @abstractmethod
    def recall(self, key: bytes, content: bytes) -> bool:
        """Take what was kept; return whether it still serves."""

    def left(self, statuses: Collection[str]) -> list[bytes]:
        """Return the keys of the rows that have one of ``statuses`` and of which nothing is kept."""
        wanted = [key for key in self.rows if self.status(key) in statuses]
        known = {key for key, content in self.kept.get_many(wanted).items() if self.recall(key, content)}
        self.found = sum(len(self.rows[key]) for key in known)
        return [key for key in wanted if key not in known]

    def put(self, key: bytes, outcome: Outcome) -> None:
        """Let all rows of a key have its outcome; what was used counts once."""
        first, *others = self.rows[key]
        self.outcomes[first] = outcome
        shared = None if outcome.tokens is None else 0
        for row in others:
            self.outcomes[row] = Outcome(outcome.status, outcome.values, outcome.error, shared)

    def say_why(self, keys: Iterable[bytes]) -> None:
        """Say of the rows that still wait why they do."""
        for key in keys:
            if self.status(key) == WAITING:
                self.put(key, Outcome(WAITING, error=self.stopped))

    def status(self, key: bytes) -> str:
        """Return how the rows of a key stand."""
        return self.outcomes[self.rows[key][0]].status

    def count(self, status: str) -> int:
        """Return how many rows have this status."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def counts(self) -> dict[str, Any]:
        """Return what the frame's ``attrs`` say of the run."""
        counted = {status: self.count(status) for status in (DONE, FAILED, WAITING)}
        return counted | {"kept": self.found, "stopped": self.stopped}


_remembered: OrderedDict[str, tuple[Rows, How]] = OrderedDict()


def chosen(keep: Keep) -> Kept:
    """Return where answers are kept."""
    if isinstance(keep, Kept):
        return keep
    if isinstance(keep, bool):
        return Kept.shared() if keep else Kept(None)
    return Kept(keep)


def ended(rows: Rows, limits: Limits, how: How, statuses: Collection[str] = (WAITING,)) -> pd.DataFrame:
    """Let a run go, and return its frame. One that stops early says so; one that never got anywhere raises why."""
    rows.go(statuses, Pace(limits), how)
    if rows.cause and not rows.count(DONE) and not isinstance(rows.cause, UsageLimitReached | BudgetReached):
        raise rows.cause
    made = rows.frame()
    made.attrs["codex_nb"]["run"] = name = uuid.uuid4().hex
    _remembered[name] = rows, how
    while len(_remembered) > REMEMBERED:
        _remembered.popitem(last=False)
    if rows.stopped:
        _warn(rows, made)
    return made


def _warn(rows: Rows, made: pd.DataFrame) -> None:
    failed = f", {rows.count(FAILED)} failed" if rows.count(FAILED) else ""
    try:
        warn(
            f"{rows.stopped} {rows.count(DONE)} of {len(rows.outcomes)} rows are done{failed}, {rows.count(WAITING)} "
            f"rows wait. {'Call it' if rows.kept else 'Call .codex.retry(waiting=True) on the result'} again to go on; "
            "what is done is not asked for again.",
        )
    except UserWarning as error:  # where warnings are errors: what is done is not lost by one
        vars(error)["partial"] = made
        error.add_note("The result is this error's .partial.")
        raise


def retried(frame: pd.DataFrame, *, waiting: bool, max_quota: float | None, until: Until | None) -> pd.DataFrame:
    """Work again on the rows of a result that failed; see `FrameRows.retry`."""
    known = _remembered.get(str(frame.attrs.get("codex_nb", {}).get("run")))
    if known is None:
        raise InvalidOption(
            "This frame is no result of map or transcribe in this kernel, so its questions are not known.",
            hint="Make the same call again: answers that were kept are not asked for again.",
        )
    rows, how = known
    if not frame.index.equals(rows.index):
        raise InvalidOption("Rows of the result were taken out or moved.", hint="Call retry() on the whole result.")
    return ended(rows, Limits.of(max_quota, until), how, (FAILED, WAITING) if waiting else (FAILED,))
