"""No piece of a login shows while it is made, renewed or ended: whatever the service answers, wherever it is quoted."""

import logging
import os
import pickle
import traceback

import pytest
from IPython.core.ultratb import VerboseTB

from codex_nb import CodexAuth, CodexError
from codex_nb.local import Fault, Script
from tests.auth.logins import LoginFile
from tests.client.both import got, tell

# Tokens that look like no known kind, so that nothing but their being tokens can hide them.
REFRESH = "Zq7-refresh_0aB1cD2eF3gH4iJ5kL6mN7oP8"
NEW = "Qx9-renewed_9zY8xW7vU6tS5rQ4pO3nM2lK1"
PIECE = 12


def shown_of(error):
    """Return everything that a person, a log or another process may see of an error."""
    yield from (repr(error), str(error), repr(vars(error)), *error._render_traceback_())
    trace = error.__traceback__
    while trace and "/codex_nb/" not in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next  # the test's own variables
    error.__traceback__ = trace
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    yield "".join(told.format())
    yield VerboseTB(theme_name="nocolor", include_vars=True).text(type(error), error, error.__traceback__)
    cause = error
    while cause:  # tblib, which Dask brings, pickles all of them
        yield pickle.dumps(cause).decode("latin-1")
        cause = cause.__cause__ or cause.__context__


def assert_hidden(secrets, shown):
    """Search for every piece."""
    everything = "\n".join(shown)
    assert "codex_nb" in everything
    for secret in secrets:
        for start in range(0, len(secret) - PIECE + 1, 3):
            at = everything.find(secret[start : start + PIECE])
            assert at < 0, everything[max(0, at - 400) : at + 60]


ANSWERS = {
    "a refusal": Fault.reply(401, {"error": {"message": f"bad {REFRESH}", "code": "refresh_token_expired"}}),
    "a refusal of an unknown kind": Fault.reply(400, {"error": {"message": REFRESH, "code": REFRESH}}),
    "a failure": Fault.reply(500, f"no {REFRESH}", headers={"x-echo": REFRESH}),
    "throttling": Fault.reply(429, {"error": {"message": REFRESH}}, headers={"retry-after": "99"}),
    "a page": Fault.reply(403, f"<html>{REFRESH}</html>"),
    "a redirect": Fault.redirect(f"http://127.0.0.1:9/{REFRESH}"),
    "no tokens": Fault.reply(200, {"refresh": REFRESH, "echo": NEW}),
    "no JSON": Fault.reply(200, f"{REFRESH} {NEW}"),
    "nothing": Fault.drop(),
    "tokens that cannot be used": Fault.reply(200, {"access_token": f"{NEW} x", "refresh_token": [NEW]}),
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("lifetime", [-10, 9000])
def test_a_renewal_that_fails_shows_no_token(make_backend, face, tmp_path, caplog, case, lifetime):
    """Before a request and after a refusal."""
    caplog.set_level(logging.DEBUG)
    backend = make_backend(Script())
    file = LoginFile(tmp_path, backend, lifetime=lifetime, refresh_token=REFRESH)
    tokens = [value for name, value in file.tokens.items() if name.endswith("token")]
    if lifetime > 0:
        backend.state.tokens.revoke(file.tokens["access_token"])
    backend.inject(ANSWERS[case].on("/oauth/token"))
    auth = file.auth
    with pytest.raises(CodexError) as caught:
        tell(face, backend, lambda one: got(one.models.list()), auth=auth)
    assert caught.value.hint
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("codex_nb", "httpx"))]
    assert_hidden(
        [*tokens, NEW], [*shown_of(caught.value), *ours, repr(auth), repr(vars(auth)), repr(pickle.dumps(auth))]
    )


def test_a_login_that_cannot_be_written_shows_no_token(make_backend, face, tmp_path, monkeypatch):
    """The new tokens are in hand then."""
    backend = make_backend(Script())
    file = LoginFile(tmp_path, backend)
    content, calls = file.content, []

    def full(_handle):
        calls.append(1)
        if len(calls) > 1:  # the first time it is only tried out
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CodexError, match="No space") as caught:
        tell(face, backend, lambda one: got(one.models.list()), auth=file.auth)
    assert file.content == content
    assert file.others() == []
    issued = backend.state.tokens
    assert len(issued._grants) == 2
    assert_hidden([*issued._grants, *issued._bearers, file.tokens["id_token"]], shown_of(caught.value))


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_sign_in_that_fails_shows_neither_code_nor_token(make_backend, face, tmp_path, status):
    """By device, because every secret of it comes over the wire."""
    backend = make_backend(Script())
    backend.state.devices.interval = 0
    secret = {"authorization_code": REFRESH, "code_verifier": NEW}
    backend.inject(
        Fault.reply(200, secret).on("*/deviceauth/token"),
        Fault.reply(status, {"error": REFRESH, "access_token": NEW, "echo": REFRESH}).on("/oauth/token"),
    )

    class Silent:
        def code(self, *_):
            pass

    with pytest.raises(CodexError) as caught:
        tell(
            face,
            backend,
            lambda one: got(one.login("device", prompt=Silent())),
            auth=CodexAuth(tmp_path / "auth.json"),
        )
    device = backend.state.devices.all()[0]
    assert_hidden([REFRESH, NEW, device.id], shown_of(caught.value))
    assert not (tmp_path / "auth.json").exists()
