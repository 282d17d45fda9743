"""Fixtures of the local backend's own tests."""

import pytest

from codex_nb.local import LocalBackend, Script
from tests.local.raw import Raw


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
