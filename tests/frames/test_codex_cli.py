"""Rollouts that the official Codex CLI itself has written, two turns and a fork, are counted to the token."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from codex_nb import frames
from codex_nb.local import LocalBackend, Script, Turn
from tests.local.conftest import cli  # noqa: F401 - a fixture
from tests.local.test_codex_cli import CONFIG

pytestmark = pytest.mark.cli


def test_two_turns_and_a_fork_are_counted_to_the_token(cli, tmp_path):  # noqa: F811
    """As the backend told them to the CLI; archiving the session changes nothing."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    with LocalBackend(Script(turns=[Turn(text="word " * 20 * n) for n in (1, 2, 3)])) as backend:
        (home / "auth.json").write_text(json.dumps(backend.auth_json()))
        (home / "config.toml").write_text(CONFIG.format(url=backend.url, model="gpt-5.5"))
        own = {"CODEX_HOME": str(home), "HOME": str(home)}
        own["CODEX_REFRESH_TOKEN_URL_OVERRIDE"] = f"{backend.url}/oauth/token"

        def run(*arguments):
            options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL, "timeout": 120}
            done = subprocess.run([cli, *arguments], cwd=tmp_path, env=kept | own, check=False, **options)
            assert done.returncode == 0, done.stderr

        run("exec", "--skip-git-repo-check", "PRIVATE one")
        session = frames.cli_sessions(home=home)["id"][0]
        run("exec", "resume", "--skip-git-repo-check", session, "PRIVATE two")
        run("exec", "fork", "--skip-git-repo-check", session, "PRIVATE three")
    sessions = frames.cli_sessions(home=home).set_index("forked_from", drop=False)
    told = [json.loads(line) for path in sessions["path"] for line in Path(path).read_text().splitlines()]
    records = [line["payload"] for line in told if line["type"] == "token_usage_record"]
    used = {record["response_id"]: record["usage"] for record in records}
    assert len(used) == 3
    row = frames.cli_tokens([], home=home).iloc[0]
    for name in ("input_tokens", "output_tokens", "total_tokens"):
        assert row[name] == sum(usage[name] for usage in used.values())
    assert sorted(sessions["calls"]) == sorted(sessions["turns"]) == [1, 2]
    assert sessions.loc[session, "calls"] == 1
    by_model = frames.cli_tokens(["model", "project"], home=home)
    assert by_model[["model", "project", "calls"]].to_numpy().tolist() == [["gpt-5.5", str(tmp_path), 3]]
    run_archive = subprocess.run([cli, "archive", session], env=kept | own, capture_output=True, check=False)
    if run_archive.returncode == 0:
        assert frames.cli_sessions(home=home)["archived"].sum() == 1
        assert frames.cli_tokens([], home=home).iloc[0].equals(row)
    for file in Path(os.environ["CODEX_NB_CACHE_FOLDER"]).iterdir():
        assert b"PRIVATE" not in file.read_bytes()
