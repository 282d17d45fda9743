"""When each window of the quota will be used up at the pace so far, and what will be used when it begins anew."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import pandas as pd

from codex_nb.columns import DURATION, FLAG, PERCENT, TEXT, TIME, Column, table
from codex_nb.durations import span
from codex_nb.frames.history import usage_history
from codex_nb.frames.needed import check_columns
from codex_nb.frames.pace import Pace, pace_of
from codex_nb.moments import epoch

if TYPE_CHECKING:
    from codex_nb.client.session import Session
    from codex_nb.moments import Moment

__all__ = ["forecast"]

# No one waits longer; what is beyond is as good as never.
FAR: Final = 366 * 86_400.0
# As many observations of a window are kept for its plot.
SHOWN: Final = 400
USED: Final = ("time", "limit", "window", "used", "resets_at", "length", "period", "stale", "account")


@dataclass(frozen=True, slots=True)
class _Window:
    limit: str
    name: str | None
    length: float | None
    resets_at: float | None
    now: float
    times: Sequence[float]
    used: Sequence[float]
    pace: Pace | None

    @property
    def began(self) -> float | None:
        """When the period began: its end less its length."""
        return None if self.resets_at is None or self.length is None else self.resets_at - self.length

    def limit_in(self, which: int) -> float | None:
        """Return in how many whole seconds all is used: expected (0), at the earliest (1), at the latest (2)."""
        when = self.pace.limit_at()[which] if self.pace else math.inf
        return None if when - self.now > FAR else float(round(max(0.0, when - self.now)))

    @property
    def resets_in(self) -> float | None:
        """In how many seconds the window begins anew, None where it is not told."""
        return None if self.resets_at is None else float(round(max(0.0, self.resets_at - self.now)))

    def at_reset(self, which: int) -> float | None:
        """Return the percent used at the reset, in the same three ways; more than 100 cannot be used."""
        if self.pace is None or self.resets_at is None:
            return None
        return min(100.0, self.pace.used_at(max(self.now, self.resets_at))[which])

    @property
    def reaches(self) -> bool | None:
        """Whether the limit comes before the reset, as is to be expected."""
        at = self.at_reset(0)
        return None if at is None else at >= 100.0


FORECAST: list[Column[_Window]] = [
    Column("limit", TEXT),
    Column("window", TEXT, "name"),
    Column("used", PERCENT, lambda row: row.used[-1]),
    Column("per_hour", PERCENT, "pace.rate"),
    Column("limit_in", DURATION, lambda row: row.limit_in(0)),
    Column("limit_in_low", DURATION, lambda row: row.limit_in(1)),
    Column("limit_in_high", DURATION, lambda row: row.limit_in(2)),
    Column("resets_in", DURATION),
    Column("resets_at", TIME),
    Column("at_reset", PERCENT, lambda row: row.at_reset(0)),
    Column("at_reset_low", PERCENT, lambda row: row.at_reset(1)),
    Column("at_reset_high", PERCENT, lambda row: row.at_reset(2)),
    Column("reaches", FLAG),
    Column("length", DURATION),
    Column("observed", TIME, lambda row: row.times[-1]),
]


def forecast(
    session: Session | None = None, *, history: pd.DataFrame | None = None, now: Moment | None = None
) -> pd.DataFrame:
    """Return when each window of the quota will be used up if it goes on as it did since its last reset.

    ``history`` is a frame of `usage_history`, by default that of this session's backend. A period that is over at
    ``now`` (a datetime, local time where no zone is said, or epoch seconds) says nothing of the next one: such a window
    is left out. The interval is meant to hold nine times in ten; it is wide after few observations and after bursts.
    ``.codex.plot()`` draws it.

    Columns: ``limit``, ``window`` (text), ``used`` (float64, percent), ``per_hour`` (float64, percent an hour),
    ``limit_in`` and its interval ``limit_in_low``, ``limit_in_high`` (timedelta64[us]; missing is not within a year),
    ``resets_in`` (timedelta64[us]), ``resets_at`` (datetime64[us, UTC]), ``at_reset``, ``at_reset_low``,
    ``at_reset_high`` (float64, percent used at the reset, 100 at most), ``reaches`` (boolean: whether the limit is to
    be expected before the reset), ``length`` (timedelta64[us]), ``observed`` (datetime64[us, UTC], the latest word).

    Raises:
        InvalidOption: ``now`` is no time, or ``history`` no such frame.
        CodexError: the ledger or the index of the rollouts cannot be read.

    """
    moment = time.time() if now is None else epoch(now, "now")
    seen = cast("Any", _of_session(session) if history is None else history)
    check_columns(seen, USED, hint="history is what frames.usage_history() returns.")
    windows = _windows(seen[~seen["stale"].fillna(value=False)], moment)
    frame = table(FORECAST, windows, source="forecast")
    frame.attrs["codex_nb"] |= {"now": moment, "windows": [_drawn(window) for window in windows]}
    return frame


def _of_session(session: Session | None) -> pd.DataFrame:
    from codex_nb.client.default import session_of

    opened = session_of(session)
    # No period that goes on began earlier.
    seen = usage_history(opened, since=pd.Timedelta(days=70).to_pytimedelta())
    return seen[seen["backend"] == opened.backend.name.rpartition("://")[2].partition("/")[0]]


def _windows(seen: Any, now: float) -> list[_Window]:
    found: list[_Window] = []
    for _, rows in seen.groupby(["limit", seen["length"].dt.total_seconds() // 600], dropna=False, sort=False):
        window = _window(rows.sort_values("time", kind="stable"), now)
        if window:
            found.append(window)
    return sorted(found, key=lambda window: (window.limit != "codex", window.limit, window.length or 0.0))


def _window(rows: Any, now: float) -> _Window | None:
    rows = rows[rows["time"].map(pd.Timestamp.timestamp) <= now]
    if rows.empty:
        return None
    # Of several accounts the one that was seen last.
    account = rows["account"].iloc[-1]
    rows = rows[rows["account"].isna() | (rows["account"] == account)] if isinstance(account, str) else rows
    parts = [_series(part) for _, part in rows.groupby("period", sort=True)]
    last = rows[rows["period"] == rows["period"].iloc[-1]]
    ends, lengths = last["resets_at"].dropna(), last["length"].dropna()
    resets_at = ends.iloc[-1].timestamp() if len(ends) else None
    length = lengths.iloc[-1].total_seconds() if len(lengths) else None
    if resets_at is not None and resets_at <= now:
        return None
    times, used = parts[-1]
    began = None if resets_at is None or length is None else resets_at - length
    earlier = sorted(pace.spread for part in parts[:-1] if len(part[0]) > 4 and (pace := pace_of(*part, None)))
    pace = pace_of(times, used, began, earlier[len(earlier) // 2] if earlier else 0.0)
    limit, name = last["limit"].iloc[0], last["window"].iloc[-1]
    title = name if isinstance(name, str) else None
    return _Window(str(limit), title, length, resets_at, now, times, used, pace)


def _series(part: Any) -> tuple[list[float], list[float]]:
    # A file may hold what is no percent.
    return [when.timestamp() for when in part["time"]], part["used"].clip(0.0, 100.0).cummax().tolist()


def _drawn(window: _Window) -> dict[str, Any]:
    """Return what a plot of the window shows, as plain values: observations, even pace and fan."""
    step = max(1, len(window.times) // SHOWN)
    points = list(zip(window.times, window.used, strict=True))
    kept = [*points[:-1:step], points[-1]]
    return {
        "title": " · ".join(part for part in (window.limit, window.name) if part),
        "label": _label(window),
        "observed": [[when, used] for when, used in kept],
        "even": [[window.began, 0.0], [window.resets_at, 100.0]] if window.began is not None else [],
        "fan": _fan(window),
    }


def _fan(window: _Window) -> list[list[float]]:
    if window.pace is None:
        return []
    begin = window.pace.at
    end = window.resets_at if window.resets_at is not None else min(window.pace.limit_at()[0], begin + 86_400.0)
    whens = [begin + (end - begin) * part / 40 for part in range(41)]
    return [[when, *(min(100.0, value) for value in window.pace.used_at(when))] for when in whens]


def _label(window: _Window) -> str:
    limit, resets = window.limit_in(0), window.resets_in
    said = [
        "limit reached" if window.used[-1] >= 100 else "" if limit is None else f"limit in {span(limit)}",
        "" if resets is None else f"resets in {span(resets)}",
    ]
    return ", ".join(filter(None, said))
