"""``%codex login|logout|status``: what a cell shows of a sign-in."""

import json
import re
import threading

import httpx
import pytest
from IPython.utils.capture import capture_output

import codex_nb
from codex_nb.auth import login as ways
from codex_nb.local import LocalBackend, Script
from codex_nb.notebook import sign_in
from codex_nb.notebook.sign_in import InCell
from tests.auth.logins import LoginFile
from tests.auth.test_sign_in import free_port


@pytest.fixture
def backend(tmp_path, monkeypatch):
    """A scripted backend, a login file that is not there yet, and ports that nobody else wants."""
    monkeypatch.setattr(ways, "PORTS", (free_port(), free_port()))
    for name in sign_in.REMOTE:
        monkeypatch.delenv(name, raising=False)
    with LocalBackend(Script()) as backend:
        backend.state.devices.interval = 0
        session = codex_nb.connect(backend.url, auth=codex_nb.CodexAuth(tmp_path / "auth.json"), timeout=5)
        yield backend
        session.close()


class Kernel:
    """What the magic looks at in a kernel."""

    _allow_stdin = True


@pytest.fixture
def in_kernel(shell, monkeypatch):
    """Let the shell look like a kernel's."""
    monkeypatch.setattr(shell, "kernel", Kernel(), raising=False)


def follow(prompt, monkeypatch, act):
    """Call ``act`` with the first thing that the prompt shows by the method named ``prompt``."""
    real, seen = getattr(InCell, prompt), []

    def shown(self, first, *rest, **options):
        real(self, first, *rest, **options)
        seen.append(first)
        if len(seen) == 1:
            act(first)

    monkeypatch.setattr(InCell, prompt, shown)


def test_a_device_code_is_shown_in_the_cell_and_gone_afterwards(shell, backend, in_kernel, monkeypatch, tmp_path):
    """Code, link and countdown while it waits; a card of who it is at the end; no token anywhere."""
    follow("code", monkeypatch, lambda code: backend.state.devices.decide(code, allow=True))
    with capture_output() as captured:
        card = shell.run_line_magic("codex", "login --device")
    pages = [output.data.get("text/html", "") for output in captured.outputs]
    assert re.search(r"[A-Z0-9]{4}-[A-Z0-9]{5}", pages[0])
    assert f'href="{backend.url}/codex/device"' in pages[0]
    assert re.search(r"1[45]:\d\d more", pages[0])
    assert pages[-1] == ""
    assert "ada@example.com" in repr(card)
    assert "ada@example.com" in card._repr_html_()
    tokens = json.loads((tmp_path / "auth.json").read_text())["tokens"]
    for name in ("access_token", "refresh_token", "id_token"):
        assert tokens[name][10:40] not in repr(card) + card._repr_html_() + "".join(pages) + captured.stdout


def test_a_browser_sign_in_is_a_link_in_the_cell(shell, backend, in_kernel, monkeypatch):
    """The link is escaped, and says what to do when the browser is elsewhere."""

    def open_it(url):
        threading.Thread(target=lambda: httpx.get(url, follow_redirects=True, timeout=30)).start()

    follow("link", monkeypatch, open_it)
    with capture_output() as captured:
        card = shell.run_line_magic("codex", "login --no-browser")
    page = captured.outputs[0].data["text/html"]
    assert f'href="{backend.url}/oauth/authorize?response_type=code&amp;client_id=' in page
    assert 'rel="noopener noreferrer"' in page
    assert "--paste" in page
    assert "plan" in repr(card)


def test_a_remote_kernel_asks_for_the_address(shell, backend, in_kernel, monkeypatch):
    """By its own prompt, once, and without opening a browser there."""
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    monkeypatch.setattr("codex_nb.client.resources.sign_in.open_browser", lambda _: pytest.fail("it has no screen"))
    links, asked = [], []
    follow("link", monkeypatch, links.append)

    def answer(question):
        asked.append(question)
        return httpx.get(links[0]).headers["location"]

    monkeypatch.setattr(sign_in, "ask_once", lambda: ways_of(answer))
    card = shell.run_line_magic("codex", "login")
    assert len(asked) == 1
    assert "Paste" in asked[0]
    assert "ada@example.com" in repr(card)


def ways_of(answer):
    """Return the real question with another input."""
    from codex_nb.auth.prompt import ask_once

    return ask_once(answer)


def test_status_and_logout(shell, backend, tmp_path):
    """The card says who it is, and then that nobody is."""
    LoginFile(tmp_path, backend, lifetime=900)
    card = shell.run_line_magic("codex", "status")
    for text in ("ada@example.com", "plus", "renewed by itself", str(tmp_path / "auth.json")):
        assert text in repr(card)
    assert "Signed out." in repr(shell.run_line_magic("codex", "logout"))
    assert "Nobody was signed in." in repr(shell.run_line_magic("codex", "logout --revoke"))
    assert "no: There is no login" in repr(shell.run_line_magic("codex", "status"))
    LoginFile(tmp_path, backend, lifetime=900)
    assert "at the service" in repr(shell.run_line_magic("codex", "logout --revoke"))
    LoginFile(tmp_path, backend).write({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-fake-0000"})
    card = repr(shell.run_line_magic("codex", "status"))
    assert "platform key" in card
    assert "sk-fake" not in card


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [("login --devise", "--devise", "--device"), ("logout 'x", "quote", "Close"), ("login now", "now", "-h")],
)
def test_a_mistake_is_one_line(shell, backend, line, message, hint):
    """No traceback for what was only misspelt."""
    with capture_output():
        error = shell.run_cell(f"%codex {line}").error_in_exec
    assert isinstance(error, codex_nb.InvalidOption)
    assert message in error.message
    assert hint in error.hint
    assert len(error._render_traceback_()) <= 2
    assert backend.requests == []


@pytest.mark.parametrize("line", ["login -h", "logout --help"])
def test_help_is_printed(shell, backend, line):
    """And nothing else is done."""
    with capture_output() as captured:
        assert shell.run_line_magic("codex", line) is None
    assert "--" in captured.stdout
    assert backend.requests == []
