"""Models, quota and account of the local backend."""

import time

from codex_nb.local import LocalBackend, Script, Turn
from codex_nb.local.pieces import Usage
from tests.local.raw import events


def test_models_have_an_etag(raw, backend):
    """A known ETag is answered with 304 and no body; responses carry the same tag."""
    first = raw.get(backend, "/backend-api/codex/models?client_version=0.169.0")
    tag = first.headers["etag"]
    again = raw.get(backend, "/backend-api/codex/models", headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert raw.get(backend, "/backend-api/codex/models", headers={"if-none-match": 'W/"x"'}).status_code == 200
    assert raw.post(backend).headers["x-models-etag"] == tag


def test_models_depend_on_the_client_version(raw, backend):
    """An old client does not see new models."""

    def slugs(version):
        reply = raw.get(backend, f"/backend-api/codex/models?client_version={version}")
        return [row["slug"] for row in reply.json()["models"]]

    assert slugs("0.169.0") == ["gpt-6.1-sol", "gpt-5.5", "gpt-5.4", "codex-auto-review"]
    assert slugs("0.130.0") == ["gpt-5.5", "gpt-5.4", "codex-auto-review"]
    assert len(slugs("nonsense")) == 4


def test_usage_grows_with_answers(raw):
    """Each answer fills the windows; headers and endpoint tell the same."""
    spend = Turn(text="x", usage=Usage(input=60, output=40))
    with LocalBackend(Script(turns=[spend] * 3), budget=1000) as backend:

        def percent():
            return raw.get(backend, "/backend-api/wham/usage").json()["rate_limit"]["primary_window"]["used_percent"]

        seen = [percent()]
        for _ in range(3):
            before = raw.post(backend).headers["x-codex-primary-used-percent"]
            assert int(before) == seen[-1]
            seen.append(percent())
        assert seen == [0, 10, 20, 30]


def test_spent_quota_is_refused_with_its_end(raw):
    """At 100 percent answers stop, and the refusal says until when."""
    with LocalBackend(Script(turns=[Turn(text="x", usage=Usage(input=90, output=20))]), budget=100) as backend:
        assert raw.post(backend).status_code == 200
        reply = raw.post(backend)
        error = reply.json()["error"]
        assert (reply.status_code, error["type"], error["plan_type"]) == (429, "usage_limit_reached", "plus")
        assert 17_900 < error["resets_at"] - time.time() <= 18_000
        assert reply.headers["x-codex-primary-used-percent"] == "100"
        assert reply.headers["x-codex-rate-limit-reached-type"] == "rate_limit_reached"
        usage = raw.get(backend, "/backend-api/wham/usage").json()
        assert usage["rate_limit"]["limit_reached"] is True
        assert usage["rate_limit_reached_type"] == {"type": "rate_limit_reached"}


def test_window_that_ends_is_empty_again(raw):
    """When its time is over, a spent window lets requests in."""
    with LocalBackend(Script(), budget=100) as backend:
        backend.state.quota.spend(100)
        assert raw.post(backend).status_code == 429
        backend.state.quota.windows()[0].ends = time.time() - 1
        assert raw.post(backend).status_code == 200


def test_accounts_check_has_the_routing_fields(raw, backend):
    """The official client refuses to start without them."""
    reply = raw.get(backend, "/backend-api/wham/accounts/check").json()
    (entry,) = reply["accounts"]
    assert entry["workspace_backend_origin"] == entry["account_routing_override"] == "NO_CONSTRAINT"
    assert entry["id"] == reply["default_account_id"]
    settings = raw.get(backend, "/backend-api/wham/settings/user")
    assert (settings.json(), settings.headers["cache-control"]) == ({"commit_attribution_enabled": False}, "no-store")


def test_healthz_needs_no_bearer(raw, backend):
    """Whoever starts it can see that it runs."""
    assert raw.get(backend, "/healthz", headers={"authorization": ""}).json() == {"status": "ok"}


def test_broken_off_answers_are_counted(raw):
    """What was generated is spent, heard or not."""
    with LocalBackend(Script(turns=[Turn(text=["many words here "] * 50, pause=0.001)])) as backend:
        with raw.stream(backend) as response:
            next(response.iter_bytes())
        deadline = time.time() + 10
        while not backend.state.quota.windows()[0].used and time.time() < deadline:
            time.sleep(0.001)
        assert backend.state.quota.windows()[0].used > 0


def test_reported_usage_is_what_is_charged(raw, backend):
    """The receipt of an answer and the quota agree."""
    usage = events(raw.post(backend).text)[-1]["response"]["usage"]
    assert backend.state.quota.windows()[0].used == usage["total_tokens"]
