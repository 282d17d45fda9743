"""Frames of models and quota: dtypes do not depend on what is in them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from codex_nb import Bearer, Session, frames
from codex_nb.local import Fault, Script

FIXTURES = Path(__file__).parents[1] / "fixtures"
USAGE = {
    "limit": str(pd.Series(["x"]).dtype),
    "window": str(pd.Series(["x"]).dtype),
    "used": "float64",
    "left": "float64",
    "resets_at": "datetime64[us, UTC]",
    "resets_in": "timedelta64[us]",
    "length": "timedelta64[us]",
    "allowed": "boolean",
    "reached": "boolean",
    "plan": str(pd.Series(["x"]).dtype),
}


def usage(make_backend, payload):
    """Return the frame of a usage payload."""
    backend = make_backend(Script(faults=[Fault.reply(200, payload, path="*/usage", method="GET")]))
    with Session(backend.url, auth=Bearer("made-up")) as session:
        return frames.usage(session)


def window(used=5, seconds=18_000, reset_at=1_792_852_600):
    """Return one window."""
    return {"used_percent": used, "limit_window_seconds": seconds, "reset_after_seconds": 60, "reset_at": reset_at}


def limit(*windows):
    """Return a limit with up to two windows."""
    slots = dict(zip(("primary_window", "secondary_window"), windows, strict=False))
    return {"allowed": True, "limit_reached": False, **slots}


FIVE = {
    "plan_type": "pro",
    "rate_limit": limit(window(), window(41, 604_740)),
    "code_review_rate_limit": limit(window(0)),
    "additional_rate_limits": [
        {"limit_name": "Spark", "rate_limit": limit(window(), window())},
        {"metered_feature": "p"},
    ],
}


@pytest.mark.parametrize(
    ("payload", "rows"),
    [
        ({"plan_type": "free"}, 0),
        (json.loads((FIXTURES / "usage_free_minimal.json").read_text()), 0),
        ({"plan_type": "plus", "rate_limit": limit(window())}, 1),
        ({"plan_type": "plus", "rate_limit": limit(window(), window(41, 604_800))}, 2),
        (json.loads((FIXTURES / "usage.json").read_text()), 3),
        (json.loads((FIXTURES / "usage_pro_additional.json").read_text()), 3),
        (json.loads((FIXTURES / "usage_limit_reached.json").read_text()), 2),
        (FIVE, 5),
        ({"rate_limit": limit(window(None, None, None))}, 1),
        ({"rate_limit": limit(window(1e300, 10**15, 1e300))}, 1),
    ],
)
def test_usage_has_one_row_a_window_and_fixed_dtypes(make_backend, payload, rows):
    """For 0, 1, 2 and 5 windows, for missing values and for absurd ones."""
    frame = usage(make_backend, payload)
    assert len(frame) == rows
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == USAGE
    assert frame.attrs["codex_nb"]["source"] == "wham/usage"


def test_usage_of_a_plus_plan(make_backend):
    """The values, as a person would read them."""
    frame = usage(make_backend, json.loads((FIXTURES / "usage.json").read_text()))
    assert frame["limit"].tolist() == ["codex", "codex", "code review"]
    assert frame["window"].tolist() == ["5 h", "weekly", "weekly"]
    assert frame["used"].tolist() == [12.0, 41.0, 0.0]
    assert frame["left"].tolist() == [88.0, 59.0, 100.0]
    assert frame["resets_at"][0] == pd.Timestamp(1_792_852_600, unit="s", tz="UTC")
    assert frame["length"][1] == pd.Timedelta(days=7)


@pytest.mark.parametrize("payload", ["models.json", "models_legacy.json", None])
def test_models_have_fixed_dtypes(make_backend, payload):
    """Full, old and empty lists alike."""
    rows = {"models": []} if payload is None else json.loads((FIXTURES / payload).read_text())
    backend = make_backend(Script(faults=[Fault.reply(200, rows, path="*/models", method="GET")]))
    with Session(backend.url, auth=Bearer("made-up")) as session:
        frame = frames.models(session)
    assert len(frame) == len(rows["models"])
    dtypes = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert dtypes["context_window"] == dtypes["priority"] == "Int64"
    assert dtypes["effort"] == dtypes["visibility"] == "category"
    assert dtypes["verbosity"] == dtypes["in_api"] == "boolean"
    assert frame["effort"].cat.ordered


@pytest.mark.parametrize("number", [1e300, 10**20, -(10**20), -1, 0, None, float("nan"), float("inf")])
def test_absurd_numbers_keep_the_dtypes_of_usage(make_backend, number):
    """What a column cannot hold is missing there."""
    frame = usage(make_backend, {"rate_limit": limit(window(number, number, number))})
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == USAGE
    assert len(frame) == 1


@pytest.mark.parametrize(("number", "kept"), [(10**20, False), (2**63, False), (2**63 - 1, True), (-(10**400), False)])
def test_counts_beyond_64_bits_are_missing(make_backend, number, kept):
    """Neither an OverflowError nor another number."""
    rows = {"models": [{"slug": "a", "context_window": number}, {"slug": "b"}]}
    backend = make_backend(Script(faults=[Fault.reply(200, rows, path="*/models", method="GET")]))
    with Session(backend.url, auth=Bearer("made-up")) as session:
        frame = frames.models(session).set_index("id")
    assert frame["context_window"].isna().to_dict() == {"a": not kept, "b": True}
    assert not kept or frame["context_window"]["a"] == number
