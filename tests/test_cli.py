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


def codex_nb(*arguments, home, text=None, stdout=subprocess.PIPE, closes=None, **environment):
    """Run ``codex-nb``, with the standard stream of the number ``closes`` closed."""
    closing = [] if closes is None else ["sh", "-c", f'exec "$@" {closes}>&-', "sh"]
    return subprocess.run(
        [*closing, sys.executable, "-m", "codex_nb.cli", *arguments],
        input=text,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=30,
        check=False,
        env={**os.environ, "CODEX_HOME": str(home), **environment},
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


@pytest.mark.parametrize("command", [["ask", "hello"], ["status"], ["doctor"], ["transcribe", "-h"], ["--help"]])
def test_output_that_nobody_reads_ends_the_command_quietly(home, command):
    """As ``codex-nb ask … | head`` does."""
    reading, writing = os.pipe()
    os.close(reading)
    with LocalBackend(Script.of("ok")) as backend:
        (home / "auth.json").write_text(json.dumps(backend.auth_json()))
        done = codex_nb(*command, home=home, stdout=writing, CODEX_NB_BACKEND=backend.url)
    os.close(writing)
    assert done.returncode in {0, 1}  # argparse cares for its help itself
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")  # noqa: PTH110
@pytest.mark.parametrize("command", [["ask", "hello"], ["status"]])
def test_output_that_cannot_be_written_is_two_lines(home, command):
    """A full disk, here."""
    with LocalBackend(Script.of("ok")) as backend, open("/dev/full", "w") as full:  # noqa: PTH123
        (home / "auth.json").write_text(json.dumps(backend.auth_json()))
        done = codex_nb(*command, home=home, stdout=full, CODEX_NB_BACKEND=backend.url)
    assert done.returncode == 1
    assert "codex-nb: The output cannot be written (No space left on device)." in done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_an_answer_comes_in_any_encoding(home):
    """What it cannot say is a question mark; the answer is not lost."""
    with LocalBackend(Script.of("Zürich → fine")) as backend:
        (home / "auth.json").write_text(json.dumps(backend.auth_json()))
        done = codex_nb("ask", "-b", backend.url, "hello", home=home, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, "Z?rich ? fine\n")
    assert codex_nb("transcribe", "-h", home=home, PYTHONIOENCODING="latin-1").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="a shell closes it")
@pytest.mark.parametrize(("closes", "status"), [(0, 1), (1, 0), (2, 0)])
def test_a_standard_stream_may_be_closed(home, closes, status):
    """One that is closed is empty."""
    with LocalBackend(Script.of("ok")) as backend:
        (home / "auth.json").write_text(json.dumps(backend.auth_json()))
        done = codex_nb("ask", "-b", backend.url, *(["hello"] if closes else []), home=home, closes=closes)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert ("nothing to ask" in done.stderr) is (closes == 0)


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


def test_the_demo_looks_at_its_folder_before_it_runs(home):
    """The tour takes minutes."""
    pytest.importorskip("nbconvert")
    (home / "taken").touch()
    done = codex_nb("demo", "--no-browser", "--folder", str(home / "taken"), home=home)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be a folder" in done.stderr.splitlines()[0]
    assert "--folder" in done.stderr.splitlines()[1]


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
