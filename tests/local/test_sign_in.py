"""Signing in through a browser: a code with PKCE, exchanged once, and an API key for it."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlsplit

import pytest

from codex_nb.local import Fault, jwt
from codex_nb.local.identity import ACCOUNT_ID, CLIENT_ID

REDIRECT = "http://127.0.0.1:1455/auth/callback"
SCOPE = "openid profile email offline_access api.connectors.read api.connectors.invoke"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ANONYMOUS = {"authorization": ""}


def pair():
    """Return a verifier and its S256 challenge."""
    verifier = base64.urlsafe_b64encode(secrets.token_bytes(64)).rstrip(b"=").decode()
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize(raw, backend, challenge="x" * 43, **changes):
    """Open the page that a client sends its user to; None takes a parameter away."""
    asked = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": "state-1",
        "scope": SCOPE,
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
        "originator": "codex_cli_rs",
    } | changes
    params = {name: value for name, value in asked.items() if value is not None}
    return raw.get(backend, "/oauth/authorize", params=params, headers=ANONYMOUS, follow_redirects=False)


def answer_of(reply):
    """Return the query that the browser comes back with, after a look at where it goes."""
    assert reply.status_code == 302
    place, _, query = reply.headers["location"].partition("?")
    assert place == REDIRECT
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}


def redeem(raw, backend, code, verifier, /, **changes):
    """Exchange a code by form."""
    fields = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": verifier,
    } | changes
    return raw.http.post(backend.url + "/oauth/token", data=fields, headers=ANONYMOUS)


def test_browser_sign_in_end_to_end(raw, backend):
    """A code comes back at once; with its verifier it becomes tokens that the backend takes."""
    verifier, challenge = pair()
    answer = answer_of(authorize(raw, backend, challenge))
    assert answer["state"] == "state-1"
    reply = redeem(raw, backend, answer["code"], verifier)
    tokens = reply.json()
    assert (reply.status_code, reply.headers["cache-control"], tokens["scope"]) == (200, "no-store", SCOPE)
    identity, access = jwt.claims_of(tokens["id_token"]), jwt.claims_of(tokens["access_token"])
    claims = identity[jwt.AUTH_CLAIM]
    assert (identity["email"], identity["aud"]) == ("ada@example.com", [CLIENT_ID])
    assert (claims["chatgpt_account_id"], claims["chatgpt_plan_type"]) == (ACCOUNT_ID, "plus")
    assert claims["chatgpt_account_is_fedramp"] is False
    assert claims["organization_id"]
    assert claims["chatgpt_user_id"] == claims["user_id"] == access[jwt.AUTH_CLAIM]["chatgpt_user_id"]
    assert access["scp"] == SCOPE.split()
    backend.state.tokens.strict = True
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert raw.get(backend, "/backend-api/wham/usage", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:1455/auth/callback",
        "http://127.0.0.1:1457/auth/callback",
        "http://127.0.0.1:40001/auth/callback",
        "http://[::1]:1455/auth/callback",
    ],
)
def test_any_loopback_port_may_be_redirected_to(raw, backend, address):
    """The registered port and its fallback are only the usual ones."""
    reply = authorize(raw, backend, redirect_uri=address)
    assert reply.status_code == 302
    assert reply.headers["location"].startswith(f"{address}?code=ac_")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": None},
        {"redirect_uri": "https://127.0.0.1:1455/auth/callback"},
        {"redirect_uri": "http://evil.example:1455/auth/callback"},
        {"redirect_uri": "http://127.0.0.1@evil.example:1455/auth/callback"},
        {"redirect_uri": "http://evil@127.0.0.1:1455/auth/callback"},
        {"redirect_uri": "http://127.0.0.1/auth/callback"},
        {"redirect_uri": "http://127.0.0.1:99999/auth/callback"},
        {"redirect_uri": "http://127.0.0.1:1455/other"},
        {"client_id": "app_other"},
        {"client_id": None},
    ],
)
def test_untrusted_addresses_get_no_browser_back(raw, backend, changes):
    """Without a known client and its own listener the mistake is shown on the spot."""
    reply = authorize(raw, backend, **changes)
    assert (reply.status_code, reply.headers.get("location")) == (400, None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"allowed_workspace_id": "another,one"}, "access_denied"),
    ],
)
def test_other_mistakes_come_back_as_an_error(raw, backend, changes, error):
    """The client's listener is told, with the state it sent."""
    answer = answer_of(authorize(raw, backend, **changes))
    assert (answer["error"], "code" in answer) == (error, False)
    assert answer.get("state") == ({"state": "state-1"} | changes)["state"]


def test_sign_in_can_be_denied(raw, backend):
    """A person may say no, and an account may lack the right."""
    backend.state.codes.denial = "missing_codex_entitlement"
    answer = answer_of(authorize(raw, backend))
    assert (answer["error"], answer["error_description"]) == ("access_denied", "missing_codex_entitlement")


def test_own_workspace_is_allowed(raw, backend):
    """A client may insist on a workspace, one of several."""
    assert "code" in answer_of(authorize(raw, backend, allowed_workspace_id=f"other,{ACCOUNT_ID}"))


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "A" * 43},
        {"code_verifier": "short"},
        {"redirect_uri": REDIRECT.replace("127.0.0.1", "localhost")},
        {"code": "ac_unknown"},
    ],
)
def test_code_needs_its_verifier_and_address(raw, backend, changes):
    """Whoever picks a code up cannot use it, and the real client cannot use it afterwards either."""
    verifier, challenge = pair()
    code = answer_of(authorize(raw, backend, challenge))["code"]
    reply = redeem(raw, backend, code, verifier, **changes)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
    again = redeem(raw, backend, code, verifier)
    assert again.status_code == (200 if "code" in changes else 400)


def test_code_works_once(raw, backend):
    """The second exchange fails, and leaves the tokens of the first alone."""
    verifier, challenge = pair()
    code = answer_of(authorize(raw, backend, challenge))["code"]
    assert redeem(raw, backend, code, verifier).status_code == 200
    reply = redeem(raw, backend, code, verifier)
    assert (reply.status_code, "already used" in reply.json()["error_description"]) == (400, True)


def test_code_expires(raw, backend):
    """A code that lay about is worthless."""
    backend.state.codes.lifetime = 0
    verifier, challenge = pair()
    reply = redeem(raw, backend, answer_of(authorize(raw, backend, challenge))["code"], verifier)
    assert (reply.status_code, "expired" in reply.json()["error_description"]) == (400, True)


@pytest.mark.parametrize("name", ["code", "redirect_uri", "code_verifier"])
def test_missing_fields_are_named(raw, backend, name):
    """Nothing is used up by a request that is not whole."""
    verifier, challenge = pair()
    code = answer_of(authorize(raw, backend, challenge))["code"]
    reply = redeem(raw, backend, code, verifier, **{name: ""})
    assert (reply.status_code, name in reply.json()["error"]["message"]) == (400, True)
    assert redeem(raw, backend, code, verifier).status_code == 200


def test_codes_are_exchanged_by_form_only(raw, backend):
    """A JSON body is refused before the code is looked at."""
    fields = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "code": "x"}
    reply = raw.http.post(backend.url + "/oauth/token", json=fields, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_without_offline_access_there_is_no_refresh_token(raw, backend):
    """The scope decides what is granted; words that are unknown are dropped."""
    verifier, challenge = pair()
    code = answer_of(authorize(raw, backend, challenge, scope="openid email fly"))["code"]
    tokens = redeem(raw, backend, code, verifier).json()
    assert (tokens["scope"], "refresh_token" in tokens) == ("openid email", False)


def api_key(raw, backend, subject, kind="id_token"):
    """Exchange a token for a platform key."""
    fields = {
        "grant_type": EXCHANGE,
        "client_id": CLIENT_ID,
        "requested_token": "openai-api-key",
        "subject_token": subject,
        "subject_token_type": f"urn:ietf:params:oauth:token-type:{kind}",
    }
    return raw.http.post(backend.url + "/oauth/token", data=fields, headers=ANONYMOUS)


@pytest.mark.parametrize("kind", ["id_token", "access_token"])
def test_api_key_for_a_token(raw, backend, kind):
    """The key is a bearer of its own until it is revoked."""
    backend.state.tokens.strict = True
    key = api_key(raw, backend, backend.state.tokens.issue()[kind], kind).json()["access_token"]
    assert key.startswith("sk-")
    bearer = {"authorization": f"Bearer {key}"}
    assert raw.get(backend, "/v1/models", headers=bearer).status_code == 200
    backend.state.tokens.revoke(key)
    assert raw.get(backend, "/v1/models", headers=bearer).status_code == 401


def test_personal_account_gets_no_api_key(raw, backend):
    """Without an organization the exchange fails, and the sign-in stays good."""
    backend.state.account.organization = None
    issued = backend.state.tokens.issue()
    assert "organization_id" not in jwt.claims_of(issued["id_token"])[jwt.AUTH_CLAIM]
    reply = api_key(raw, backend, issued["id_token"])
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "invalid_subject_token")
    bearer = {"authorization": f"Bearer {issued['access_token']}"}
    assert raw.get(backend, "/v1/models", headers=bearer).status_code == 200


def test_api_key_needs_a_live_token(raw, backend):
    """Text that is no token, an expired one, and another kind are refused."""
    assert api_key(raw, backend, "x").status_code == 401
    assert api_key(raw, backend, jwt.encode({"exp": 1})).status_code == 401
    assert api_key(raw, backend, backend.state.tokens.issue()["id_token"], "jwt").status_code == 400


def test_faults_strike_the_browser_too(raw, backend):
    """Every address of the sign-in can be made to fail."""
    backend.inject(Fault.server_error(path="/oauth/authorize", method="GET"))
    assert authorize(raw, backend).status_code == 503
    assert urlsplit(authorize(raw, backend).headers["location"]).port == 1455
