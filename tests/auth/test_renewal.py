"""A login is renewed when it is time, once for everybody, and not a moment longer than it can be."""

import asyncio
import json
import os
import threading
import time

import pytest

from codex_nb import (
    APIConnectionError,
    AuthenticationError,
    CodexAuth,
    InternalServerError,
    NotSignedIn,
    Session,
    SignInExpired,
)
from codex_nb.auth.lock import LoginLock
from codex_nb.local import Fault, Script
from tests.auth.logins import LoginFile, asked, refreshes
from tests.client.both import got, tell

MODELS = "/backend-api/codex/models"


def list_models(face, backend, auth, **options):
    """Send one request."""
    return tell(face, backend, lambda one: got(one.models.list(refresh=True)), auth=auth, **options)


@pytest.fixture
def backend(make_backend):
    """A scripted backend."""
    return make_backend(Script())


@pytest.mark.parametrize(("seconds", "expected"), [(-10, 1), (240, 1), (360, 0), (864_000, 0)])
def test_a_login_is_renewed_five_minutes_before_its_end(backend, face, tmp_path, seconds, expected):
    """Not earlier, and in the official client's words."""
    file = LoginFile(tmp_path, backend, lifetime=seconds)
    before = file.tokens
    list_models(face, backend, file.auth)
    assert len(refreshes(backend)) == expected
    assert [request.path for request in backend.requests] == ["/oauth/token"] * expected + [MODELS]
    assert asked(backend)[0].headers["authorization"] == f"Bearer {file.tokens['access_token']}"
    if expected:
        body = refreshes(backend)[0].body
        assert body["grant_type"] == "refresh_token"
        assert body["refresh_token"] == before["refresh_token"]
        assert body["refresh_reason"] == "proactive_expiry"
        assert body["client_id"] == "app_EMoamEEZ73f0CkXaXp7hrann"
        assert "authorization" not in refreshes(backend)[0].headers
        assert file.tokens["refresh_token"] != before["refresh_token"]
        assert file.content["last_refresh"].endswith("Z")
    file.assert_whole()
    assert file.others() == []


@pytest.mark.parametrize(("when", "expected"), [("2020-01-01T00:00:00.123456789Z", 1), ("", 0), (None, 0), (7, 0)])
def test_a_token_without_an_end_is_renewed_by_the_age_of_the_file(backend, face, tmp_path, when, expected):
    """Eight days; a file that does not say is left alone."""
    file = LoginFile(tmp_path, backend, access_token="no-json-web-token")
    file.write({**file.content, "last_refresh": when})
    list_models(face, backend, file.auth)
    assert len(refreshes(backend)) == expected


def test_a_refused_token_is_renewed_once(backend, face, tmp_path):
    """401, refresh, again: three requests."""
    file = LoginFile(tmp_path, backend, lifetime=9000)
    backend.state.tokens.revoke(file.tokens["access_token"])
    list_models(face, backend, file.auth)
    assert [request.path for request in backend.requests] == [MODELS, "/oauth/token", MODELS]
    assert refreshes(backend)[0].body["refresh_reason"] == "unauthorized_recovery"
    file.assert_whole()


def test_a_service_that_always_refuses_is_an_error_not_a_loop(backend, face, tmp_path):
    """One refresh, one retry."""
    file = LoginFile(tmp_path, backend, lifetime=9000)
    backend.inject(Fault.reply(401, {"detail": "Unauthorized"}, times=None).on("*/models"))
    with pytest.raises(SignInExpired, match="Unauthorized"):
        list_models(face, backend, file.auth, max_retries=2)
    assert [request.path for request in backend.requests] == [MODELS, "/oauth/token", MODELS]


@pytest.mark.parametrize("reason", ["expired", "reused", "invalidated"])
def test_a_login_that_cannot_be_renewed_says_why(backend, face, tmp_path, reason):
    """What happened, what to do; the refusal is remembered until the file changes."""
    file = LoginFile(tmp_path, backend)
    file.refuse(reason)
    before, auth = file.path.read_bytes(), file.auth
    for _ in range(2):
        with pytest.raises(SignInExpired) as caught:
            list_models(face, backend, auth)
        assert caught.value.reason == {"invalidated": "revoked"}.get(reason, reason)
        assert "login" in caught.value.hint
    assert len(backend.requests) == 1
    assert file.path.read_bytes() == before
    file.sign_in()
    list_models(face, backend, auth)


def test_an_unknown_refresh_token_is_refused(backend, face, tmp_path):
    """As the endpoint's ``invalid_grant`` has it, a text in place of an object."""
    file = LoginFile(tmp_path, backend, refresh_token="rt_of_somebody_else")
    with pytest.raises(SignInExpired) as caught:
        list_models(face, backend, file.auth)
    assert caught.value.reason == "invalid"


def test_a_missing_refresh_token_is_an_expired_login(backend, face, tmp_path):
    """There is nothing to ask with."""
    file = LoginFile(tmp_path, backend, refresh_token=None)
    with pytest.raises(SignInExpired):
        list_models(face, backend, file.auth)
    assert backend.requests == []


@pytest.mark.parametrize("reason", ["reused", "expired"])
def test_a_program_that_won_without_the_lock_is_believed(backend, face, tmp_path, reason):
    """The file is read once more after a refusal."""
    file = LoginFile(tmp_path, backend)
    file.refuse(reason)

    class Won(CodexAuth):
        pass

    def win():
        while not refreshes(backend):
            time.sleep(0.002)
        file.sign_in(lifetime=9000)

    backend.inject(Fault(stall=0.3, path="/oauth/token"))
    other = threading.Thread(target=win)
    other.start()
    list_models(face, backend, Won(file.path))
    other.join()
    assert asked(backend)[0].headers["authorization"] == f"Bearer {file.tokens['access_token']}"


@pytest.mark.parametrize(
    "fault",
    [
        Fault.server_error(500, times=None),
        Fault.drop(times=None),
        Fault.reply(429, {"detail": "slow"}, times=None),
        Fault.reply(403, "<html>no</html>", times=None),
        Fault.reply(200, "<html>a portal</html>", times=None),
        Fault.reply(400, {"error": {"code": "refresh_token_expired"}}, times=None),
    ],
)
def test_a_token_that_still_serves_is_used_when_the_refresh_fails(backend, face, tmp_path, fault):
    """And the refresh is not tried at each request."""
    file = LoginFile(tmp_path, backend, lifetime=200)
    before, auth = file.path.read_bytes(), file.auth
    backend.inject(fault.on("/oauth/token"))
    for _ in range(3):
        list_models(face, backend, auth)
    assert len(refreshes(backend)) == 1
    assert len(asked(backend)) == 3
    assert file.path.read_bytes() == before


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.server_error(500), InternalServerError),
        (Fault.drop(), APIConnectionError),
        (Fault.reply(200, "<html>a portal</html>"), Exception),
    ],
)
def test_an_expired_login_whose_refresh_fails_is_not_over(backend, face, tmp_path, fault, kind):
    """The error is that of the refresh; the next request tries it again."""
    file = LoginFile(tmp_path, backend)
    auth = file.auth
    backend.inject(fault.on("/oauth/token"))
    with pytest.raises(kind) as caught:
        list_models(face, backend, auth)
    assert not isinstance(caught.value, SignInExpired)
    assert asked(backend) == []
    list_models(face, backend, auth)


def test_a_burst_of_failures_is_sat_out(backend, face, tmp_path):
    """By the session's own retry policy."""
    file = LoginFile(tmp_path, backend)
    backend.inject(Fault.reply(503, "", headers={"retry-after": "0"}, times=2).on("/oauth/token"))
    list_models(face, backend, file.auth, max_retries=2)
    assert len(refreshes(backend)) == 3


def test_what_a_reply_leaves_out_keeps_its_value(backend, face, tmp_path):
    """Every field of a refresh is optional, and those of an odd type are not there."""
    file = LoginFile(tmp_path, backend, lifetime=200)
    before = file.tokens
    access = backend.auth_json()["tokens"]["access_token"]
    backend.inject(Fault.reply(200, {"access_token": access, "id_token": None, "refresh_token": 5}).on("/oauth/token"))
    list_models(face, backend, file.auth)
    assert file.tokens == {**before, "access_token": access}


def test_a_read_only_login_is_never_renewed(backend, face, tmp_path):
    """That would make the file's copy worthless."""
    file = LoginFile(tmp_path, backend)
    before = file.path.read_bytes()
    with pytest.raises(SignInExpired, match="expired") as caught:
        list_models(face, backend, CodexAuth(file.path, read_only=True))
    assert "read-only" in caught.value.hint
    assert backend.requests == []
    file.sign_in(lifetime=200)
    before = file.path.read_bytes()
    list_models(face, backend, CodexAuth(file.path, read_only=True))
    assert refreshes(backend) == []
    assert file.path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["auth.json"]


def test_another_account_in_the_file_stops_the_request(backend, face, tmp_path):
    """Nothing is sent in the other's name, and nothing is written."""
    file = LoginFile(tmp_path, backend)
    other = {**file.content, "tokens": {**backend.auth_json()["tokens"], "account_id": "another"}}

    class Changing(CodexAuth):
        def login(self):
            found = super().login()
            file.write(other)
            return found

    with pytest.raises(SignInExpired) as caught:
        list_models(face, backend, Changing(file.path))
    assert caught.value.reason == "other_account"
    assert backend.requests == []
    assert file.content == other


def test_a_logout_during_the_refresh_is_respected(backend, face, tmp_path):
    """The file does not come back."""
    file = LoginFile(tmp_path, backend)
    backend.inject(Fault(stall=0.3, path="/oauth/token"))

    def log_out():
        while not refreshes(backend):
            time.sleep(0.002)
        file.path.unlink()

    other = threading.Thread(target=log_out)
    other.start()
    with pytest.raises(NotSignedIn):
        list_models(face, backend, file.auth)
    other.join()
    assert not file.path.exists()


def test_a_folder_that_cannot_be_written_uses_up_no_token(backend, face, tmp_path, monkeypatch):
    """It is found out before the refresh, not after it."""
    file = LoginFile(tmp_path, backend)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AuthenticationError, match="No space left") as caught:
        list_models(face, backend, file.auth)
    assert caught.value.reason == "unwritable"
    assert backend.requests == []
    assert file.others() == []


def test_a_lock_that_nobody_gives_back_is_an_error(backend, face, tmp_path, monkeypatch):
    """After a time; a token that still serves does not wait for it."""
    monkeypatch.setattr("codex_nb.auth.renew.PATIENCE", 0.2)
    file = LoginFile(tmp_path, backend)
    holder = LoginLock(file.path)
    assert holder.try_take()
    with pytest.raises(AuthenticationError, match="locked") as caught:
        list_models(face, backend, file.auth)
    assert caught.value.reason == "locked"
    file.sign_in(lifetime=200)
    list_models(face, backend, file.auth)
    assert refreshes(backend) == []
    holder.release()


def test_a_link_stays_a_link(backend, face, tmp_path):
    """The file it points to is renewed, in its own folder."""
    (tmp_path / "real").mkdir()
    file = LoginFile(tmp_path / "real", backend)
    before = file.tokens
    (tmp_path / "auth.json").symlink_to(file.path)
    list_models(face, backend, CodexAuth(tmp_path / "auth.json"))
    assert (tmp_path / "auth.json").is_symlink()
    assert file.tokens["refresh_token"] != before["refresh_token"]
    file.assert_whole()


def test_threads_share_one_refresh(backend, tmp_path):
    """Also with logins of their own."""
    file = LoginFile(tmp_path, backend)
    shared = file.auth
    errors = []

    def work(auth):
        try:
            with Session(backend.url, auth=auth, timeout=20) as session:
                session.models.list()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(shared if n % 2 else file.auth,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(refreshes(backend)) == 1
    assert len(asked(backend)) == 12


def test_tasks_share_one_refresh_before_and_after_a_refusal(backend, tmp_path):
    """More of them than there are connections."""
    file = LoginFile(tmp_path, backend)

    async def story():
        async with Session(backend.url, auth=file.auth, timeout=60) as session:
            await asyncio.gather(*(session.aio.models.list(refresh=True) for _ in range(40)))
            backend.state.tokens.revoke(file.tokens["access_token"])
            await asyncio.gather(*(session.aio.models.list(refresh=True) for _ in range(150)))

    asyncio.run(story())
    assert len(refreshes(backend)) == 2


def test_a_cancelled_request_does_not_lose_the_login(backend, tmp_path):
    """The refresh that it began is brought to its end."""
    file = LoginFile(tmp_path, backend)
    before = file.tokens
    backend.inject(Fault(stall=0.3, path="/oauth/token"))

    async def story():
        async with Session(backend.url, auth=file.auth) as session:
            task = asyncio.create_task(session.aio.models.list())
            while not refreshes(backend):  # noqa: ASYNC110 - the server counts in another thread
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await session.aio.models.list()

    asyncio.run(story())
    assert len(refreshes(backend)) == 1
    assert file.tokens["refresh_token"] != before["refresh_token"]


def test_an_interrupt_while_writing_does_not_lose_the_login(backend, tmp_path, monkeypatch):
    """The new tokens are written before it goes on, and the lock is free."""
    from codex_nb.auth import renew

    file = LoginFile(tmp_path, backend)
    before = file.tokens
    real, calls = renew.replace, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(renew, "replace", interrupted)
    with Session(backend.url, auth=file.auth) as session:
        with pytest.raises(KeyboardInterrupt):
            session.models.list()
        assert file.tokens["refresh_token"] != before["refresh_token"]
        lock = LoginLock(file.path)
        assert lock.try_take()
        lock.release()
        session.models.list()
    assert len(refreshes(backend)) == 1


def test_each_backend_renews_by_its_own_issuer(make_backend, face, tmp_path):
    """One login in two sessions: the refresh token goes where its session goes."""
    one, two = make_backend(Script()), make_backend(Script())
    file = LoginFile(tmp_path, one)
    auth = file.auth
    list_models(face, one, auth)
    assert len(refreshes(one)) == 1
    file.backend = two
    file.sign_in()
    list_models(face, two, auth)
    assert (len(refreshes(one)), len(refreshes(two))) == (1, 1)


def test_the_token_endpoint_may_be_elsewhere(make_backend, face, tmp_path, monkeypatch):
    """The Codex CLI's own variable says so."""
    backend, issuer = make_backend(Script()), make_backend(Script())
    monkeypatch.setenv("CODEX_REFRESH_TOKEN_URL_OVERRIDE", f"{issuer.url}/oauth/token")
    file = LoginFile(tmp_path, issuer)
    list_models(face, backend, file.auth)
    assert (len(refreshes(backend)), len(refreshes(issuer))) == (0, 1)
    assert len(asked(backend)) == 1


def test_a_redirect_of_the_token_endpoint_is_not_followed(make_backend, face, tmp_path):
    """The refresh token does not go to another host."""
    backend, other = make_backend(Script()), make_backend(Script())
    file = LoginFile(tmp_path, backend)
    backend.inject(Fault.redirect(f"{other.url}/oauth/token").on("/oauth/token"))
    with pytest.raises(Exception, match="HTTP 30"):
        list_models(face, backend, file.auth)
    assert other.requests == []


def test_an_openai_server_gets_the_token_but_no_refresh(backend, face, tmp_path):
    """It issues no logins."""
    file = LoginFile(tmp_path, backend, lifetime=200)
    list_models(face, f"{backend.url}/v1", file.auth)
    file.sign_in()
    with pytest.raises(SignInExpired):
        list_models(face, f"{backend.url}/v1", file.auth)
    assert refreshes(backend) == []


def test_files_of_any_form_are_renewed_in_their_own(backend, face, tmp_path):
    """Old files get no mode, and the key keeps its name."""
    file = LoginFile(tmp_path, backend)
    old = {"openai_api_key": None, "tokens": file.tokens}
    file.write(old)
    list_models(face, backend, file.auth)
    assert sorted(file.content) == ["last_refresh", "openai_api_key", "tokens"]
    assert sorted(file.tokens) == sorted(old["tokens"])
    assert json.dumps(file.content, indent=2) == file.path.read_text()
