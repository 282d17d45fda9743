"""Fixtures of the local backend's own tests."""

import os
import shutil

import pytest

from codex_nb.local import LocalBackend, Script
from tests.local.raw import Raw
from tests.requirements_gate import require


@pytest.fixture(scope="session")
def raw():
    """Give the raw client."""
    client = Raw()
    yield client
    client.http.close()


@pytest.fixture
def backend():
    """Give a scripted backend without turns."""
    with LocalBackend(Script()) as started:
        yield started


@pytest.fixture
def cli():
    """Give the path of the Codex CLI."""
    found = os.environ.get("CODEX_NB_CLI") or shutil.which("codex")
    require("cli", None if found else "no Codex CLI; run npm install @openai/codex and set CODEX_NB_CLI to its codex")
    return found
