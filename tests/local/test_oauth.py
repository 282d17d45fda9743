"""The token endpoint: refresh tokens rotate and notice reuse."""

import json
import time

import httpx
import pytest

from codex_nb.local import Fault, jwt
from codex_nb.local.identity import ACCOUNT_ID, CLIENT_ID
from tests.local.raw import FIXTURES


def refresh(raw, backend, token, *, form=False, **changes):
    """Exchange a refresh token, by JSON or form."""
    fields = {"client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": token} | changes
    options = {"data": fields} if form else {"json": fields}
    return raw.http.post(backend.url + "/oauth/token", headers={"authorization": ""}, **options)


@pytest.mark.parametrize("form", [False, True])
def test_refresh_rotates(raw, backend, form):
    """A refresh gives all three tokens new, and the new one works in turn."""
    old = backend.auth_json()["tokens"]
    new = refresh(raw, backend, old["refresh_token"], form=form).json()
    assert new["refresh_token"] != old["refresh_token"]
    assert new["access_token"] != old["access_token"]
    claims = jwt.claims_of(new["access_token"])
    assert claims[jwt.AUTH_CLAIM]["chatgpt_account_id"] == ACCOUNT_ID
    assert claims[jwt.AUTH_CLAIM]["chatgpt_plan_type"] == "plus"
    assert claims["exp"] == pytest.approx(time.time() + 864_000, abs=5)
    assert refresh(raw, backend, new["refresh_token"]).status_code == 200


def test_reuse_is_noticed(raw, backend):
    """A refresh token works once; the second time is the recorded error."""
    token = backend.auth_json()["tokens"]["refresh_token"]
    refresh(raw, backend, token)
    reply = refresh(raw, backend, token)
    assert reply.status_code == 401
    assert reply.json() == json.loads((FIXTURES / "oauth_token_error_reused.json").read_text())


@pytest.mark.parametrize("reason", ["expired", "invalidated"])
def test_refused_tokens_give_the_recorded_error(raw, backend, reason):
    """Expired and revoked sign-ins are told apart."""
    token = backend.auth_json()["tokens"]["refresh_token"]
    backend.state.tokens.refuse(token, reason)
    reply = refresh(raw, backend, token)
    assert reply.status_code == 401
    assert reply.json() == json.loads((FIXTURES / f"oauth_token_error_{reason}.json").read_text())


def test_unknown_token_is_an_invalid_grant(raw, backend):
    """A token from elsewhere is refused in the string form."""
    reply = refresh(raw, backend, "rt_from_elsewhere")
    assert reply.status_code == 400
    assert reply.json() == json.loads((FIXTURES / "oauth_token_error_invalid_grant.json").read_text())


def test_other_mistakes_are_400(raw, backend):
    """A missing client id, another grant and a body that is no JSON are refused."""
    token = backend.auth_json()["tokens"]["refresh_token"]
    assert refresh(raw, backend, token, client_id="").status_code == 400
    assert refresh(raw, backend, token, grant_type="password").json()["error"] == "unsupported_grant_type"
    assert raw.http.post(backend.url + "/oauth/token", content=b"{").status_code == 400
    assert refresh(raw, backend, token).status_code == 200


def test_auth_json_can_be_expired_already(raw, backend):
    """A negative lifetime gives a login that must be refreshed first."""
    token = backend.auth_json(lifetime=-10)["tokens"]["access_token"]
    assert raw.get(backend, "/v1/models", headers={"authorization": f"Bearer {token}"}).status_code == 401


def status_of(raw, backend, bearer):
    """Return how a bearer is received."""
    return raw.get(backend, "/v1/models", headers={"authorization": f"Bearer {bearer}"}).status_code


def test_other_client_ids_are_refused(raw, backend):
    """Only the registered client is served."""
    token = backend.auth_json()["tokens"]["refresh_token"]
    assert refresh(raw, backend, token, client_id="app_other").json()["error"] == "invalid_client"
    assert refresh(raw, backend, token).status_code == 200


def test_refreshes_are_counted(raw, backend):
    """Only those that succeed."""
    token = backend.auth_json()["tokens"]["refresh_token"]
    for _ in range(2):
        refresh(raw, backend, token)
    assert backend.state.tokens.refreshes == 1


@pytest.mark.parametrize("overlap", [False, True])
def test_replaced_access_tokens_are_refused(raw, backend, overlap):
    """A refresh ends the access token before it, unless both may overlap."""
    backend.state.tokens.overlap = overlap
    old = backend.auth_json()["tokens"]
    new = refresh(raw, backend, old["refresh_token"]).json()
    assert status_of(raw, backend, new["access_token"]) == 200
    reply = raw.get(backend, "/v1/models", headers={"authorization": f"Bearer {old['access_token']}"})
    assert reply.status_code == (200 if overlap else 401)
    if not overlap:
        assert reply.json() == json.loads((FIXTURES / "401_token_invalidated.json").read_text())


def test_next_refresh_can_be_made_to_fail(raw, backend):
    """The failures come in order and use nothing up; 400 is a status for them too."""
    tokens = backend.state.tokens
    token = backend.auth_json()["tokens"]["refresh_token"]
    tokens.fail_next("reused", times=2)
    tokens.fail_next("invalid_grant")
    tokens.refusal_status = 400
    replies = [refresh(raw, backend, token) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [400, 400, 400, 200]
    assert replies[1].json()["error"]["code"] == "refresh_token_reused"
    assert replies[2].json()["error"] == "invalid_grant"


def test_refresh_tokens_can_expire(raw, backend):
    """Their lifetime holds for those issued later."""
    before = backend.auth_json()["tokens"]["refresh_token"]
    backend.state.tokens.refresh_lifetime = 0
    late = backend.auth_json()["tokens"]["refresh_token"]
    assert refresh(raw, backend, late).json()["error"]["code"] == "refresh_token_expired"
    assert refresh(raw, backend, before).status_code == 200


def test_access_lifetime_is_a_setting(raw, backend):
    """The next refresh gives a token of that length."""
    backend.state.tokens.lifetime = 120
    new = refresh(raw, backend, backend.auth_json()["tokens"]["refresh_token"]).json()
    assert new["expires_in"] == 120
    assert jwt.claims_of(new["access_token"])["exp"] == pytest.approx(time.time() + 120, abs=5)


def test_refresh_may_answer_with_a_part(raw, backend):
    """What is left out means: keep the old one. An old refresh token then stays good."""
    backend.state.tokens.omitted = {"id_token", "refresh_token"}
    token = backend.auth_json()["tokens"]["refresh_token"]
    for _ in range(2):
        assert set(refresh(raw, backend, token).json()) == {"access_token", "token_type", "expires_in", "scope"}


def test_slow_refresh_has_rotated_before_it_answers(raw, backend):
    """A client that gives up waiting has lost its token: the dangerous moment of every refresh."""
    backend.state.tokens.delay = 30
    token = backend.auth_json()["tokens"]["refresh_token"]
    fields = {"client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": token}
    with pytest.raises(httpx.ReadTimeout):
        raw.http.post(backend.url + "/oauth/token", json=fields, timeout=0.2)
    backend.state.tokens.delay = 0
    assert refresh(raw, backend, token).json()["error"]["code"] == "refresh_token_reused"


def test_all_sign_ins_can_be_ended(raw, backend):
    """Logged out everywhere: no token of any kind is good any more, and a new sign-in is."""
    logins = [backend.auth_json()["tokens"] for _ in range(2)]
    backend.state.tokens.revoke_all()
    for login in logins:
        assert status_of(raw, backend, login["access_token"]) == 401
        assert refresh(raw, backend, login["refresh_token"]).json()["error"]["code"] == "refresh_token_invalidated"
    assert status_of(raw, backend, backend.auth_json()["tokens"]["access_token"]) == 200


def revoke(raw, backend, **fields):
    """Revoke a token."""
    return raw.http.post(backend.url + "/oauth/revoke", json=fields, headers={"authorization": ""})


def test_revoked_refresh_token_ends_its_sign_in(raw, backend):
    """Its access tokens go with it; other sign-ins stay."""
    mine, other = (backend.auth_json()["tokens"] for _ in range(2))
    reply = revoke(raw, backend, token=mine["refresh_token"], token_type_hint="refresh_token", client_id=CLIENT_ID)
    assert reply.status_code == 200
    assert status_of(raw, backend, mine["access_token"]) == 401
    assert refresh(raw, backend, mine["refresh_token"]).json()["error"]["code"] == "refresh_token_invalidated"
    assert status_of(raw, backend, other["access_token"]) == 200


def test_revoked_access_token_leaves_its_sign_in(raw, backend):
    """Only that token is refused."""
    tokens = backend.auth_json()["tokens"]
    assert revoke(raw, backend, token=tokens["access_token"], token_type_hint="access_token").status_code == 200
    assert status_of(raw, backend, tokens["access_token"]) == 401
    assert refresh(raw, backend, tokens["refresh_token"]).status_code == 200


def test_revoking_needs_a_token_and_for_refresh_tokens_the_client(raw, backend):
    """An unknown token is as good as revoked."""
    token = backend.auth_json()["tokens"]["refresh_token"]
    assert revoke(raw, backend).status_code == 400
    assert revoke(raw, backend, token=3).status_code == 400
    assert revoke(raw, backend, token="elsewhere").status_code == 200
    assert revoke(raw, backend, token=token, token_type_hint="refresh_token").status_code == 401
    assert refresh(raw, backend, token).status_code == 200


def test_strict_backend_takes_its_own_tokens_only(raw, backend):
    """By default any bearer will do; a strict backend says that it cannot read one from elsewhere."""
    assert status_of(raw, backend, "from-elsewhere") == 200
    backend.state.tokens.strict = True
    reply = raw.get(backend, "/v1/models", headers={"authorization": "Bearer from-elsewhere"})
    assert (reply.status_code, "Could not parse" in reply.json()["detail"]) == (401, True)
    assert status_of(raw, backend, backend.auth_json()["tokens"]["access_token"]) == 200


def test_faults_strike_the_token_endpoint(raw, backend):
    """A burst of 5xx, then the refresh works: the fault came before anything was used up."""
    token = backend.auth_json()["tokens"]["refresh_token"]
    backend.inject(Fault.server_error(500, path="*/oauth/token", times=2))
    assert [refresh(raw, backend, token).status_code for _ in range(3)] == [500, 500, 200]


def test_plan_and_routing_of_the_account_are_in_its_tokens(raw, backend):
    """A plan no client knows, and an account of another kind."""
    backend.state.account.plan, backend.state.account.fedramp = "galactic", True
    claims = jwt.claims_of(backend.auth_json()["tokens"]["id_token"])[jwt.AUTH_CLAIM]
    assert (claims["chatgpt_plan_type"], claims["chatgpt_account_is_fedramp"]) == ("galactic", True)
