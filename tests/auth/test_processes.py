"""Several processes, one login file: one refresh for all of them, and a file that is whole whenever one is killed."""

import os
import random
import subprocess
import sys

from codex_nb.local import LocalBackend, Script
from tests.auth.logins import LoginFile, asked, refreshes

PROCESSES = 8
ROUNDS = int(os.environ.get("CODEX_NB_ROUNDS", "12"))

ONE_REQUEST = """
import sys
from codex_nb import CodexAuth, Session
print("ready", flush=True)
sys.stdin.readline()
with Session(sys.argv[1], auth=CodexAuth(sys.argv[2]), timeout=30) as session:
    print(len(session.models.list()) > 0, flush=True)
"""
# A process that has imported everything forks the victims, so that a round costs milliseconds.
VICTIMS = """
import os, random, signal, sys, time
import codex_nb.client.session
from codex_nb import CodexAuth, Session
for line in sys.stdin:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with Session(sys.argv[1], auth=CodexAuth(sys.argv[2]), timeout=30) as session:
            while True:
                session.models.list(refresh=True)
                os.write(writing, b".")
    os.read(reading, 1)
    time.sleep(float(line))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading), os.close(writing)
    print("killed", flush=True)
"""


def start(script, backend, file):
    """Start a process on a login file."""
    environment = {**os.environ, "CODEX_NB_LEDGER": "off"}
    return subprocess.Popen(
        [sys.executable, "-c", script, backend.url, str(file.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_eight_processes_refresh_once(tmp_path):
    """The token endpoint is called once, and all of them succeed."""
    with LocalBackend(Script()) as backend:
        file = LoginFile(tmp_path, backend)
        processes = [start(ONE_REQUEST, backend, file) for _ in range(PROCESSES)]
        try:
            assert [process.stdout.readline() for process in processes] == ["ready\n"] * PROCESSES
            for process in processes:
                process.stdin.write("\n")
                process.stdin.flush()
            assert [process.communicate(timeout=60)[0] for process in processes] == ["True\n"] * PROCESSES
        finally:
            for process in processes:
                process.kill()
                process.communicate()
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
        runner = start(VICTIMS, backend, file)
        try:
            for _ in range(ROUNDS):
                # A kill between the service's answer and the write uses a login up; nobody could help that.
                file.sign_in(lifetime=100)
                before = file.tokens["refresh_token"]
                print(moments.uniform(0.0, 0.06), file=runner.stdin, flush=True)
                assert runner.stdout.readline() == "killed\n"
                file.assert_whole()
                renewed += file.tokens["refresh_token"] != before
        finally:
            runner.kill()
            runner.communicate()
    assert renewed == ROUNDS
    assert len(file.others()) <= ROUNDS  # what was killed while it wrote, for its owner alone
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in file.others()} <= {0o600}
