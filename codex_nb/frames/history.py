"""What was said of the quota over time: by the service's answers (the ledger) and to the Codex CLI (its rollouts)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from codex_nb.client.default import session_of
from codex_nb.columns import DURATION, FLAG, INSTANT, NUMBER, PERCENT, TEXT, TIME, Column, ordered, table
from codex_nb.durations import window_name
from codex_nb.frames.calls import moment_of
from codex_nb.frames.cli import microseconds, rollouts
from codex_nb.wire.json import as_number

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.frames.calls import Since

__all__ = ["Said", "history_of", "periods", "usage_history"]

SOURCES: Final = ("rollout", "headers", "event", "usage")
# The CLI's names for the service that a session calls chatgpt.
PROVIDERS: Final = frozenset({None, "", "openai"})
# A window's end is told anew with every call, and wanders by so much at most.
WANDERS: Final = 120.0
WANDERS_PART: Final = 0.02
# Percents are whole numbers mostly: less is no fall.
FALL: Final = 1.5


@dataclass(slots=True)
class Said:
    """One window of the quota at one time. ``at`` is epoch microseconds, ``resets_at`` and ``length`` are seconds."""

    at: int
    source: str
    backend: str | None
    account: str | None
    limit: str
    slot: str
    used: float
    length: float | None
    resets_at: float | None
    plan: str | None = None
    period: int = 0
    stale: bool = False

    @property
    def window(self) -> tuple[str | None, str, float | str]:
        """What tells windows apart: the slot says nothing, unless the length is not told."""
        return self.backend, self.limit, round(self.length / 600) if self.length else self.slot


HISTORY: list[Column[Said]] = [
    Column("time", INSTANT, "at"),
    Column("limit", TEXT),
    Column("window", TEXT, lambda said: window_name(said.length)),
    Column("used", PERCENT),
    Column("resets_at", TIME),
    Column("length", DURATION),
    Column("period", NUMBER),
    Column("stale", FLAG),
    Column("source", ordered(SOURCES)),
    Column("backend", TEXT),
    Column("account", TEXT),
    Column("plan", TEXT),
]


def usage_history(
    session: Session | None = None,
    *,
    since: Since | None = None,
    home: Path | str | None = None,
) -> pd.DataFrame:
    """Return what was said of the quota over time, the oldest first, one row a window and time; nothing is sent.

    It comes from the ledger and from the rollout files of the Codex CLI below ``home`` (``$CODEX_HOME``). ``since`` is
    as for `calls`.

    Columns: ``time`` (datetime64[us, UTC], when it was said), ``limit``, ``window`` (text), ``used`` (float64, percent
    0-100), ``resets_at`` (datetime64[us, UTC]), ``length`` (timedelta64[us]), ``period`` (Int64: from 1, one more each
    time a window begins anew), ``stale`` (boolean: an older value that came late, or a glitch), ``source`` (ordered
    category: ``rollout``, ``headers``, ``event``, ``usage``), ``backend``, ``account``, ``plan`` (text; the account's
    key tells accounts apart, and is missing in rollouts).

    Raises:
        InvalidOption: ``since`` is no time.
        CodexError: the ledger or the index of the rollouts cannot be read.

    """
    return table(HISTORY, history_of(session_of(session), since, home), source="usage_history")


def history_of(session: Session, since: Since | None, home: Path | str | None) -> list[Said]:
    """Return the history as `usage_history` has it, as objects."""
    said = sorted([*_of_ledger(session, since), *_of_rollouts(since, home)], key=lambda one: one.at)
    return periods(_once(said))


def _of_ledger(session: Session, since: Since | None) -> Iterator[Said]:
    first = moment_of(since)
    backends = {call.id: call.backend for call in session.ledger.calls(first)}
    for row in session.ledger.quota_history(first):
        used = _number_of(row.used)
        if used is not None and isinstance(row.time, int):  # pyright: ignore[reportUnnecessaryIsInstance] - a file
            where = (row.source, backends.get(row.call), row.account, row.limit_name, row.slot)
            yield Said(row.time, *where, used, _seconds(row.minutes), _number_of(row.resets_at))


def _of_rollouts(since: Since | None, home: Path | str | None) -> Iterator[Said]:
    first = microseconds(since)
    query = (
        "SELECT at, json_extract(reader, '$.provider'), \"limit\", slot, used, minutes, resets_at, plan"
        " FROM limits JOIN files USING (name) WHERE at >= ? AND used IS NOT NULL"
    )
    with rollouts(home) as db:
        for at, provider, limit, slot, used, minutes, resets_at, plan in db.execute(
            query, [-(1 << 62) if first is None else first]
        ):
            backend = "chatgpt" if provider in PROVIDERS else provider
            if (share := _number_of(used)) is not None:
                ends = _number_of(resets_at)
                yield Said(at, "rollout", backend, None, limit, slot, share, _seconds(minutes), ends, plan)


def _number_of(value: Any) -> float | None:
    """Return what one can count with; a file may hold anything."""
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def _seconds(minutes: Any) -> float | None:
    return number * 60.0 if (number := _number_of(minutes)) else None


def _once(said: Iterable[Said]) -> Iterator[Said]:
    """Leave out what the same moment says twice: headers and event of one answer, a copy in a fork."""
    seen: set[tuple[object, ...]] = set()
    for one in said:
        key = (one.at // 1_000, one.window, one.used, one.resets_at)
        if key not in seen:
            seen.add(key)
            yield one


def periods(said: Iterable[Said]) -> list[Said]:
    """Give the periods of each window their numbers, and mark what is stale; ``said`` is in the order of time.

    A window has begun anew when its end has moved on, or when less is used and stays so. A smaller value with the same
    end, followed by the larger one again, is an answer that came late.
    """
    kept = list(said)
    windows: dict[tuple[object, ...], list[Said]] = {}
    for one in kept:
        windows.setdefault((*one.window, one.account), []).append(one)
    for rows in windows.values():
        _number(rows)
    return kept


def _number(rows: list[Said]) -> None:
    period, highest, ends = 1, rows[0].used, rows[0].resets_at
    for place, one in enumerate(rows):
        moved = _moved(one, ends)
        if moved < 0:
            # The end of the period before: said late.
            one.period, one.stale = max(1, period - 1), True
            continue
        falls = one.used < highest - FALL
        stays = place + 1 < len(rows) and max(later.used for later in rows[place + 1 : place + 3]) < highest - FALL
        if moved > 0 or (falls and stays):
            period, highest = period + 1, one.used
        elif falls:
            one.stale = True
        one.period = period
        highest = max(highest, one.used)
        ends = one.resets_at if one.resets_at is not None and (ends is None or moved > 0) else ends


def _moved(one: Said, ends: float | None) -> int:
    """Return 1 if the window's end has moved on, -1 if it is an earlier one, 0 if it is the same or not known."""
    if one.resets_at is None or ends is None:
        return 1 if ends is not None and one.at / 1e6 > ends else 0
    far = max(WANDERS, WANDERS_PART * (one.length or 0.0))
    return 0 if abs(one.resets_at - ends) <= far else 1 if one.resets_at > ends else -1
