"""The official Codex CLI signs in at the local backend, by device, and out again."""

import json
import os
import subprocess
import time

import pytest

from codex_nb.local import LocalBackend, Script

pytestmark = pytest.mark.cli
SECONDS = 60


@pytest.fixture
def codex(cli, tmp_path):
    """Give a function that starts the CLI with a home of its own."""
    started = []

    def start(backend, *argv):
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        home = {"CODEX_HOME": str(tmp_path), "HOME": str(tmp_path)}
        urls = {"CODEX_REVOKE_TOKEN_URL_OVERRIDE": f"{backend.url}/oauth/revoke"}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        started.append(subprocess.Popen([cli, *argv], env=kept | home | urls, text=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def sign_in(codex, backend):
    """Begin a sign-in by device."""
    backend.state.devices.interval = 1
    return codex(backend, "login", "--device-auth", "--experimental_issuer", backend.url)


def wait_for_question(backend):
    """Return the device once it has asked whether its code was typed."""
    end = time.monotonic() + SECONDS
    while not any(device.polls for device in backend.state.devices.all()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return backend.state.devices.all()[0]


def test_device_sign_in_and_sign_out(codex, tmp_path):
    """Code, approval, tokens in auth.json; signing out revokes the refresh token here."""
    with LocalBackend(Script()) as backend:
        started = sign_in(codex, backend)
        device = wait_for_question(backend)
        backend.approve_device(device.user_code)
        said = started.communicate(timeout=SECONDS)[0]
        assert started.returncode == 0, said
        assert device.user_code in said
        tokens = json.loads((tmp_path / "auth.json").read_text())["tokens"]
        assert tokens["account_id"] == backend.state.account.id
        assert backend.state.tokens.is_ours(tokens["access_token"])
        signing_out = codex(backend, "logout")
        signing_out.communicate(timeout=SECONDS)
        assert signing_out.returncode == 0
        assert not (tmp_path / "auth.json").exists()
        assert backend.state.tokens.exchange(tokens["refresh_token"]) == "refresh_token_invalidated"
        assert backend.state.tokens.is_refused(tokens["access_token"])


def test_denied_device_stops_asking(codex, tmp_path):
    """A no ends the CLI with an error, and nothing is stored."""
    with LocalBackend(Script()) as backend:
        started = sign_in(codex, backend)
        backend.approve_device(wait_for_question(backend).user_code, allow=False)
        said = started.communicate(timeout=SECONDS)[0]
        assert started.returncode != 0, said
        assert not (tmp_path / "auth.json").exists()


def test_device_sign_in_that_is_not_allowed(codex):
    """The CLI knows the 404 and says what it means."""
    with LocalBackend(Script()) as backend:
        backend.state.devices.enabled = False
        started = sign_in(codex, backend)
        said = started.communicate(timeout=SECONDS)[0]
        assert started.returncode != 0
        assert "not enabled" in said
