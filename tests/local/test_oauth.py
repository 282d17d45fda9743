"""The token endpoint: refresh tokens rotate and notice reuse."""

import json
import time

import pytest

from codex_nb.local import jwt
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
