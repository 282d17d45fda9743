"""What the Codex CLI used on this machine, from its own rollout files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from codex_nb.columns import DURATION, FLAG, INSTANT, MOMENT, NUMBER, TEXT, Cast, Column, ordered, table
from codex_nb.errors import CodexError, InvalidOption
from codex_nb.frames.account import EFFORTS
from codex_nb.frames.calls import moment_of
from codex_nb.frames.rollout_index import index_of
from codex_nb.settings import codex_home

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.frames.calls import Since

__all__ = ["cli_sessions", "cli_tokens", "microseconds", "rollouts"]

TOKENS: Final = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "total_tokens")
SUMS: Final = "count(*) AS calls, sum(input), sum(cached), sum(output), sum(reasoning), sum(total)"
# What a fork has of its parent and what a copy has of its original are counted where they were used.
OWN: Final = "events.n >= files.inherited AND NOT events.twin"
# No zone's clock differs from another's by less.
QUARTER: Final = 900_000_000

Row = dict[str, Any]


@contextmanager
def rollouts(home: Path | str | None = None) -> Generator[sqlite3.Connection]:
    """Bring the index of the rollouts up to date and give it, open for reading.

    Raises:
        CodexError: the index cannot be written or read.

    """
    try:
        with closing(index_of(Path(home).expanduser() if home else codex_home())) as db:
            yield db
    except (sqlite3.Error, OSError) as error:
        raise CodexError(
            f"The index of the Codex CLI's sessions cannot be used: {error}.",
            hint="Name another folder for it in CODEX_NB_CACHE_FOLDER, or make room.",
        ) from error


def _value(name: str) -> Callable[[Row], Any]:
    return itemgetter(name)


SESSIONS: list[Column[Row]] = [
    Column(name, cast, _value(name))
    for name, cast in {
        "id": TEXT,
        "started": INSTANT,
        "last": INSTANT,
        "duration": DURATION,
        "project": TEXT,
        "model": TEXT,
        "effort": ordered(EFFORTS),
        "turns": NUMBER,
        "calls": NUMBER,
        **dict.fromkeys(TOKENS, NUMBER),
        "branch": TEXT,
        "repository": TEXT,
        "origin": TEXT,
        "source": TEXT,
        "version": TEXT,
        "provider": TEXT,
        "forked_from": TEXT,
        "archived": FLAG,
        "size": NUMBER,
        "path": TEXT,
    }.items()
]


def cli_sessions(*, since: Since | None = None, home: Path | str | None = None) -> pd.DataFrame:
    """Return the sessions of the Codex CLI on this machine, the latest first, one row each. Prompts are not read.

    The rollout files below ``home`` (``$CODEX_HOME``) are read once; later calls read what is new. ``since`` (as for
    `calls`) leaves out sessions that were last used before it.

    Columns: ``id`` (text), ``started``, ``last`` (datetime64[us, UTC]), ``duration`` (timedelta64[us], between the
    two), ``project`` (text, the folder), ``model`` (text, the latest), ``effort`` (ordered category), ``turns``,
    ``calls``, ``input_tokens`` (of which ``cached_tokens``), ``output_tokens`` (of which ``reasoning_tokens``),
    ``total_tokens`` (Int64; a fork has its own alone), ``branch``, ``repository``, ``origin``, ``source``, ``version``,
    ``provider``, ``forked_from`` (text), ``archived`` (boolean), ``size`` (Int64, bytes), ``path`` (text).

    Raises:
        InvalidOption: ``since`` is no time.
        CodexError: the index of the files cannot be written or read.

    """
    first = microseconds(since)
    before = "SELECT max(turn) FROM events AS e WHERE e.name = files.name AND e.n < files.inherited"
    query = (
        "SELECT files.reader, files.path, files.archived, files.size, max(events.at),"  # noqa: S608
        f" max(events.turn) - coalesce(({before}), 0), {SUMS}"
        f" FROM files LEFT JOIN events ON events.name = files.name AND {OWN} GROUP BY files.name"
    )
    with rollouts(home) as db:
        found = db.execute(query).fetchall()
    rows = [_session(*row) for row in found]
    rows = [row for row in rows if first is None or (row["last"] or 0) >= first]
    rows.sort(key=lambda row: row["last"] or 0, reverse=True)
    return table(SESSIONS, rows, source="rollouts")


def _session(reader: str, path: str, archived: int, size: int, last: int | None, turns: int | None, *sums: Any) -> Row:
    facts: Row = json.loads(reader)
    started = facts["started"]
    latest = last or started
    model, effort, cwd = facts["context"]
    return {
        "id": facts["id"],
        "started": started,
        "last": latest,
        "duration": (latest - started) / 1e6 if latest is not None and started is not None else None,
        "project": cwd or facts["cwd"],
        "model": model,
        "effort": effort,
        "turns": facts["turns"] if last is None else turns,
        # A session without a call counts one row of nothing.
        **dict(zip(("calls", *TOKENS), sums if last is not None else [0] * len(sums), strict=True)),
        **{name: facts[name] for name in ("branch", "repository", "origin", "source", "version", "provider")},
        "forked_from": facts["parent"],
        "archived": bool(archived),
        "size": size,
        "path": path,
    }


def _day(when: datetime) -> datetime:
    return when.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


PERIODS: Final[dict[str, Callable[[datetime], datetime]]] = {
    "hour": lambda when: when.replace(minute=0, second=0, microsecond=0, tzinfo=None),
    "day": _day,
    "week": lambda when: _day(when) - timedelta(days=when.weekday()),
    "month": lambda when: _day(when).replace(day=1),
}
# What is told of a call itself comes from the query, the rest is the session's.
OF_CALL: Final = {"model": 2, "effort": 3, "project": 4}
OF_SESSION: Final = {"session": "id", **{name: name for name in ("origin", "source", "version", "provider", "branch")}}
KINDS: Final[dict[str, Cast]] = {**dict.fromkeys(PERIODS, MOMENT), "effort": ordered(EFFORTS)}


def cli_tokens(
    by: str | Sequence[str] = ("day",),
    *,
    since: Since | None = None,
    tz: str | tzinfo = UTC,
    home: Path | str | None = None,
) -> pd.DataFrame:
    """Return the tokens that the Codex CLI used on this machine, summed up by what is asked for. Prompts are not read.

    ``by`` has any of ``hour``, ``day``, ``week`` (from Monday), ``month``, ``model``, ``effort``, ``project`` (the
    folder), ``session``, ``origin``, ``source``, ``version``, ``provider`` and ``branch``; with none there is one row.
    A call counts when it was made, however old its session is, and for the model of its turn. Periods are those of the
    zone ``tz``, such as ``"Europe/Berlin"``. ``since`` is as for `calls`, ``home`` as for `cli_sessions`.

    Columns: those of ``by`` (periods as datetime64[us], without a zone; ``effort`` an ordered category; else text),
    then ``calls``, ``sessions``, ``input_tokens`` (of which ``cached_tokens``), ``output_tokens`` (of which
    ``reasoning_tokens``) and ``total_tokens`` (Int64). Rows are in the order of ``by``.

    Raises:
        InvalidOption: ``by`` has another word, ``since`` is no time, or ``tz`` no zone.
        CodexError: the index of the files cannot be written or read.

    """
    names = [*by] if isinstance(by, Iterable) and not isinstance(by, str) else [by]  # pyright: ignore[reportUnnecessaryIsInstance]
    known = [*PERIODS, *OF_CALL, *OF_SESSION]
    if wrong := [name for name in names if name not in known]:
        raise InvalidOption(f"Tokens are not told by {wrong[0]!r}.", hint=f"by has any of {', '.join(known)}.")
    keys = [partial(_key, name, zone=_zone(tz)) for name in names]
    columns: list[Column[Row]] = [Column(name, KINDS.get(name, TEXT), _value(name)) for name in names]
    columns += [Column(name, NUMBER, _value(name)) for name in ("calls", "sessions", *TOKENS)]
    return table(columns, _summed(names, keys, _calls(since, home)), source="rollouts")


def _calls(since: Any, home: Path | str | None) -> Iterator[tuple[Any, ...]]:
    """Give the calls of each quarter of an hour, with the facts of their session."""
    first = microseconds(since)
    query = (
        f"SELECT at / {QUARTER}, files.name, model, effort, cwd, {SUMS} FROM events JOIN files USING (name)"  # noqa: S608
        f" WHERE {OWN} AND at >= ? GROUP BY 1, 2, 3, 4, 5"
    )
    with rollouts(home) as db:
        facts = {name: json.loads(reader) for name, reader in db.execute("SELECT name, reader FROM files")}
        for row in db.execute(query, [-(1 << 62) if first is None else first]):
            yield *row, facts[row[1]]


def _key(name: str, row: tuple[Any, ...], zone: tzinfo) -> Any:
    if name in OF_CALL:
        return row[OF_CALL[name]]
    if name in OF_SESSION:
        return row[-1][OF_SESSION[name]]
    return PERIODS[name](datetime.fromtimestamp(row[0] * QUARTER // 1_000_000, zone))


def _summed(names: list[str], keys: list[Callable[[Any], Any]], calls: Iterator[tuple[Any, ...]]) -> list[Row]:
    nothing = [0] * (len(TOKENS) + 1)
    sums: dict[tuple[Any, ...], list[int]] = {} if names else {(): [*nothing]}
    sessions: dict[tuple[Any, ...], set[str]] = {}
    for row in calls:
        key = tuple(one(row) for one in keys)
        found = sums.setdefault(key, [*nothing])
        for place, number in enumerate(row[5:-1]):
            found[place] += number
        sessions.setdefault(key, set()).add(row[1])
    order = sorted(sums, key=lambda key: [(part is None, str(part)) for part in key])
    counted = ("calls", *TOKENS)
    return [
        dict(zip(names, key, strict=True))
        | dict(zip(counted, sums[key], strict=True))
        | {"sessions": len(sessions.get(key, ()))}
        for key in order
    ]


def microseconds(since: Any) -> int | None:
    """Return a time, in any form that `moment_of` takes, as epoch microseconds."""
    when = moment_of(since)
    return None if when is None else round(when * 1e6)


def _zone(tz: str | tzinfo) -> tzinfo:
    if isinstance(tz, tzinfo):
        return tz
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise InvalidOption(f"There is no time zone {str(tz)[:40]!r}.", hint='Example: "Europe/Berlin".') from error
