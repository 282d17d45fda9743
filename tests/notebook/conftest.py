"""A shell with the magics, and a scripted backend that they talk to. A module may have others of its own."""

import pytest

import codex_nb
from codex_nb.local import LocalBackend, Script
from tests.notebook.shells import open_shell


@pytest.fixture(scope="module")
def shell(request):
    """One shell for the module, with what its ``SETUP`` makes."""
    with open_shell(getattr(request.module, "SETUP", "")) as shell:
        yield shell


@pytest.fixture
def backend():
    """A scripted backend that the shared session talks to."""
    with LocalBackend(Script()) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), timeout=5, max_retries=0)
        yield backend
        session.close()
