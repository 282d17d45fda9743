"""Several processes, one login file: one refresh for all of them, and a file that is whole whenever one is killed."""

import os
import random
import time

from codex_nb import CodexAuth, Session
from codex_nb.local import LocalBackend, Script
from tests.auth.logins import LoginFile, asked, refreshes
from tests.processes import start

PROCESSES = 8
ROUNDS = int(os.environ.get("CODEX_NB_ROUNDS", "12"))


def list_models(pipe, url, path, *, times=1):
    """List the models when it is told to, and say so each time."""
    os.environ["CODEX_NB_LEDGER"] = "off"
    pipe.send("ready")
    pipe.recv()
    with Session(url, auth=CodexAuth(path), timeout=30) as session:
        while times:
            pipe.send(len(session.models.list(refresh=True)) > 0)
            times -= 1


def list_models_forever(pipe, url, path):
    """List them until it is killed."""
    list_models(pipe, url, path, times=-1)


def test_eight_processes_refresh_once(tmp_path):
    """The token endpoint is called once, and all of them succeed."""
    with LocalBackend(Script()) as backend:
        file = LoginFile(tmp_path, backend)
        processes = [start(list_models, backend.url, file.path) for _ in range(PROCESSES)]
        try:
            assert [each.pipe.recv() for each in processes] == ["ready"] * PROCESSES
            for each in processes:
                each.pipe.send("go")
            assert [each.rest() for each in processes] == [[True]] * PROCESSES
        finally:
            for each in processes:
                each.process.kill()
        assert len(refreshes(backend)) == 1
        assert {request.headers["authorization"] for request in asked(backend)} == {
            f"Bearer {file.tokens['access_token']}"
        }
        file.assert_whole()


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    """``CODEX_NB_ROUNDS`` says how often; each request of the victim refreshes, because tokens end at once."""
    moments = random.Random(20)  # noqa: S311
    renewed = 0
    with LocalBackend(Script()) as backend:
        backend.state.tokens.lifetime = 100  # within five minutes of its end from the beginning
        file = LoginFile(tmp_path, backend)
        for _ in range(ROUNDS):
            # A kill between the service's answer and the write uses a login up; nobody could help that.
            file.sign_in(lifetime=100)
            before = file.tokens["refresh_token"]
            victim = start(list_models_forever, backend.url, file.path)
            victim.pipe.send("go")
            assert [victim.pipe.recv(), victim.pipe.recv()] == ["ready", True]
            time.sleep(moments.uniform(0.0, 0.06))
            victim.kill()
            file.assert_whole()
            renewed += file.tokens["refresh_token"] != before
    assert renewed == ROUNDS
    assert len(file.others()) <= ROUNDS  # what was killed while it wrote, for its owner alone
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in file.others()} <= {0o600}
