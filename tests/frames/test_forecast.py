"""The quota over time: resets told from glitches, and when it will be used up."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb import Bearer, InvalidOption, Session, frames
from codex_nb.columns import table
from codex_nb.frames import plots
from codex_nb.frames.history import HISTORY as COLUMNS
from codex_nb.frames.history import Said, periods
from codex_nb.local import Script, Turn
from tests.frames.builders import COUNT, FLAG, KIND, LENGTH, PERCENT, STR, TIME, dtypes, round_trip
from tests.frames.quotas import KINDS, covered
from tests.frames.rollouts import START, Rollout

HISTORY = {
    "time": TIME,
    **dict.fromkeys(("limit", "window"), STR),
    "used": PERCENT,
    "resets_at": TIME,
    "length": LENGTH,
    "period": COUNT,
    "stale": FLAG,
    "source": KIND,
    **dict.fromkeys(("backend", "account", "plan"), STR),
}
FORECAST = {
    **dict.fromkeys(("limit", "window"), STR),
    **dict.fromkeys(("used", "per_hour"), PERCENT),
    **dict.fromkeys(("limit_in", "limit_in_low", "limit_in_high", "resets_in"), LENGTH),
    "resets_at": TIME,
    **dict.fromkeys(("at_reset", "at_reset_low", "at_reset_high"), PERCENT),
    "reaches": FLAG,
    "length": LENGTH,
    "observed": TIME,
}
BEGAN = START.timestamp()


def said(minutes, used, ends=300.0, length=18_000.0):
    """Return what was said after so many minutes; a window of 5 h by default."""
    resets_at = None if ends is None else BEGAN + ends * 60
    at = round((BEGAN + minutes * 60) * 1e6)
    return Said(at, "headers", "b", None, "codex", "primary", used, length, resets_at)


@pytest.mark.parametrize(
    ("rows", "numbers", "stale"),
    [
        # The end moves on; and wanders by seconds.
        ([said(0, 10), said(1, 11, 300.5), said(301, 2, 600)], [1, 1, 2], []),
        # An answer that came late: less, with the same end.
        ([said(0, 10), said(1, 4), said(2, 12)], [1, 1, 1], [1]),
        # Used a credit: less, and it stays so.
        ([said(0, 80), said(1, 0), said(2, 1), said(3, 2)], [1, 2, 2, 2], []),
        # What was said of the period before comes after the reset.
        ([said(0, 10), said(301, 2, 600), said(302, 60), said(303, 3, 600)], [1, 2, 1, 2], [2]),
        # No end is told.
        ([said(0, 50, None), said(1, 3, None), said(2, 4, None), said(3, 5, None)], [1, 2, 2, 2], []),
        ([said(0, 50, None), said(1, 3, None), said(2, 51, None)], [1, 1, 1], [1]),
        # Whole percents flicker.
        ([said(0, 50), said(1, 49), said(2, 50)], [1, 1, 1], []),
    ],
)
def test_a_reset_is_told_from_a_glitch(rows, numbers, stale):
    """By the window's end, and by what comes after."""
    found = periods(rows)
    assert [one.period for one in found] == numbers
    assert [place for place, one in enumerate(found) if one.stale] == stale


def test_history_is_of_the_ledger_and_of_rollouts(make_backend, monkeypatch, tmp_path):
    """In the order of time, each with its source; nothing is said twice."""
    monkeypatch.setenv("CODEX_NB_LEDGER", str(tmp_path / "ledger.sqlite3"))
    rollout = Rollout("a").turn(1).call(2, 10, used=20.0)
    rollout.again(2, used=20.0).limits(70, used=30.0).save(tmp_path)
    backend = make_backend(Script(turns=[Turn(text="hi")]))
    with Session(backend.url, auth=Bearer("made-up")) as session:
        assert dtypes(frames.usage_history(session)) == HISTORY
        round_trip(frames.usage_history(session), tmp_path / "empty.parquet")
        session.responses.create(input="x", model="gpt-5.4")
        session.codex.usage()
        frame = frames.usage_history(session, home=tmp_path)
        assert dtypes(frame) == HISTORY
        round_trip(frame, tmp_path / "frame.parquet")
        assert frame["time"].is_monotonic_increasing
        rollouts = frame[frame["source"] == "rollout"]
        assert rollouts["used"].tolist() == [20.0, 2.0, 30.0, 3.0]
        assert rollouts["window"].tolist() == ["5 h", "weekly"] * 2
        assert rollouts["backend"].tolist() == ["chatgpt"] * 4
        assert {"headers", "usage"} <= set(frame["source"])
        own = frames.forecast(session)
        assert dtypes(own) == FORECAST
        assert set(own["limit"]) == {"codex"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_time_is_inside_the_interval_nine_times_in_ten(kind):
    """Of a sample of made-up histories; the benchmark takes more of them."""
    assert sum(covered(frames.forecast, kind, seed) for seed in range(20)) >= 17


def steady(minutes, rate=0.5):
    """Return a history that fills so many percent a minute."""
    rows = [said(minute, minute * rate) for minute in range(0, minutes, 5)]
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime([row.at for row in rows], unit="us", utc=True),
            "limit": "codex",
            "window": "5 h",
            "used": [row.used for row in rows],
            "resets_at": pd.to_datetime([row.resets_at for row in rows], unit="s", utc=True),
            "length": pd.to_timedelta([row.length for row in rows], unit="s"),
            "period": pd.Series([1] * len(rows), dtype="Int64"),
            "stale": pd.Series([False] * len(rows), dtype="boolean"),
            "account": None,
            "backend": "b",
        }
    )
    return frame.iloc[::-1]


def test_an_even_pace_is_gone_on_with():
    """Half a percent a minute: the limit comes after 200 minutes, 100 before the reset."""
    row = frames.forecast(history=steady(101), now=BEGAN + 6_000).iloc[0]
    assert row["per_hour"] == pytest.approx(30)
    assert row["limit_in"] == pd.Timedelta(minutes=100)
    assert row["limit_in_low"] < row["limit_in"] < row["limit_in_high"]
    assert row["resets_in"] == pd.Timedelta(minutes=200)
    assert row["reaches"]
    assert row["at_reset"] == 100


def test_nothing_is_said_across_a_reset():
    """A period that is over says nothing, nor does what comes after ``now``."""
    assert frames.forecast(history=steady(101), now=BEGAN + 18_001).empty
    assert frames.forecast(history=steady(101), now=BEGAN - 1).empty
    slow = frames.forecast(history=steady(101, 0.1), now=BEGAN + 6_000).iloc[0]
    assert not slow["reaches"]
    assert slow["at_reset"] == pytest.approx(30)
    assert slow["at_reset_low"] <= slow["at_reset"] <= slow["at_reset_high"]
    assert slow["limit_in"] > slow["resets_in"]


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    rows=st.lists(
        st.builds(
            said,
            st.floats(0, 600) | st.floats(0, 1e-5),
            NUMBERS | st.floats(0, 100),
            st.none() | st.just(700.0) | st.floats(0, 1e8),
            st.none() | st.just(36_000.0) | NUMBERS,
        ),
        min_size=1,
    ),
    since=st.floats(0, 1e8),
)
def test_a_forecast_comes_to_an_end_whatever_was_observed(rows, since):
    """The interval is in order, and of what lies far off or is out of all measure nothing is said."""
    history = table(COLUMNS, periods(sorted(rows, key=lambda one: one.at)), source="usage_history")
    frame = frames.forecast(history=history, now=BEGAN + since)
    assert dtypes(frame) == FORECAST
    for row in frame.itertuples():
        assert 0 <= row.used <= 100
        for low, expected, high in (
            (row.at_reset_low, row.at_reset, row.at_reset_high),
            (row.limit_in_low, row.limit_in, row.limit_in_high),
        ):
            told = [each for each in (low, expected, high) if not pd.isna(each)]
            assert told == sorted(told)


def test_no_use_never_reaches_the_limit(tmp_path):
    """It is missing, not infinite; dtypes stay."""
    frame = frames.forecast(history=steady(50, 0.0), now=BEGAN + 3_000)
    assert frame["limit_in"].isna().all()
    assert dtypes(frame) == FORECAST
    round_trip(frame, tmp_path / "frame.parquet")
    assert dtypes(frames.forecast(history=steady(50)[:0])) == FORECAST


@pytest.mark.parametrize("missing", [[], ["altair"], ["altair", "matplotlib"]])
def test_a_forecast_is_drawn_by_what_is_installed(monkeypatch, missing):
    """Altair, else Matplotlib, else text; also when nothing was observed."""
    real = plots.find_spec
    monkeypatch.setattr(plots, "find_spec", lambda name: None if name in missing else real(name))
    frame = frames.forecast(history=steady(101), now=BEGAN + 6_000)
    chart, empty = frame.codex.plot(), frames.forecast(history=steady(0)).codex.plot()
    label = "limit in 1 h 40 m, resets in 3 h 20 m"
    if not missing:
        assert label in json.dumps(chart.to_dict())
        assert "Nothing was observed yet" in empty._repr_mimebundle_()[0]["image/svg+xml"]
    elif len(missing) == 1:
        assert chart._repr_png_().startswith(b"\x89PNG")
        assert label in chart.axes[0].get_title()
        assert "Nothing" in repr(empty)
    else:
        assert label in repr(chart)
        assert "▄" in repr(chart)
        assert "Nothing" in repr(empty)


def test_a_selection_of_windows_is_drawn(monkeypatch):
    """Those that still have a row; without what tells them apart, that is said."""
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    history = pd.concat([steady(101), steady(101).assign(limit="other", length=pd.Timedelta(days=7), window="weekly")])
    frame = frames.forecast(history=history, now=BEGAN + 6_000)
    assert frame["window"].tolist() == ["5 h", "weekly"]
    drawn = repr(frame[frame["window"] == "weekly"].codex.plot())
    assert "other · weekly" in drawn
    assert "5 h" not in drawn
    assert "Nothing" in repr(frame.head(0).codex.plot())
    with pytest.raises(InvalidOption, match="no column 'window'"):
        frame.set_index("window").codex.plot()


def test_another_frame_is_no_history():
    """Nor one that lost a column."""
    for history in (pd.DataFrame({"used": [1.0]}), steady(9).drop(columns="stale")):
        with pytest.raises(InvalidOption, match="There is no column") as caught:
            frames.forecast(history=history)
        assert "usage_history" in caught.value.hint


def test_a_limit_that_is_reached_is_said_to_be(monkeypatch):
    """It is in no time at all."""
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    frame = frames.forecast(history=steady(201), now=BEGAN + 12_000)
    assert frame["used"].iloc[0] >= 100
    assert "limit reached, resets in 1 h 40 m" in repr(frame.codex.plot())


def test_other_frames_have_no_chart():
    """And say which have."""
    with pytest.raises(InvalidOption, match="no chart"):
        pd.DataFrame({"x": [1]}).codex.plot()
