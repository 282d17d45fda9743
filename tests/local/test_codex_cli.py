"""The official Codex CLI against the local backend: a client that was written by others for the real service."""

import json
import os
import subprocess

import pytest

from codex_nb.local import LocalBackend, Script, Turn
from codex_nb.local.pieces import FunctionCall
from tests.local.raw import missing_model
from tests.requirements_gate import require

pytestmark = pytest.mark.cli
CONFIG = """\
model = "{model}"
model_provider = "local"
check_for_update_on_startup = false
chatgpt_base_url = "{url}/backend-api"

[model_providers.local]
name = "local"
base_url = "{url}/backend-api/codex"
wire_api = "responses"
requires_openai_auth = true
"""


@pytest.fixture
def run(cli, tmp_path):
    """Give a function that asks a backend through the CLI, from a home of its own."""

    def run(backend, prompt, *, lifetime=None):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        (home / "auth.json").write_text(json.dumps(backend.auth_json(lifetime=lifetime)))
        model = "gpt-5.5" if "gpt-5.5" in backend.state.models() else backend.state.models()[0]
        (home / "config.toml").write_text(CONFIG.format(url=backend.url, model=model))
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        overrides = {
            "CODEX_HOME": str(home),
            "HOME": str(home),
            "CODEX_REFRESH_TOKEN_URL_OVERRIDE": f"{backend.url}/oauth/token",
        }
        argv = [cli, "exec", "--skip-git-repo-check", prompt]
        options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "timeout": 120}
        return subprocess.run(argv, cwd=tmp_path, env=kept | overrides, check=False, **options)

    return run


def posts(backend):
    """Return the requests for answers."""
    return [each for each in backend.requests if each.method == "POST" and each.path.endswith("codex/responses")]


def test_exec_completes(run):
    """The CLI finds its account and models, sends its prompt, and prints the answer."""
    with LocalBackend(Script.of("Hi from the **local** backend.")) as backend:
        done = run(backend, "Say hi")
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "Hi from the **local** backend."
        assert len(posts(backend)) == 1


def test_tool_call_is_answered(run):
    """The CLI runs the shell call of a script and sends the output back with its call id."""
    with LocalBackend(Script(turns=[Turn(text="Probing.")])) as backend:
        run(backend, "Which tools are there?")
        tools = posts(backend)[0].body["tools"]
    names = {tool.get("name"): tool for tool in tools if tool["type"] == "function"}
    name = next((each for each in ("exec_command", "shell_command", "shell", "local_shell") if each in names), None)
    if name is None:
        pytest.skip(f"this CLI offers no shell function: {sorted(filter(None, names))}")
    field = "cmd" if "cmd" in names[name]["parameters"]["properties"] else "command"
    call = FunctionCall(name, f'{{"{field}": "echo from-the-shell"}}', "call_1")
    with LocalBackend(Script(turns=[Turn(calls=[call]), Turn(text="Done.")])) as backend:
        done = run(backend, "Run it")
        assert done.stdout.strip() == "Done.", done.stderr
        items = posts(backend)[1].body["input"]
    output = next(item for item in items if item["type"] == "function_call_output")
    assert output["call_id"] == "call_1"
    assert "from-the-shell" in str(output["output"])


def test_expired_login_is_refreshed(run):
    """The CLI refreshes an expired login here, and the new token is accepted."""
    with LocalBackend(Script.of("Refreshed.")) as backend:
        done = run(backend, "Say hi", lifetime=-10)
        assert done.stdout.strip() == "Refreshed.", done.stderr
        assert "/oauth/token" in [request.path for request in backend.requests]


def test_usage_limit_is_told(run):
    """A spent quota reaches the CLI's user in its own words."""
    with LocalBackend(Script(), budget=10) as backend:
        backend.state.quota.spend(10)
        done = run(backend, "Say hi")
        assert done.returncode != 0
        assert "usage limit" in done.stderr


@pytest.mark.model
def test_exec_completes_with_a_real_model(run):
    """A small model answers the CLI; its prompt fits because the served instructions are short."""
    require("model", missing_model())
    with LocalBackend() as backend:
        done = run(backend, "Say hi")
        assert done.stdout.strip(), done.stderr
        assert done.returncode == 0, done.stderr
