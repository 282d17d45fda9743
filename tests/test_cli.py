"""The command line, as a process of its own."""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from codex_nb.local import LocalBackend, Script, Turn


@pytest.fixture
def home(tmp_path):
    """An empty folder for the login."""
    return tmp_path


def codex_nb(*arguments, home, text=None):
    """Run ``codex-nb``."""
    return subprocess.run(
        [sys.executable, "-m", "codex_nb.cli", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "CODEX_HOME": str(home)},
    )


def test_ask_streams_the_answer_to_standard_output(home):
    """The answer alone goes there; the receipt goes to standard error."""
    with LocalBackend(Script(turns=[Turn(text=["Red, ", "green, ", "blue."])])) as backend:
        (home / "auth.json").write_text(json.dumps(backend.auth_json()))
        done = codex_nb("ask", "-b", backend.url, "-m", "gpt-5.4", "Three", "colours", home=home)
    assert (done.returncode, done.stdout) == (0, "Red, green, blue.\n")
    assert "gpt-5.4" in done.stderr
    assert backend.requests[-1].body["input"][0]["content"][0]["text"] == "Three colours"


def test_ask_reads_standard_input(home):
    """A pipe is a prompt."""
    with LocalBackend(Script.of("ok")) as backend:
        (home / "auth.json").write_text(json.dumps(backend.auth_json()))
        done = codex_nb("ask", "-b", backend.url, home=home, text="from a pipe")
    assert done.stdout == "ok\n"
    assert backend.requests[-1].body["input"][0]["content"][0]["text"] == "from a pipe"


def test_an_error_is_two_lines(home):
    """What happened, what to do; no traceback, and a status that scripts see."""
    done = codex_nb("ask", "hello", home=home)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[0].startswith("codex-nb: There is no login")
    assert len(done.stderr.splitlines()) == 2


def test_status_says_who_is_signed_in_and_shows_no_token(home):
    """The account and the plan, from the login file alone."""
    with LocalBackend(Script()) as backend:
        login = backend.auth_json()
        (home / "auth.json").write_text(json.dumps(login))
        done = codex_nb("status", "-b", backend.url, home=home)
    assert done.returncode == 0
    assert "plan" in done.stdout
    for token in ("access_token", "refresh_token", "id_token"):
        assert login["tokens"][token][20:40] not in done.stdout + done.stderr


def test_version_and_help(home):
    """Both end well."""
    assert codex_nb("--version", home=home).stdout.startswith("codex-nb ")
    assert "local" in codex_nb("--help", home=home).stdout


def started(*arguments, home):
    """Start ``codex-nb`` with pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "codex_nb.cli", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CODEX_HOME": str(home)},
    )


def line_with(process, word):
    """Return the next line of the output that holds a word."""
    for line in process.stdout:
        if word in line:
            return line.strip()
    pytest.fail(process.stderr.read())


def test_login_by_device_status_and_logout(home):
    """A whole life of a login, and no token in it."""
    with LocalBackend(Script()) as backend:
        backend.state.devices.interval = 0
        process = started("login", "--device", "-b", backend.url, home=home / "new")
        code = line_with(process, "Type this code").rpartition(" ")[2]
        assert backend.state.devices.decide(code, allow=True) == "approved"
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
        assert "ada@example.com" in output
        tokens = json.loads((home / "new" / "auth.json").read_text())["tokens"]
        status = codex_nb("status", "-b", backend.url, home=home / "new").stdout
        assert "ada@example.com" in status
        for name in ("access_token", "refresh_token", "id_token"):
            assert tokens[name][10:40] not in output + status
        for expected in ("Signed out, here and at the service.\n", "Nobody was signed in.\n"):
            assert codex_nb("logout", "--revoke", "-b", backend.url, home=home / "new").stdout == expected
        assert backend.state.tokens.is_refused(tokens["access_token"])


def test_login_takes_the_pasted_address(home):
    """For a browser on another machine; the program goes on listening meanwhile."""
    with LocalBackend(Script()) as backend:
        process = started("login", "--no-browser", "-b", backend.url, home=home)
        link = line_with(process, "/oauth/authorize")
        process.stdin.write(httpx.get(link).headers["location"] + "\n")
        process.stdin.flush()
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "ada@example.com" in output


def test_login_stops_at_an_interrupt(home):
    """Without a traceback, and with nothing written."""
    with LocalBackend(Script()) as backend:
        process = started("login", "--device", "-b", backend.url, home=home)
        line_with(process, "Type this code")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert list(home.iterdir()) == []


def test_a_login_that_is_not_possible_is_two_lines(home):
    """With what to do."""
    with LocalBackend(Script()) as backend:
        backend.state.devices.enabled = False
        done = codex_nb("login", "--device", "-b", backend.url, home=home)
    assert done.returncode == 1
    assert "not enabled" in done.stderr.splitlines()[0]
    assert "security settings" in done.stderr.splitlines()[1]
