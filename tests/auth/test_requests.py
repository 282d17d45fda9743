"""What a login adds to a request, and where it does not go."""

import base64
import json

import pytest

from codex_nb import Bearer, CodexAuth, NotSignedIn
from codex_nb.local import Script
from tests.client.both import got, tell


def jwt(claims):
    """Return a made-up JSON web token."""
    parts = [{"alg": "none"}, claims, {}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def account(**facts):
    """Return a token of an account."""
    return jwt({"https://api.openai.com/auth": {f"chatgpt_{name}": value for name, value in facts.items()}})


def sent(make_backend, face, auth):
    """Return the headers of a request with this login."""
    backend = make_backend(Script())
    tell(face, backend, lambda one: got(one.models.list()), auth=auth)
    return backend.requests[0].headers


def test_the_account_is_read_from_the_token(make_backend, face):
    """Unless it is named."""
    token = account(account_id="acc-of-token")
    assert sent(make_backend, face, Bearer(token))["chatgpt-account-id"] == "acc-of-token"
    assert sent(make_backend, face, Bearer(token, "acc-named"))["chatgpt-account-id"] == "acc-named"
    assert "chatgpt-account-id" not in sent(make_backend, face, Bearer("no-json-web-token"))


@pytest.mark.parametrize(("said", "expected"), [(True, "true"), (False, None), ("true", None), (None, None)])
def test_an_account_of_the_government_is_marked(make_backend, face, said, expected):
    """Its requests are served elsewhere."""
    headers = sent(make_backend, face, Bearer(account(account_id="a", account_is_fedramp=said)))
    assert headers.get("x-openai-fedramp") == expected


def test_a_folder_or_a_locked_file_is_no_login(tmp_path):
    """It is said to be unreadable, not thrown as an OSError."""
    (tmp_path / "auth.json").mkdir()
    with pytest.raises(NotSignedIn) as caught:
        CodexAuth(tmp_path / "auth.json").login()
    assert caught.value.reason == "unreadable"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b'{"tokens": 5}',
        b'{"tokens": {"access_token": 5}}',
        b'{"tokens": {"access_token": "\\ud800"}}',
        b'{"tokens": {"access_token": ""}, "OPENAI_API_KEY": ""}',
        b'{"tokens": {"access_token": " "}, "OPENAI_API_KEY": ["sk-x"]}',
    ],
)
def test_any_file_is_a_login_or_a_reason(tmp_path, content):
    """Other programs write it, and may be stopped half-way."""
    path = tmp_path / "auth.json"
    path.write_bytes(content)
    with pytest.raises(NotSignedIn) as caught:
        CodexAuth(path).login()
    assert caught.value.reason in {"unreadable", "incomplete"}
    assert str(path) in caught.value.message


def test_the_path_may_begin_at_home(tmp_path, monkeypatch):
    """As people write it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert CodexAuth("~/login.json").path == tmp_path / "login.json"
    assert repr(CodexAuth("/x/auth.json", read_only=True)) == "CodexAuth('/x/auth.json', read_only=True)"
