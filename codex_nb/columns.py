"""One table of columns builds every frame: full or empty, the dtypes are the same."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import numpy as np
import pandas as pd

__all__ = [
    "DURATION",
    "FLAG",
    "INSTANT",
    "MOMENT",
    "NUMBER",
    "OBJECT",
    "PERCENT",
    "TEXT",
    "TIME",
    "Column",
    "ordered",
    "table",
]

T = TypeVar("T")

Cast = Callable[[list[Any]], Any]
# What 64 bits hold.
LARGEST = (1 << 63) - 1
# Seconds that nanoseconds of 64 bits hold, too: not every reader of a file has another unit.
FARTHEST = 9.2e9
NUMBERS: Any = (int, float, np.number)
TOGETHER = 100


def _text(values: list[Any]) -> Any:
    # pandas' own default for text: `str` from pandas 3 on, `object` before.
    return pd.Series(_texts(values), dtype=pd.Series(["x"]).dtype)


def _texts(values: list[Any]) -> list[str | None]:
    """Return ``values`` as texts; nearly always they are fit as they are, which is seen at once."""
    try:
        "".join([v for v in values if v is not None]).encode()
    except (TypeError, UnicodeEncodeError):
        return [_clean(v) for v in values]
    return values


def _clean(value: Any) -> str | None:
    """Return ``value`` as text, without halves of characters: Arrow and files take none."""
    if value is None:
        return None
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _microseconds(values: list[Any]) -> np.ndarray[Any, Any]:
    """Return seconds as whole microseconds, NaT where there are none.

    pandas 2 rounds what is in its memory by chance where a float is missing, and may warn of an overflow.
    """
    try:
        seconds = np.array([math.nan if v is None or not abs(v) < FARTHEST else v for v in values], dtype="float64")
    except TypeError:  # a file may hold a text where a number belongs
        return _microseconds([v if isinstance(v, NUMBERS) else None for v in values])
    missing = np.isnan(seconds)
    seconds[missing] = 0.0
    whole = np.floor(seconds)
    found = whole.astype("int64") * 1_000_000 + np.round((seconds - whole) * 1e6).astype("int64")
    found[missing] = np.iinfo("int64").min  # NaT, in whatever unit
    return found


def _time(values: list[Any]) -> Any:
    moments: Any = pd.Series(_microseconds(values).view("datetime64[us]"))
    return moments.dt.tz_localize("UTC")


def _instant(values: list[Any]) -> Any:
    # From epoch microseconds, to the microsecond: as floats of seconds they would be a little off.
    moments = cast("Any", pd.to_datetime(_number(values), unit="us", utc=True, errors="coerce"))
    return moments.astype("datetime64[us, UTC]")


def _moment(values: list[Any]) -> Any:
    # A column has one zone for all its rows, and of some it is not known: so it has none.
    return pd.Series(np.array([_without_zone(v) for v in values], dtype="datetime64[us]"))


def _without_zone(value: Any) -> date | None:
    """Return a date or a datetime as it stands; one that has a zone in UTC."""
    if not isinstance(value, date) or value is pd.NaT:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        return value
    try:
        return value.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # the calendar ends within these hours, such as for 9999-12-31
        return value.replace(tzinfo=None)


def _duration(values: list[Any]) -> Any:
    return pd.Series(_microseconds(values).view("timedelta64[us]"))


def _number(values: list[Any]) -> Any:
    try:
        whole = array("q", [0 if v is None else v for v in values])
    except (TypeError, OverflowError):  # floats, and what cannot be kept
        return _number(
            [int(v) if isinstance(v, NUMBERS) and abs(v) <= LARGEST and v == v // 1 else None for v in values]
        )
    missing = np.array([v is None for v in values], dtype="bool")
    return pd.Series(pd.arrays.IntegerArray(np.array(whole, dtype="int64"), missing))


TEXT: Cast = _text
TIME: Cast = _time  # of epoch seconds
INSTANT: Cast = _instant  # of epoch microseconds
MOMENT: Cast = _moment  # of dates and datetimes, those with a zone in UTC; the dtype has none
DURATION: Cast = _duration  # of seconds
NUMBER: Cast = _number
FLAG: Cast = lambda values: pd.Series(values, dtype="boolean")  # noqa: E731 - a row of the table above
OBJECT: Cast = lambda values: pd.Series(values, dtype="object")  # noqa: E731
PERCENT: Cast = lambda values: pd.Series(values, dtype="float64")  # noqa: E731


def ordered(levels: Sequence[str]) -> Cast:
    """Return the cast to an ordered category. Values that are not in ``levels`` are added after them, as they come."""

    def made(values: list[Any]) -> Any:
        places = {level: place for place, level in enumerate(levels)}
        codes = [-1 if text is None else places.setdefault(text, len(places)) for text in _texts(values)]
        kind = pd.CategoricalDtype([*places], ordered=True)
        return pd.Series(pd.Categorical.from_codes(codes, dtype=kind))

    return made


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column: its name, its dtype's cast, and where its value is in a row's object.

    That is a path of attributes, such as ``"turn.status"``: where one on the way is None there is no value. The
    column's own name need not be said. A function takes what is no attribute.
    """

    name: str
    cast: Cast
    value: str | Callable[[T], Any] = ""


class _Some(dict[str, list[Any]]):
    """What paths lead to from a few rows: for each path a list, and each attribute is read once."""

    def __missing__(self, path: str) -> list[Any]:
        before, _, name = path.rpartition(".")
        found, read = self[before], attrgetter(name)
        # Of the rows themselves none is missing.
        self[path] = [None if one is None else read(one) for one in found] if before else list(map(read, found))
        return self[path]


def table(columns: Sequence[Column[T]], rows: Iterable[T], *, source: str) -> pd.DataFrame:
    """Return the frame of ``rows``. ``attrs["codex_nb"]`` says the source and the time (ISO 8601, UTC)."""
    values: dict[str, list[Any]] = {column.name: [] for column in columns}
    waiting = iter(rows)
    while _read_some(columns, waiting, values):
        pass
    frame = pd.DataFrame({column.name: column.cast(values[column.name]) for column in columns})
    frame.attrs["codex_nb"] = {"source": source, "at": pd.Timestamp.now("UTC").isoformat(timespec="seconds")}
    return frame


def _read_some(columns: Sequence[Column[T]], rows: Iterator[T], values: dict[str, list[Any]]) -> int:
    """Add what a few rows show to ``values``; return how many they are.

    What is read from a row while it is fresh in memory costs a fourth, and it is gone before the next one comes.
    """
    some = list(islice(rows, TOGETHER))
    found = _Some({"": some})
    for column in columns:
        value = column.value or column.name
        values[column.name].extend(found[value] if isinstance(value, str) else map(value, some))
    return len(some)
