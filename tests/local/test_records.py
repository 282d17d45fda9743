"""The rest of the account: settings, rules, memories, notices, the profile, and credits that empty a window."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from codex_nb.local import LocalBackend, Script, Turn
from codex_nb.local.pieces import Usage
from tests.local.raw import FIXTURES

WHAM = "/backend-api/wham"
CREDITS = f"{WHAM}/rate-limit-reset-credits"


def fixture(name):
    """Return a recorded reply."""
    return json.loads((FIXTURES / name).read_text())


def skeleton(value):
    """Return the field names of a reply, at every depth; of a list those of its first row."""
    if isinstance(value, dict):
        return {name: skeleton(each) for name, each in value.items()}
    return [skeleton(value[0])] if isinstance(value, list) and value else None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{WHAM}/accounts/check", "accounts_check.json"),
        (f"{WHAM}/config/bundle", "config_bundle.json"),
        (f"{WHAM}/config/requirements", "requirements.json"),
        (f"{WHAM}/profiles/me", "profile_me.json"),
        (f"{WHAM}/settings/user", "settings_user.json"),
        (f"{WHAM}/workspace-messages", "workspace_messages.json"),
        (CREDITS, "rate_limit_reset_credits.json"),
        ("/backend-api/codex/rate-limit-reset-credits", "rate_limit_reset_credits.json"),
        ("/backend-api/memories", "memories.json"),
        ("/backend-api/user_system_messages", "user_system_messages.json"),
    ],
)
def test_replies_have_the_recorded_fields(raw, backend, path, name):
    """At every depth, and only with a bearer."""
    assert skeleton(raw.get(backend, path).json()) == skeleton(fixture(name))
    reply = raw.get(backend, path, headers={"authorization": ""})
    assert (reply.status_code, reply.json()) == (401, fixture("401.json"))


def test_usage_has_the_recorded_fields(raw, backend):
    """All but the limits of features that are not here."""
    mine, recorded = raw.get(backend, f"{WHAM}/usage").json(), fixture("usage.json")
    assert set(mine) == set(recorded)
    assert skeleton(mine["rate_limit"]) == skeleton(recorded["rate_limit"])
    assert skeleton(mine["credits"]) == skeleton(recorded["credits"])


def test_usage_can_be_laid_over(raw, backend):
    """More limits, and a plan that nobody knows."""
    backend.state.account.plan = "galactic"
    more = fixture("usage_pro_additional.json")["additional_rate_limits"]
    backend.state.records.usage = {"additional_rate_limits": more, "credits": None, "new_thing": [1]}
    usage = raw.get(backend, f"{WHAM}/usage").json()
    assert (usage["plan_type"], usage["credits"], usage["new_thing"]) == ("galactic", None, [1])
    assert usage["additional_rate_limits"] == more
    assert raw.post(backend).headers["x-codex-plan-type"] == "galactic"
    assert raw.get(backend, f"{WHAM}/accounts/check").json()["accounts"][0]["plan_type"] == "galactic"


def test_rules_have_their_digest(raw, backend):
    """The digest is that of the text; no rules are 404."""
    backend.state.records.requirements = "allowed_approval_policies = []\n"
    reply = raw.get(backend, f"{WHAM}/config/requirements").json()
    assert reply["sha256"] == hashlib.sha256(reply["contents"].encode()).hexdigest()
    backend.state.records.requirements = None
    assert raw.get(backend, f"{WHAM}/config/requirements").status_code == 404


def test_memories_are_counted(raw, backend):
    """What a memory takes is added up."""
    before = raw.get(backend, "/backend-api/memories").json()
    assert len(before["memories"]) == 3
    backend.state.records.memories.append({"id": "m", "content": "four" * 10, "updated_at": None, "status": "cold"})
    after = raw.get(backend, "/backend-api/memories").json()
    assert after["memory_num_tokens"] == before["memory_num_tokens"] + 10


def test_profile_counts_todays_tokens(raw):
    """What was spent here is today's bucket, and part of the sums."""
    with LocalBackend(Script(turns=[Turn(text="x", usage=Usage(input=60, output=40))])) as backend:
        backend.state.records.daily_tokens = [5, 0, 7]
        stats = raw.get(backend, f"{WHAM}/profiles/me").json()["stats"]
        assert (stats["lifetime_tokens"], stats["current_streak_days"], stats["longest_streak_days"]) == (12, 1, 1)
        assert raw.post(backend).status_code == 200
        stats = raw.get(backend, f"{WHAM}/profiles/me").json()["stats"]
        assert (stats["lifetime_tokens"], stats["peak_daily_tokens"]) == (112, 100)
        assert (stats["current_streak_days"], stats["longest_streak_days"]) == (2, 2)
        days = stats["daily_usage_buckets"]
        assert [day["tokens"] for day in days] == [5, 0, 7, 100]
        assert abs((datetime.now(UTC).date() - datetime.fromisoformat(days[-1]["start_date"]).date()).days) <= 1


def consume(raw, backend, request_id, **more):
    """Use a credit up."""
    return raw.http.post(f"{backend.url}{CREDITS}/consume", json={"redeem_request_id": request_id, **more})


def test_credit_empties_a_spent_quota_once(raw):
    """The same request again costs nothing, however often it is sent."""
    with LocalBackend(Script(), budget=100) as backend:
        assert consume(raw, backend, "a").json() == {"code": "nothing_to_reset", "windows_reset": 0}
        backend.state.quota.spend(100)
        assert raw.post(backend).status_code == 429
        assert consume(raw, backend, "b").json() == {"code": "reset", "windows_reset": 2}
        assert raw.get(backend, f"{WHAM}/usage").json()["rate_limit"]["primary_window"]["used_percent"] == 0
        assert raw.post(backend).status_code == 200
        assert consume(raw, backend, "b").json() == {"code": "already_redeemed", "windows_reset": 2}
        assert backend.state.quota.windows()[0].used > 0
        assert consume(raw, backend, "c").json() == {"code": "no_credit", "windows_reset": 0}
        assert raw.get(backend, CREDITS).json()["available_count"] == 0
        usage = raw.get(backend, f"{WHAM}/usage").json()
        assert usage["rate_limit_reset_credits"] == {"available_count": 0}


def test_credit_may_be_named(raw, backend):
    """One that is not there is no credit."""
    backend.state.quota.spend(1)
    backend.state.reset_credits.grant()
    assert consume(raw, backend, "a", credit_id="other").json()["code"] == "no_credit"
    assert consume(raw, backend, "b", credit_id="rlrc_02").json()["code"] == "reset"
    assert [each["id"] for each in raw.get(backend, CREDITS).json()["credits"]] == ["rlrc_01"]


@pytest.mark.parametrize("body", [{}, {"redeem_request_id": 3}, {"redeem_request_id": ""}, [], "x"])
def test_consuming_needs_a_request_id(raw, backend, body):
    """Without it a repeated request would cost twice."""
    assert raw.http.post(f"{backend.url}{CREDITS}/consume", json=body).status_code == 400
