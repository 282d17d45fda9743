"""Moments in the forms that people have at hand, as epoch seconds."""

import time
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from codex_nb import InvalidOption
from codex_nb.frames.calls import moment_of
from codex_nb.frames.cli import microseconds
from codex_nb.frames.rows.pace import Limits
from codex_nb.moments import epoch

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def berlin(monkeypatch):
    """Let local time be two hours ahead."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    "when",
    [
        datetime(2026, 7, 1, 14),  # noqa: DTZ001
        pd.Timestamp("2026-07-01 14:00"),
        np.datetime64("2026-07-01T14:00"),
        np.datetime64("2026-07-01T14:00:00.000000000"),
        pd.Timestamp("2026-07-01 12:00", tz="UTC"),
        pd.Timestamp("2026-07-01 08:00", tz="America/New_York"),
    ],
)
def test_a_moment_without_a_zone_is_local_time(when):
    """Whether it is Python's, pandas' or numpy's, and wherever it is said."""
    assert epoch(when) == moment_of(when) == microseconds(when) / 1e6 == Limits.of(until=when).until == NOON


@pytest.mark.usefixtures("berlin")
def test_a_date_is_its_beginning():
    """In local time as well."""
    assert epoch(date(2026, 7, 1)) == epoch(np.datetime64("2026-07-01")) == NOON - 14 * 3600


@pytest.mark.parametrize(
    "when",
    [pd.NaT, np.datetime64("NaT", "us"), float("nan"), float("inf"), 1e300, np.datetime64("20000-01-01"), [], "now"],
)
def test_what_is_no_moment_is_refused(when):
    """By the name of the option."""
    with pytest.raises(InvalidOption, match=r"now is .* no time"):
        epoch(when, "now")


def test_a_text_of_digits_is_no_length_of_time():
    """A year is one, and a month; pandas takes both for nanoseconds."""
    for text in ("2024", "2024-01", "20240101", " 2024 "):
        assert moment_of(text) == datetime(2024, 1, 1).timestamp()  # noqa: DTZ001
    for text in ("5", "-5", "1700000000", "NaT", "nan"):
        with pytest.raises(InvalidOption, match="no time"):
            moment_of(text)


@pytest.mark.parametrize("span", ["90 min", "1:30:00", pd.Timedelta("90min"), np.timedelta64(90, "m")])
def test_a_length_of_time_counts_back(span):
    """From now."""
    assert moment_of(span) == pytest.approx(time.time() - 5400, abs=60)


@pytest.mark.parametrize("span", [np.timedelta64("NaT", "us"), np.timedelta64(3, "Y")])
def test_a_length_without_an_end_is_refused(span):
    """A year of numpy's is no length."""
    with pytest.raises(InvalidOption, match="no time"):
        moment_of(span)
