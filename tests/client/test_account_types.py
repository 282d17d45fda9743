"""Shapes of account data against payloads that no honest service sends."""

import json
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_nb.client._incoming import shaped
from codex_nb.errors import MalformedStream
from codex_nb.types._base import Part
from codex_nb.types._record import Payload, Rows, moment
from codex_nb.types.account import Usage
from codex_nb.types.accounts import Accounts
from codex_nb.types.config import (
    ConfigBundle,
    Requirements,
    UserSettings,
    UserSystemMessages,
    WorkspaceMessages,
)
from codex_nb.types.environments import Environments
from codex_nb.types.memories import Memories, TraceSummaries
from codex_nb.types.stats import Profile, ResetCredits
from codex_nb.types.tasks import TaskDetail, TaskPage
from codex_nb.types.turns import SiblingTurns, TaskTurns

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORDED = {
    "usage": Usage,
    "usage_free_minimal": Usage,
    "usage_limit_reached": Usage,
    "usage_pro_additional": Usage,
    "tasks_list_page1": TaskPage,
    "tasks_list_page2": TaskPage,
    "tasks_list_empty": TaskPage,
    "task_detail_diff": TaskDetail,
    "task_detail_error": TaskDetail,
    "task_detail_running": TaskDetail,
    "turns": TaskTurns,
    "sibling_turns": SiblingTurns,
    "environments": Environments,
    "memories": Memories,
    "trace_summarize": TraceSummaries,
    "user_system_messages": UserSystemMessages,
    "settings_user": UserSettings,
    "requirements": Requirements,
    "config_bundle": ConfigBundle,
    "workspace_messages": WorkspaceMessages,
    "accounts_check": Accounts,
    "accounts_check_map": Accounts,
    "profile_me": Profile,
    "rate_limit_reset_credits": ResetCredits,
    "rate_limit_reset_consume": Payload,
}
ODD = [10**400, -(10**400), 1e300, float("nan"), float("inf"), -1, 0, True, "", "x", "\ud800", [], {}, [None], None]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ODD)
JSON = st.recursive(
    LEAVES, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=8), some), max_leaves=6
)


def recorded(name):
    """Return a payload on record."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


def places(value, before=()):
    """Give the path to every value in a payload."""
    yield before
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*before, key))


def with_odd(value, place, odd):
    """Return a payload with ``odd`` in one place."""
    if not place:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = with_odd(value[place[0]], place[1:], odd)
    return copy


def looked_at(thing, depth=0):
    """Read every public attribute, as a notebook's user might, and show it."""
    repr(thing)
    str(thing)
    if not isinstance(thing, Part) or depth > 6:
        return
    for name in dir(type(thing)):
        if not name.startswith(("_", "model_")) and isinstance(getattr(type(thing), name, None), property):
            found = getattr(thing, name)
            if isinstance(found, datetime):
                assert found.tzinfo is UTC
            for one in found if isinstance(found, list) else [found]:
                looked_at(one, depth + 1)
    for name in type(thing).model_fields:
        found = getattr(thing, name)
        for one in found if isinstance(found, list) else [found]:
            looked_at(one, depth + 1)
    if isinstance(thing, Rows):
        assert list(thing) == thing.items == thing.data == thing[:]
        assert len(thing) == len(thing.items)


def taken(shape, payload):
    """Read a payload in full; False if it is refused in the one way that it may be."""
    try:
        record = shaped(shape, payload)
    except MalformedStream:
        return False
    looked_at(record)
    return True


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_on_record_is_kept_to_the_letter(name):
    """``raw`` is the payload: nulls, numbers, unknown fields and all."""
    payload = recorded(name)
    record = shaped(RECORDED[name], payload)
    assert json.dumps(record.raw) == json.dumps(payload)
    looked_at(record)
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301


@pytest.mark.parametrize("name", RECORDED)
def test_raw_is_a_copy(name):
    """Who changes it changes nothing else."""
    payload = recorded(name)
    record = shaped(RECORDED[name], payload)
    record.raw.clear()
    assert record.raw == recorded(name)


@pytest.mark.parametrize("name", RECORDED)
@settings(max_examples=40)
@given(data=st.data())
def test_anything_in_any_place_is_taken_or_refused(name, data):
    """A value comes out, or an error that names the shape; never another exception, later neither."""
    payload = recorded(name)
    place = data.draw(st.sampled_from(list(places(payload))))
    taken(RECORDED[name], with_odd(payload, place, data.draw(JSON)))


@pytest.mark.parametrize("name", RECORDED)
def test_odd_values_in_every_place_are_taken_or_refused(name):
    """Each of those that broke something once."""
    payload = recorded(name)
    outcomes = {taken(RECORDED[name], with_odd(payload, p, odd)) for p in places(payload) for odd in ODD[::3]}
    assert outcomes <= {True, False}


@pytest.mark.parametrize("name", RECORDED)
def test_null_is_as_good_as_absent_in_every_optional_place(name):
    """A null is refused only where the field's absence is refused too, or an entry of a list is missing."""
    payload = recorded(name)
    for place in places(payload):
        if not place or isinstance(place[-1], int):
            continue
        *before, key = place
        without = with_odd(payload, tuple(before), {k: v for k, v in at(payload, before).items() if k != key})
        assert taken(RECORDED[name], with_odd(payload, place, None)) >= taken(RECORDED[name], without), place


def at(value, place):
    """Return what stands at a place."""
    for key in place:
        value = value[key]
    return value


@given(JSON)
def test_anything_at_all_is_taken_or_refused(payload):
    """By every shape."""
    for shape in set(RECORDED.values()):
        taken(shape, payload)


@pytest.mark.parametrize(
    ("value", "when"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1792839179.5, datetime(2026, 10, 24, 10, 52, 59, 500_000, UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-10-10T07:00:00.000000Z", datetime(2026, 10, 10, 7, tzinfo=UTC)),
        ("2026-10-10T09:00:00+02:00", datetime(2026, 10, 10, 7, tzinfo=UTC)),
        ("2026-10-24T12:00:00.123456789Z", datetime(2026, 10, 24, 12, 0, 0, 123_456, UTC)),
        (" 2026-10-10 07:00 ", datetime(2026, 10, 10, 7, tzinfo=UTC)),
        ("2026-10-10", datetime(2026, 10, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        *((odd, None) for odd in ODD if odd not in (0, -1) or odd is True),
    ],
)
def test_a_time_is_aware_or_none(value, when):
    """Epoch seconds and ISO 8601; what no clock shows is no time."""
    assert moment(value) == when


@given(JSON)
def test_no_time_breaks(value):
    """Whatever it is made of."""
    found = moment(value)
    assert found is None or found.tzinfo is UTC


def test_a_malformed_field_is_named_and_not_quoted():
    """Secrets can stand in the wrong place."""
    with pytest.raises(MalformedStream, match=r"environments\.0\.id") as caught:
        shaped(Environments, [{"id": {"TOKEN": "plain-secret"}}])
    assert "plain-secret" not in str(caught.value)
