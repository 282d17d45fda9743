"""Signing in a device: a code is shown here and typed there."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from codex_nb.errors import CodexError
from codex_nb.local import jwt
from codex_nb.local.codes import challenge_of
from codex_nb.local.identity import ACCOUNT_ID, CLIENT_ID
from tests.local.raw import FIXTURES

ANONYMOUS = {"authorization": ""}


def post(raw, backend, path, **options):
    """Send without a bearer."""
    return raw.http.post(backend.url + path, headers=ANONYMOUS, **options)


def begin(raw, backend):
    """Ask for a code to show."""
    return post(raw, backend, "/api/accounts/deviceauth/usercode", json={"client_id": CLIENT_ID})


def poll(raw, backend, shown, **changes):
    """Ask whether the code was typed."""
    fields = {"device_auth_id": shown["device_auth_id"], "user_code": shown["user_code"]} | changes
    return post(raw, backend, "/api/accounts/deviceauth/token", json=fields)


def redeem(raw, backend, found, redirect_uri=None):
    """Exchange what the device got for tokens."""
    fields = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": found["authorization_code"],
        "redirect_uri": redirect_uri or f"{backend.url}/deviceauth/callback",
        "code_verifier": found["code_verifier"],
    }
    return post(raw, backend, "/oauth/token", data=fields)


def test_device_sign_in_end_to_end(raw, backend):
    """Pending until the code is approved, then a code with its verifier, then tokens."""
    shown = begin(raw, backend).json()
    assert set(shown) == set(json.loads((FIXTURES / "device_usercode.json").read_text()))
    assert shown["interval"] == "5"
    left = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert poll(raw, backend, shown).status_code == 403
    assert poll(raw, backend, shown).status_code == 403
    backend.approve_device(shown["user_code"])
    found = poll(raw, backend, shown).json()
    assert set(found) == set(json.loads((FIXTURES / "device_token.json").read_text()))
    assert found["code_challenge"] == challenge_of(found["code_verifier"])
    tokens = redeem(raw, backend, found).json()
    assert jwt.claims_of(tokens["id_token"])[jwt.AUTH_CLAIM]["chatgpt_account_id"] == ACCOUNT_ID
    assert tokens["refresh_token"]
    (device,) = backend.state.devices.all()
    assert device.polls == 3


def test_challenge_is_that_of_the_recorded_pair():
    """The known pair of the specification."""
    pair = json.loads((FIXTURES / "device_token.json").read_text())
    assert challenge_of(pair["code_verifier"]) == pair["code_challenge"]


def test_lost_answer_can_be_asked_for_again(raw, backend):
    """The same code comes again; it is exchanged once."""
    shown = begin(raw, backend).json()
    backend.approve_device(shown["user_code"])
    found = poll(raw, backend, shown).json()
    assert poll(raw, backend, shown).json() == found
    assert redeem(raw, backend, found).status_code == 200
    assert redeem(raw, backend, found).status_code == 400


def test_redirect_of_the_service_itself_is_taken(raw, backend):
    """A client whose requests were bent here still names the service; any other address is refused."""
    shown = begin(raw, backend).json()
    backend.approve_device(shown["user_code"])
    found = poll(raw, backend, shown).json()
    assert redeem(raw, backend, found, "https://auth.openai.com/deviceauth/callback").status_code == 200
    shown = begin(raw, backend).json()
    backend.approve_device(shown["user_code"])
    assert redeem(raw, backend, poll(raw, backend, shown).json(), "http://127.0.0.1:1/x").status_code == 400


def test_person_types_the_code_on_the_page(raw, backend):
    """The page takes the code in any case, with blanks around it."""
    shown = begin(raw, backend).json()
    page = raw.get(backend, "/codex/device", headers=ANONYMOUS)
    assert "text/html" in page.headers["content-type"]
    assert 'name="user_code"' in page.text
    wrong = post(raw, backend, "/codex/device", data={"user_code": "<b>XXXX</b>"})
    assert "not known" in wrong.text
    assert "<b>" not in wrong.text
    assert poll(raw, backend, shown).status_code == 403
    done = post(raw, backend, "/codex/device", data={"user_code": f" {shown['user_code'].lower()} "})
    assert "close this page" in done.text
    assert poll(raw, backend, shown).status_code == 200


@pytest.mark.parametrize("on_page", [True, False])
def test_device_can_be_denied(raw, backend, on_page):
    """A no ends the waiting."""
    shown = begin(raw, backend).json()
    if on_page:
        post(raw, backend, "/codex/device", data={"user_code": shown["user_code"], "decision": "deny"})
    else:
        backend.approve_device(shown["user_code"], allow=False)
    reply = poll(raw, backend, shown)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "access_denied")
    with pytest.raises(CodexError, match="denied"):
        backend.approve_device(shown["user_code"])


def test_device_code_expires(raw, backend):
    """After its time a code can neither be approved nor asked for."""
    backend.state.devices.lifetime = 0
    shown = begin(raw, backend).json()
    reply = poll(raw, backend, shown)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "expired_token")
    with pytest.raises(CodexError, match="expired"):
        backend.approve_device(shown["user_code"])


def test_device_sign_in_may_be_switched_off(raw, backend):
    """An account that does not allow it gives 404."""
    backend.state.devices.enabled = False
    assert begin(raw, backend).status_code == 404


def test_interval_is_a_string_of_digits(raw, backend):
    """Official clients reject a number."""
    backend.state.devices.interval = 1
    assert begin(raw, backend).json()["interval"] == "1"


def test_unknown_devices_and_clients_are_refused(raw, backend):
    """A mistyped code, an invented device, another client and no JSON at all."""
    shown = begin(raw, backend).json()
    assert poll(raw, backend, shown, user_code="AAAA-AAAAA").status_code == 404
    assert poll(raw, backend, shown, device_auth_id=None).status_code == 404
    path = "/api/accounts/deviceauth/usercode"
    assert post(raw, backend, path, json={"client_id": "app_other"}).status_code == 400
    assert post(raw, backend, path, content=b"[").status_code == 400
    with pytest.raises(CodexError, match="unknown"):
        backend.approve_device("AAAA-AAAAA")
