"""Logins: every form of the file is read, a request carries the right one, and no token shows."""

import json
import logging
import pickle
import shutil
import traceback
from pathlib import Path

import pytest

from codex_nb import Bearer, CodexAuth, InvalidOption, NotSignedIn, Session
from codex_nb.auth.claims import Claims
from codex_nb.local import Fault, Script

FIXTURES = Path(__file__).parents[1] / "fixtures"
ACCOUNT = "7b1e0a52-5c1d-4a0e-9a44-0c9d5a6f0001"


@pytest.mark.parametrize("name", ["auth_chatgpt_new", "auth_chatgpt_old", "auth_sdk033"])
def test_every_form_of_the_login_file_is_read(name):
    """New and old files of the CLI, and those of other tools."""
    login = CodexAuth(FIXTURES / f"{name}.json").login()
    assert login.claims == Claims("ada@example.com", "plus", ACCOUNT, 1793707200.0, fedramp=False)
    assert login.refresh_token == "rt_fake_1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "missing"),
        ("{broken", "unreadable"),
        ('["list"]', "incomplete"),
        ('{"tokens": {"access_token": "two\\nlines"}}', "incomplete"),
        ((FIXTURES / "auth_apikey.json").read_text(), "api_key"),
    ],
)
def test_no_usable_login_says_why_and_quotes_nothing(tmp_path, content, reason):
    """The reason is a word, the hint says what to do, the file's content is nowhere."""
    path = tmp_path / "auth.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(NotSignedIn) as caught:
        CodexAuth(path).login()
    assert caught.value.reason == reason
    assert caught.value.hint
    shown = "".join(traceback.format_exception(caught.value))
    assert "sk-fake-0000" not in shown
    assert "broken" not in shown


def test_nothing_is_sent_without_a_login(make_backend, face):
    """The default login is looked for in CODEX_HOME, which is empty here."""
    backend = make_backend(Script())
    with pytest.raises(NotSignedIn):
        face.run(backend, lambda one: one.models.list(), auth=None)
    assert backend.requests == []


def test_requests_carry_token_and_account(make_backend, face):
    """As the official client sends them."""
    backend = make_backend(Script())
    login = backend.auth_json()
    face.run(backend, lambda one: one.models.list(), auth=Bearer(login["tokens"]["access_token"]))
    headers = backend.requests[0].headers
    assert headers["authorization"] == f"Bearer {login['tokens']['access_token']}"
    assert headers["chatgpt-account-id"] == login["tokens"]["account_id"]
    assert headers["originator"] == "codex_cli_rs"
    assert "codex_nb/" in headers["user-agent"]


def test_a_refused_token_is_read_again_once(make_backend, face, tmp_path):
    """Another program may have renewed the login meanwhile."""
    backend = make_backend(Script())
    path = tmp_path / "auth.json"
    path.write_text(json.dumps(login := backend.auth_json()))
    backend.state.tokens.revoke(login["tokens"]["access_token"])

    class Renewing(CodexAuth):
        reads = 0

        def login(self):
            self.reads += 1
            if self.reads == 2:
                path.write_text(json.dumps(backend.auth_json()))
            return super().login()

    assert len(face.run(backend, lambda one: one.models.list(), auth=Renewing(path))) > 0
    assert [request.path for request in backend.requests] == ["/backend-api/codex/models"] * 2


@pytest.mark.parametrize("token", ["", "two words", "line\nend", "ü"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token):
    """Early, and without quoting it."""
    with pytest.raises(NotSignedIn) as caught:
        Bearer(token)
    assert not token.strip() or token not in str(caught.value)


def test_a_token_of_a_variable_that_is_not_set_is_an_option_that_is_none():
    """``Bearer(os.environ.get("KEY"))``."""
    with pytest.raises(InvalidOption, match="NoneType"):
        Bearer(None)


@pytest.mark.parametrize("text", ["", "a.b.c", "a.!!!.c", "only-one", "x." + "A" * 5000 + ".y"])
def test_claims_of_no_token_are_empty(text):
    """Whatever stands there, it is no exception."""
    assert Claims.read(text) == Claims()


def test_no_token_shows_anywhere(make_backend, tmp_path, caplog):
    """Reprs, pickles, logs, errors and tracebacks with local variables are searched for every piece of it."""
    from IPython.core.ultratb import VerboseTB

    caplog.set_level(logging.INFO)
    backend = make_backend(Script())
    login = backend.auth_json()
    tokens = [value for name, value in login["tokens"].items() if name.endswith("token")]
    shutil.copy(FIXTURES / "auth_chatgpt_new.json", tmp_path / "other.json")
    (tmp_path / "auth.json").write_text(json.dumps(login))
    seen = []
    access = login["tokens"]["access_token"]
    for fault in (
        Fault.reply(401, {"detail": f"bad {access}"}),
        Fault.reply(403, f"<html>{access}</html>"),
        Fault.reply(500, access, headers={"x-request-id": access}),
        Fault.reply(200, {"error": {"message": access}}),
        Fault.drop(),
    ):
        (tmp_path / "auth.json").write_text(json.dumps(login))
        backend.inject(fault)
        with Session(backend.url, auth=CodexAuth(tmp_path / "auth.json"), model="gpt-5.4", max_retries=0) as session:
            seen += [repr(session), repr(session.auth), repr(session.auth.login()), repr(vars(session))]
            try:
                session.responses.create(input="x")
            except Exception as error:  # noqa: BLE001 - each of them is searched
                seen += [repr(error), str(error), repr(vars(error)), "".join(traceback.format_exception(error))]
                seen += error._render_traceback_()
                seen.append(repr(pickle.loads(pickle.dumps(error)).__dict__))  # noqa: S301
                seen.append(VerboseTB(include_vars=True).text(type(error), error, error.__traceback__))
    seen += [record.getMessage() for record in caplog.records]
    everything = "\n".join(seen)
    for token in tokens:
        for start in range(0, len(token) - 24, 12):
            assert token[start : start + 24] not in everything
