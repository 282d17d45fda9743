"""The table builder: what a column shows of a row, and values that a dtype cannot hold."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.columns import DURATION, MOMENT, NUMBER, TEXT, TIME, Column, ordered, table


@dataclass
class Inner:
    """What a row may have."""

    size: int | None


@dataclass
class Outer:
    """A row."""

    name: str
    inner: Inner | None


def test_a_column_shows_its_own_name_a_path_or_what_a_function_returns():
    """A path ends where there is None."""
    columns = [
        Column("name", TEXT),
        Column("size", NUMBER, "inner.size"),
        Column("length", NUMBER, lambda row: len(row.name)),
    ]
    rows = [Outer("a", Inner(3)), Outer("bc", None), Outer("", Inner(None))] * 100
    frame = table(columns, iter(rows), source="x")
    assert frame["name"].tolist() == ["a", "bc", ""] * 100
    assert frame["size"].fillna(-1).tolist() == [3, -1, -1] * 100
    assert frame["length"].tolist() == [1, 2, 0] * 100


@given(st.lists(st.none() | st.integers() | st.booleans() | st.integers().map(float).filter(math.isfinite)))
def test_counts_are_kept_or_missing(values):
    """Whatever kinds of numbers come together; what 64 bits do not hold is missing."""
    made = NUMBER(values)
    assert made.dtype == "Int64"
    for value, found in zip(values, made, strict=True):
        if value is None or not -(2**63) <= value < 2**63:
            assert pd.isna(found)
        elif abs(value) < 2**53:
            assert found == value


@given(st.lists(st.none() | st.floats(-1e10, 9e9) | st.just(math.nan) | st.integers() | st.just(10**400)))
def test_seconds_become_times_and_lengths_to_the_microsecond(values):
    """The sum of whole seconds and the nearest microsecond; what no clock shows is missing."""
    times, lengths = TIME(values), DURATION(values)
    assert (str(times.dtype), str(lengths.dtype)) == ("datetime64[us, UTC]", "timedelta64[us]")
    for value, time, length in zip(values, times, lengths, strict=True):
        if value is None or not abs(value) < 9.2e9:
            assert pd.isna(time)
            assert pd.isna(length)
        else:
            expected = timedelta(seconds=value)
            assert abs(length - expected) <= timedelta(microseconds=1)
            assert abs(time - (datetime(1970, 1, 1, tzinfo=UTC) + expected)) <= timedelta(microseconds=1)


def test_dates_and_datetimes_of_all_zones_stand_in_one_column():
    """In UTC where the zone is known, else as they are; the dtype depends on none of them."""
    far = timezone(timedelta(hours=-5))
    values = [
        datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))),
        datetime(2026, 1, 2, 3),  # noqa: DTZ001 - as answers often are
        None,
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, tzinfo=far),
        datetime(9999, 12, 31, 23, tzinfo=far),
    ]
    for rows in (values, values[::-1], values[:1], values[2:3], []):
        assert str(MOMENT(rows).dtype) == "datetime64[us]"
    assert [None if pd.isna(one) else one.isoformat() for one in MOMENT(values)] == [
        "2026-01-02T02:00:00",
        "2026-01-02T03:00:00",
        None,
        "2026-01-02T00:00:00",
        "2026-01-02T08:00:00",
        "9999-12-31T23:00:00",
    ]


def test_new_levels_come_after_the_known_ones():
    """In the order in which they come, as texts; None is no level."""
    made = ordered(("low", "high"))(["odd", None, "high", "odd", 3])
    assert made.tolist()[2:] == ["high", "odd", "3"]
    assert pd.isna(made[1])
    assert made.cat.categories.tolist() == ["low", "high", "odd", "3"]
    assert made.cat.ordered
