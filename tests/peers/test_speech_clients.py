"""OpenAI's own clients, in Python and in Node, against the transcription server."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import codex_nb
from codex_nb import serve
from codex_nb.local import LocalBackend, Script
from tests.client.test_transcriptions import sound
from tests.peers.environments import HERE, run_peer
from tests.requirements_gate import require

KEY = "the-servers-own-key"
SAID = "Hello there."
EVENTS = [["transcript.text.delta", "transcript.text.done"], SAID]


@pytest.fixture(scope="module")
def server():
    """A server whose service always hears the same."""
    with (
        LocalBackend(Script(transcripts=[SAID] * 100)) as backend,
        codex_nb.Session(backend.url, auth=codex_nb.Bearer("made-up-bearer-0123456789")) as session,
        serve.start(session, api_key=KEY) as server,
    ):
        yield server


@pytest.fixture
def path(tmp_path):
    """A recording."""
    path = tmp_path / "talk.wav"
    path.write_bytes(sound())
    return path


@pytest.mark.parametrize("peer", [None, "openai_2"], ids=["openai 3", "openai 2"])
def test_openai_python(server, path, peer):
    """Its three forms, its stream, its errors, and its asynchronous client."""
    scenes = run_peer(peer, "openai_speech.py", server.url, KEY, path)
    assert scenes["forms"] == {"saw": [SAID, SAID, "en", "str", SAID]}
    assert scenes["stream"] == {"saw": EVENTS}
    refused = [["BadRequestError", 400], ["AuthenticationError", 401], ["PermissionDeniedError", 403]]
    assert scenes["refusals"] == {"saw": refused}
    assert scenes["asynchronous"] == {"saw": SAID}


def test_the_npm_package(server, path):
    """The same by Node; CODEX_NB_NODE is the folder that ``npm install openai`` was run in."""
    folder = os.environ.get("CODEX_NB_NODE", "")
    missing = None if shutil.which("node") and Path(folder, "node_modules/openai").is_dir() else "no node, or no openai"
    require("node", missing)
    done = subprocess.run(
        ["node", HERE / "openai_speech.cjs", server.url, KEY, path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NODE_PATH": str(Path(folder, "node_modules"))},
    )
    assert done.returncode == 0, done.stderr
    scenes = json.loads(done.stdout.splitlines()[-1])
    assert scenes["forms"] == {"saw": [SAID, SAID, "en", SAID]}
    assert scenes["stream"] == {"saw": EVENTS}
    refused = [["BadRequestError", 400], ["AuthenticationError", 401], ["PermissionDeniedError", 403]]
    assert scenes["refusals"] == {"saw": refused}
