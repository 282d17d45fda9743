"""The ledger as a frame, and the quota as bars."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from codex_nb import Bearer, InternalServerError, InvalidOption, Session, frames
from codex_nb.local import Fault, Script, Turn
from tests.frames.builders import COUNT, KIND, LENGTH, STR, TIME, dtypes, round_trip

CALLS = {
    "time": TIME,
    **dict.fromkeys(("endpoint", "model"), STR),
    **dict.fromkeys(("effort", "outcome"), KIND),
    **dict.fromkeys(("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "total_tokens"), COUNT),
    **dict.fromkeys(("to_headers", "to_text", "duration"), LENGTH),
    "status": COUNT,
    "code": STR,
    "attempts": COUNT,
    **dict.fromkeys(("served_model", "tier", "method", "backend", "host", "engine"), STR),
    **dict.fromkeys(("account", "session", "response_id", "request_id"), STR),
}


@pytest.fixture
def session(make_backend, monkeypatch, tmp_path):
    """Give a session with a ledger of its own."""
    monkeypatch.setenv("CODEX_NB_LEDGER", str(tmp_path / "ledger.sqlite3"))
    script = Script(turns=[Turn(text="hi")], faults=[Fault.reply(500, {}, path="*/memories", method="GET", times=1)])
    with Session(make_backend(script).url, auth=Bearer("made-up"), max_retries=0) as opened:
        yield opened


def test_calls_are_what_the_ledger_keeps(session, tmp_path):
    """The latest first, with tokens and outcome; an empty ledger has the same dtypes."""
    assert dtypes(frames.calls(session)) == CALLS
    round_trip(frames.calls(session), tmp_path / "empty.parquet")
    session.responses.create(input="x", model="gpt-5.4", reasoning={"effort": "high"})
    with pytest.raises(InternalServerError):
        session.codex.memories.list()
    frame = frames.calls(session)
    assert dtypes(frame) == CALLS
    assert frame["outcome"].tolist() == ["InternalServerError", "completed"]
    assert frame["effort"].astype(object).tolist()[1] == "high"
    assert frame["total_tokens"].notna().tolist() == [False, True]
    assert frame["time"].is_monotonic_decreasing
    assert frame.attrs["codex_nb"]["source"] == "ledger"
    round_trip(frame, tmp_path / "frame.parquet")
    assert len(frames.calls(session, limit=1)) == 1


@pytest.mark.parametrize(
    ("since", "rows"),
    [
        ("1 hour", 1),
        (timedelta(hours=1), 1),
        (datetime(2020, 1, 1, tzinfo=UTC), 1),
        ("2020-01-01", 1),
        (0, 1),
        (datetime(2300, 1, 1, tzinfo=UTC), 0),
        ("2200-01-01", 0),
    ],
)
def test_since_is_a_time_or_how_long_ago(session, since, rows):
    """In any of the forms that people have at hand."""
    session.models.list()
    assert len(frames.calls(session, since=since)) == rows


@pytest.mark.parametrize("limit", [0, -1, 2.5, "5", True])
def test_a_limit_that_is_no_count_is_refused(session, limit):
    """Rather than no rows, or SQLite's word for it."""
    with pytest.raises(InvalidOption, match="limit is a count"):
        frames.calls(session, limit=limit)


def test_a_count_may_be_numpys(session):
    """As the length of a frame's group is."""
    session.models.list()
    assert len(frames.calls(session, limit=np.int64(1))) == 1


@pytest.mark.parametrize("since", ["soon", "", "7 apples"])
def test_since_that_is_no_time_is_refused(session, since):
    """With an example of one."""
    with pytest.raises(InvalidOption, match="no time"):
        frames.calls(session, since=since)


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        ({}, ["names no window"]),
        (
            {
                "plan_type": "unheard-of",
                "rate_limit": {"primary_window": {"used_percent": 95, "limit_window_seconds": 18_000}},
                "credits": {"has_credits": True, "unlimited": False, "balance": 12.5},
                "rate_limit_reached_type": {"type": "rate_limit_reached"},
            },
            ["codex · 5 h", "95 % used", "12.5 credits", "rate_limit_reached", "width:95%"],
        ),
        (
            {
                "rate_limit": {"primary_window": {"used_percent": None, "reset_after_seconds": 3900}},
                "credits": {"has_credits": True, "balance": "7"},
                "rate_limit_reached_type": "<b>x",
            },
            ["not told", "resets in 1 h 05 m", "7 credits", "&lt;b&gt;x"],
        ),
        ({"rate_limit": {"primary_window": {"used_percent": 1e300, "reset_at": 1}}}, ["width:100%", "began anew"]),
    ],
)
def test_usage_shows_as_bars(make_backend, report, shown):
    """With what is left of time and credits; nothing of the service's words is HTML."""
    backend = make_backend(Script(faults=[Fault.reply(200, report, path="*/usage", method="GET")]))
    with Session(backend.url, auth=Bearer("made-up")) as session:
        frame = frames.usage(session)
    html = frame._repr_html_()
    for said in shown:
        assert said in html
    assert "<b>" not in html
    assert type(frame.head()).__name__ == "DataFrame"


def test_bars_hide_nothing_that_was_changed(make_backend):
    """A frame with other columns than it came with is shown as every frame."""
    with Session(make_backend(Script()).url, auth=Bearer("made-up")) as session:
        assert "background" in frames.usage(session, raw=True)._repr_html_()
        noted, renamed, texts = (frames.usage(session) for _ in range(3))
    noted["note"] = "mine"
    renamed.columns = renamed.columns.str.replace("used", "percent")
    texts["used"] = texts["used"].astype(str) + " %"
    for frame, shown in ((noted, "mine"), (renamed, "percent"), (texts, " %")):
        assert shown in frame._repr_html_()
        assert 'class="dataframe"' in frame._repr_html_()
