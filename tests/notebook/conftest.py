"""A shell with the magics, and a scripted backend that they talk to. A module may have others of its own."""

import os

import pytest
from jupyter_client.provisioning import local_provisioner

import codex_nb
from codex_nb.local import LocalBackend, Script
from tests.kernel_processes import launch_kernel
from tests.notebook.shells import open_shell


@pytest.fixture(autouse=True, scope="session")
def forked_kernels():
    """Start kernels by a fork where there is one; not where it is a version of the kernel that is under test."""
    with pytest.MonkeyPatch.context() as patch:
        if hasattr(os, "fork") and "CODEX_NB_KERNEL" not in os.environ:
            patch.setattr(local_provisioner, "launch_kernel", launch_kernel)
        yield


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
