"""The command line, as a process of its own."""

import json
import os
import subprocess
import sys

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
