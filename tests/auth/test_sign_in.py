"""Signing in and out on the embedded backend: by browser, by device, and what is in the file afterwards."""

import asyncio
import json
import socket
import stat
import threading
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from codex_nb import (
    APIStatusError,
    AuthenticationError,
    Bearer,
    CodexAuth,
    InvalidOption,
    NotSignedIn,
    Session,
    UnsupportedByBackend,
)
from codex_nb.auth import login as ways
from codex_nb.auth.listener import Listener
from codex_nb.local import Fault, Script
from tests.auth.logins import LoginFile
from tests.client.both import got, tell

ACCOUNT = "7b1e0a52-5c1d-4a0e-9a44-0c9d5a6f0001"


def free_port():
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def ports(monkeypatch):
    """Put the registered ports elsewhere: other programs of this machine may want them."""
    found = (free_port(), free_port())
    monkeypatch.setattr(ways, "PORTS", found)
    monkeypatch.setattr(ways, "BETWEEN_TRIES", 0.01)
    return found


@pytest.fixture
def backend(make_backend):
    """A scripted backend."""
    backend = make_backend(Script())
    backend.state.devices.interval = 0
    return backend


class Person:
    """A prompt whose person does what it shows: opens the link, types the code."""

    def __init__(self, act=None, paste=None):
        self.act = act or (lambda url: httpx.get(url, follow_redirects=True, timeout=30))
        self.paste = paste
        self.links, self.codes, self.pages = [], [], []
        self.threads = []

    def link(self, url, *, opened):
        """Open it."""
        self.links.append((url, opened))
        if not self.paste:
            self.threads.append(threading.Thread(target=lambda: self.pages.append(self.act(url))))
            self.threads[-1].start()

    def code(self, code, url, seconds):
        """Type it."""
        self.codes.append((code, url, seconds))
        if len(self.codes) == 1:
            self.act(code)

    def pasted(self):
        """Paste what the browser ended at."""
        return self.paste(self.links[-1][0]) if self.paste and self.links else None

    def done(self):
        """Wait until the browser has its page; return its text."""
        for thread in self.threads:
            thread.join(30)
        return self.pages[-1].text if self.pages else ""


def sign_in(face, backend, path, person, method="browser", **options):
    """Sign in and return who it is."""
    return tell(
        face,
        backend,
        lambda one: got(one.login(method, browser=False, prompt=person, **options)),
        auth=CodexAuth(path),
    )


def test_a_browser_signs_in(backend, face, tmp_path, ports):
    """The file is the new CLI's, in a folder that was not there, and the page says that all is well."""
    path, person = tmp_path / "new" / "home" / "auth.json", Person()
    found = sign_in(face, backend, path, person)
    assert (found.email, found.plan, found.account_id, found.method) == ("ada@example.com", "plus", ACCOUNT, "chatgpt")
    assert found.path == str(path)
    assert "You are signed in" in person.done()
    assert "may close this page" in person.done()
    content = json.loads(path.read_text())
    assert list(content) == ["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"]
    assert content["auth_mode"] == "chatgpt"
    assert content["tokens"]["oauth_provenance"]["issuer"] == backend.url
    assert content["tokens"]["account_id"] == ACCOUNT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with Session(backend.url, auth=CodexAuth(path)) as session:
        assert len(session.models.list()) > 0


def test_the_link_is_that_of_the_official_client(backend, face, tmp_path, ports):
    """Every field, in its order."""
    person = Person()
    sign_in(face, backend, tmp_path / "auth.json", person)
    url, opened = person.links[0]
    fields = parse_qs(urlsplit(url).query)
    assert not opened
    assert url.startswith(f"{backend.url}/oauth/authorize?response_type=code&client_id=")
    assert list(fields) == [
        "response_type",
        "client_id",
        "redirect_uri",
        "code_challenge",
        "code_challenge_method",
        "state",
        "scope",
        "id_token_add_organizations",
        "codex_cli_simplified_flow",
        "originator",
    ]
    assert fields["redirect_uri"] == [f"http://127.0.0.1:{ports[0]}/auth/callback"]
    assert "openid+profile+email+offline_access+api.connectors.read" in url


def test_a_platform_key_is_kept_when_there_is_one(backend, face, tmp_path, ports):
    """And left out silently when there is none."""
    backend.state.tokens.account.organization = None
    sign_in(face, backend, tmp_path / "auth.json", Person())
    assert json.loads((tmp_path / "auth.json").read_text())["OPENAI_API_KEY"] is None
    backend.state.tokens.account.organization = "org-example"
    assert sign_in(face, backend, tmp_path / "auth.json", Person()).has_api_key
    assert json.loads((tmp_path / "auth.json").read_text())["OPENAI_API_KEY"].startswith("sk-")


def test_a_busy_port_is_asked_for_and_a_forgotten_sign_in_gives_it_back(backend, face, tmp_path, ports):
    """As the official client does it."""
    forgotten = Listener("x" * 8)
    assert forgotten.open(ports[0])
    stop = threading.Event()

    def give_up():
        while not forgotten.poll() and not stop.is_set():
            time.sleep(0.002)
        forgotten.close()

    helper = threading.Thread(target=give_up)
    helper.start()
    try:
        person = Person()
        sign_in(face, backend, tmp_path / "auth.json", person)
    finally:
        stop.set()
        helper.join()
    assert forgotten.poll().error == "cancelled"


def test_a_port_that_stays_busy_makes_it_the_other_one(backend, face, tmp_path, ports):
    """And when both are, it is said."""
    with socket.create_server(("127.0.0.1", ports[0])):
        person = Person()
        sign_in(face, backend, tmp_path / "auth.json", person)
        assert f"127.0.0.1%3A{ports[1]}" in person.links[0][0]
        with socket.create_server(("127.0.0.1", ports[1])), pytest.raises(AuthenticationError, match="taken") as caught:
            sign_in(face, backend, tmp_path / "auth.json", Person())
        assert "device" in caught.value.hint


def test_only_the_answer_to_the_question_is_taken(backend, face, tmp_path, ports):
    """Other pages of the browser can reach the listener too."""
    seen = []

    def act(url):
        root = f"http://127.0.0.1:{ports[0]}"
        for path in ("/", "/auth/callback?code=x&state=wrong", "/auth/callback", "/auth/callback?error=x&state=wrong"):
            reply = httpx.get(root + path)
            seen.append((reply.status_code, reply.text))
        return httpx.get(url, follow_redirects=True, timeout=30)

    person = Person(act)
    sign_in(face, backend, tmp_path / "auth.json", person)
    person.done()
    assert seen == [(404, "Not Found"), *[(400, "State mismatch")] * 3]


def test_a_denied_sign_in_says_so_in_both_places(backend, face, tmp_path, ports):
    """In the browser and here; nothing is written."""
    backend.state.codes.denial = "The user <b>said</b> no."
    person = Person()
    with pytest.raises(AuthenticationError, match="said") as caught:
        sign_in(face, backend, tmp_path / "auth.json", person)
    assert caught.value.reason == "denied"
    assert "The sign-in failed" in person.done()
    assert "<b>said" not in person.done()
    assert not (tmp_path / "auth.json").exists()


def test_a_refused_code_is_an_error(backend, face, tmp_path, ports):
    """The page says it as well, and the old file stays."""
    file = LoginFile(tmp_path, backend)
    before = file.path.read_bytes()
    backend.inject(Fault.reply(400, {"error": "invalid_grant"}).on("/oauth/token"))
    person = Person()
    with pytest.raises(AuthenticationError, match="HTTP 400"):
        sign_in(face, backend, file.path, person)
    assert "The sign-in failed" in person.done()
    assert file.path.read_bytes() == before


def test_nobody_comes(backend, face, tmp_path, ports):
    """After the time the port is free again."""
    with pytest.raises(AuthenticationError) as caught:
        sign_in(face, backend, tmp_path / "auth.json", Person(lambda _: None), timeout=0.3)
    assert caught.value.reason == "timeout"
    with socket.create_server(("127.0.0.1", ports[0])):
        pass


def test_an_interrupt_frees_the_port(backend, tmp_path, ports):
    """Ctrl-C works at once."""

    def interrupted(_url):
        raise KeyboardInterrupt

    with (
        Session(backend.url, auth=CodexAuth(tmp_path / "auth.json")) as session,
        pytest.raises(KeyboardInterrupt),
    ):
        session.login(browser=False, prompt=Person(paste=interrupted))
    with socket.create_server(("127.0.0.1", ports[0])):
        pass


def test_a_cancelled_task_frees_the_port(backend, tmp_path, ports):
    """The same on the other face."""

    async def story():
        async with Session(backend.url, auth=CodexAuth(tmp_path / "auth.json")) as session:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await session.aio.login(browser=False, prompt=Person(lambda _: None))

    asyncio.run(story())
    with socket.create_server(("127.0.0.1", ports[0])):
        pass


@pytest.mark.parametrize("form", ["{}", " {}\n", "?{query}", "{query}"])
def test_the_address_may_be_pasted(backend, face, tmp_path, ports, form):
    """For browsers that cannot reach this machine."""

    def paste(url):
        location = httpx.get(url).headers["location"]
        return form.format(location, query=urlsplit(location).query)

    assert sign_in(face, backend, tmp_path / "auth.json", Person(paste=paste)).email == "ada@example.com"
    assert sign_in(
        face, backend, tmp_path / "auth.json", link := Person(lambda _: None), paste=lambda: paste(link.links[0][0])
    ).email


@pytest.mark.parametrize("text", ["hello", "http://127.0.0.1:1455/auth/callback?code=x&state=other", "http://[", "?"])
def test_another_address_is_refused(backend, face, tmp_path, ports, text):
    """It is not quoted: it may hold a code."""
    with pytest.raises(AuthenticationError) as caught:
        sign_in(face, backend, tmp_path / "auth.json", Person(paste=lambda _: text))
    assert caught.value.reason == "not_the_answer"
    assert text not in str(caught.value) or text == "?"


def test_a_device_signs_in(backend, face, tmp_path):
    """The code is shown with its time, and asked for until somebody typed it."""

    def type_code(code):
        assert backend.state.devices.decide(code, allow=True) == "approved"

    person = Person(type_code)
    found = sign_in(face, backend, tmp_path / "auth.json", person, "device")
    assert found.email == "ada@example.com"
    code, url, seconds = person.codes[0]
    assert url == f"{backend.url}/codex/device"
    assert len(code) == 10
    assert 800 < seconds <= 900
    assert json.loads((tmp_path / "auth.json").read_text())["tokens"]["refresh_token"].startswith("rt_")


def test_a_pending_code_is_asked_for_again(backend, face, tmp_path):
    """403 and 404 are no answer yet, and a network that is away for a moment is none either."""
    backend.inject(
        Fault.reply(404, {}).on("*/deviceauth/token"),
        Fault.reply(403, {}).on("*/deviceauth/token"),
        Fault.drop().on("*/deviceauth/token"),
    )
    person = Person(lambda code: backend.state.devices.decide(code, allow=True))
    assert sign_in(face, backend, tmp_path / "auth.json", person, "device").email
    assert [device.polls for device in backend.state.devices.all()] == [1]
    assert len([r for r in backend.requests if r.path.endswith("/deviceauth/token")]) == 4


def test_a_denied_device_is_an_error(backend, face, tmp_path):
    """At once."""
    person = Person(lambda code: backend.state.devices.decide(code, allow=False))
    with pytest.raises(AuthenticationError) as caught:
        sign_in(face, backend, tmp_path / "auth.json", person, "device")
    assert caught.value.reason == "denied"


def test_a_device_code_has_an_end(backend, face, tmp_path):
    """That of the service, if it is sooner than ours."""
    backend.state.devices.lifetime = 2.0
    with pytest.raises(AuthenticationError) as caught:
        sign_in(face, backend, tmp_path / "auth.json", Person(lambda _: None), "device")
    assert caught.value.reason == "timeout"


def test_device_sign_in_may_have_to_be_enabled(backend, face, tmp_path):
    """The hint says where."""
    backend.state.devices.enabled = False
    with pytest.raises(AuthenticationError, match="not enabled") as caught:
        sign_in(face, backend, tmp_path / "auth.json", Person(), "device")
    assert "security settings" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5", 5.0), (7, 7.0), (None, 5.0), ("0", 0.5), (-3, 0.5), ("x", 5.0), (True, 5.0), ("9" * 30, 5.0), (1e9, 60.0)],
)
def test_the_interval_is_whatever_the_service_sends(value, expected):
    """A text, a number, nothing; within reason."""
    assert ways._interval(value) == expected


@pytest.mark.parametrize("body", [{}, [], {"device_auth_id": 5, "user_code": None}, {"user_code": "A"}])
def test_an_odd_device_reply_is_an_error(backend, face, tmp_path, body):
    """Not a prompt without a code."""
    backend.inject(Fault.reply(200, body).on("*/usercode"))
    with pytest.raises(Exception, match="no device code"):
        sign_in(face, backend, tmp_path / "auth.json", Person(), "device")


def test_logging_out_removes_the_file_and_says_whether_there_was_one(backend, face, tmp_path):
    """The service is not told."""
    file = LoginFile(tmp_path, backend)
    for expected in (True, False):
        assert tell(face, backend, lambda one: got(one.logout()), auth=file.auth) is expected
    assert tell(face, backend, lambda one: got(one.logout()), auth=CodexAuth(tmp_path / "no" / "auth.json")) is False
    assert not (tmp_path / "no").exists()
    assert backend.requests == []


@pytest.mark.parametrize("fault", [None, Fault.server_error(500), Fault.drop(), Fault.reply(429, {})])
def test_revoking_tells_the_service_as_far_as_it_listens(backend, face, tmp_path, fault):
    """The file is removed either way, after one attempt."""
    file = LoginFile(tmp_path, backend, lifetime=900)
    token = file.tokens["refresh_token"]
    if fault:
        backend.inject(fault.on("/oauth/revoke"))
    found = tell(face, backend, lambda one: got(one.revoke()), auth=file.auth)
    assert (found.removed, found.revoked) == (True, fault is None)
    assert not file.path.exists()
    body = backend.requests[0].body
    assert (body["token"], body["token_type_hint"]) == (token, "refresh_token")
    assert len(backend.requests) == 1
    assert "authorization" not in backend.requests[0].headers


def test_account_says_who_it_is(backend, face, tmp_path):
    """From the file alone, and without any token."""
    file = LoginFile(tmp_path, backend, lifetime=900)
    found = tell(face, backend, lambda one: got(one.account()), auth=file.auth)
    assert (found.email, found.plan, found.method) == ("ada@example.com", "plus", "chatgpt")
    assert 800 < found.expires.timestamp() - time.time() <= 900
    token = file.tokens["access_token"]
    assert token[:30] not in repr(found) + str(found.raw)
    by_token = tell(face, backend, lambda one: got(one.account()), auth=Bearer(token))
    assert (by_token.method, by_token.email, by_token.path) == ("token", "ada@example.com", None)
    file.write({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-fake-0000"})
    keyed = tell(face, backend, lambda one: got(one.account()), auth=file.auth)
    assert (keyed.method, keyed.has_api_key) == ("api_key", True)
    assert "sk-fake" not in repr(keyed)
    file.path.unlink()
    with pytest.raises(NotSignedIn):
        tell(face, backend, lambda one: got(one.account()), auth=file.auth)
    assert backend.requests == []


@pytest.mark.parametrize("name", ["login", "logout", "revoke"])
@pytest.mark.parametrize("auth", [Bearer("made-up-token"), CodexAuth("x.json", read_only=True)])
def test_a_login_that_is_in_no_file_is_left_alone(backend, face, name, auth):
    """The hint says which session could."""
    with pytest.raises(InvalidOption) as caught:
        tell(face, backend, lambda one: got(getattr(one, name)()), auth=auth)
    assert caught.value.hint
    assert backend.requests == []


def test_what_cannot_be_done_is_said(backend, face, tmp_path):
    """An unknown method, and a server that issues no logins."""
    with pytest.raises(InvalidOption, match="fax"):
        sign_in(face, backend, tmp_path / "auth.json", Person(), "fax")
    with pytest.raises(UnsupportedByBackend, match="issues no logins"):
        sign_in(face, f"{backend.url}/v1", tmp_path / "auth.json", Person())
    backend.inject(Fault.reply(403, "<html>no</html>").on("*/usercode"))
    with pytest.raises(APIStatusError):
        sign_in(face, backend, tmp_path / "auth.json", Person(), "device")


def test_a_browser_that_opens_many_connections_does_not_block_the_listener(backend, face, tmp_path, ports):
    """Browsers open some in advance and say nothing on them."""

    def act(url):
        silent = [socket.create_connection(("127.0.0.1", ports[0])) for _ in range(4)]
        try:
            return httpx.get(url, follow_redirects=True, timeout=30)
        finally:
            for one in silent:
                one.close()

    assert sign_in(face, backend, tmp_path / "auth.json", Person(act)).email
