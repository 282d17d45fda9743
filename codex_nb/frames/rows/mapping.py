"""``frame.codex.map``: a question for each row, and one row of typed columns for each answer."""

from __future__ import annotations

import uuid
import warnings
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypedDict

from codex_nb.chat.ask import Ask
from codex_nb.client.default import session as shared_session
from codex_nb.errors import CodexError, InvalidOption
from codex_nb.frames.kept import Kept
from codex_nb.frames.rows.answers import AnswerForm
from codex_nb.frames.rows.outcome import DONE, FAILED, WAITING
from codex_nb.frames.rows.pace import Limits, Pace
from codex_nb.frames.rows.prompt import row_texts
from codex_nb.frames.rows.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.frames.rows.pace import Until

__all__ = ["CONCURRENCY", "How", "Keep", "checked", "chosen", "map_rows", "prepared", "retry_rows"]

Keep: TypeAlias = bool | str | Path | Kept

CONCURRENCY: Final = 4
# More rows in one request are answered worse, and one that fails costs more.
MOST_ROWS: Final = 100
RESERVED: Final = ("_status", "_error", "_usage")
# Runs whose failures can be asked again.
REMEMBERED: Final = 16


class How(TypedDict):
    """How a run goes."""

    batch: int
    concurrency: int
    progress: bool


_runs: OrderedDict[str, tuple[Run, How]] = OrderedDict()


def map_rows(run: Run, limits: Limits, how: How) -> pd.DataFrame:
    """Ask for the rows of a run that wait; see `CodexAccessor.map`."""
    return _gone(run, (WAITING,), Pace(limits), how)


def prepared(frame: pd.DataFrame, prompt: str, schema: Any, keep: Keep, session: Session | None, **options: Any) -> Run:
    """Return the run, of which nothing is asked yet; ``options`` are those of a question."""
    texts = row_texts(prompt, frame)
    asked: dict[str, Any] = Ask.of("-", **options).request()
    fields = {name: value for name, value in asked.items() if name not in {"input", "text_format"}}
    form = AnswerForm(schema, RESERVED)
    return Run(session or shared_session(), texts, frame.index, form, fields, chosen(keep))


def checked(batch: int, concurrency: int, *, progress: bool = False) -> How:
    """Return how a run goes, if these are what they must be."""
    if not 1 <= batch <= MOST_ROWS:
        raise InvalidOption(f"batch is {batch!r}.", hint=f"It is 1 to {MOST_ROWS} rows a request.")
    if concurrency < 1:
        raise InvalidOption("concurrency must be at least 1.", hint=f"Leave it out for {CONCURRENCY}.")
    return How(batch=batch, concurrency=concurrency, progress=progress)


def chosen(keep: Keep) -> Kept:
    """Return where answers are kept."""
    if isinstance(keep, Kept):
        return keep
    if isinstance(keep, bool):
        return Kept.shared() if keep else Kept(None)
    return Kept(keep)


def retry_rows(frame: pd.DataFrame, *, waiting: bool, max_quota: float | None, until: Until | None) -> pd.DataFrame:
    """Ask again for the rows of a result that failed; see `CodexAccessor.retry`."""
    known = _runs.get(str(frame.attrs.get("codex_nb", {}).get("run")))
    if known is None:
        raise InvalidOption(
            "This frame is no result of map in this kernel, so its questions are not known.",
            hint="Call map again, with the same prompt: answers that were kept are not asked for again.",
        )
    run, how = known
    if not frame.index.equals(run.index):
        raise InvalidOption(
            "Rows of the result were taken out or moved.", hint="Call retry() on the result as map returned it."
        )
    return _gone(run, (FAILED, WAITING) if waiting else (FAILED,), Pace(Limits.of(max_quota, until)), how)


def _gone(run: Run, statuses: Collection[str], pace: Pace, how: How) -> pd.DataFrame:
    run.go(statuses, pace, **how)
    if run.cause and not run.count(DONE):
        _raise_unless_waiting_helps(run.cause)
    if run.stopped:
        left = f"{run.count(WAITING)} rows wait" + (f", {run.count(FAILED)} failed" if run.count(FAILED) else "")
        warnings.warn(
            f"{run.stopped} {run.count(DONE)} of {len(run.outcomes)} rows are done, {left}. Call map again to go on"
            f"{': what is done is not asked for again' if run.kept else ', or retry(waiting=True)'}.",
            stacklevel=4,
        )
    made = run.frame()
    made.attrs["codex_nb"]["run"] = _remembered(run, how)
    return made


def _raise_unless_waiting_helps(cause: CodexError) -> None:
    from codex_nb.errors import BudgetReached, UsageLimitReached

    if not isinstance(cause, UsageLimitReached | BudgetReached):
        raise cause


def _remembered(run: Run, how: How) -> str:
    name = uuid.uuid4().hex
    _runs[name] = run, how
    while len(_runs) > REMEMBERED:
        _runs.popitem(last=False)
    return name
