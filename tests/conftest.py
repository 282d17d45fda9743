"""What every test gets: no login, no setting and no proxy of the machine it runs on."""

import asyncio
import inspect
import os
import signal

import hypothesis
import pytest

from codex_nb import Bearer, Session
from codex_nb.local import LocalBackend

# How long an example takes is the machine's business.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

# Where no fixture of a test says otherwise (those of a module, say), the ledger of the machine's user stays out of it.
os.environ["CODEX_NB_LEDGER"] = "off"
# What a script runs behind itself is begun with Ctrl+C ignored, and so would be all that tests begin.
signal.signal(signal.SIGINT, signal.default_int_handler)
TOKEN = "made-up-bearer-0123456789abcdef"


# What belongs on one process when the suite runs on several: its ports, a front end, a model in memory.
TOGETHER = {
    "tests/browser/": "browser",
    "tests/local/test_llama": "model",
    "tests/peers/test_codex_backend_sdk": "registered ports",
    "tests/test_cli": "registered ports",
}
# What takes longest, longest first; at its end a run is as long as the last one to begin.
LONG = (
    "browser",
    "tests/notebook/test_notebooks.py",
    "tests/kernels/test_versions.py",
    "model",
    "tests/local/test_codex_cli.py",
    "tests/notebook/test_replay.py",
    "tests/notebook/test_hearing.py",
    "tests/frames/test_dask.py",
    "tests/peers/",
    "registered ports",
    "tests/client/test_faults.py",
    "tests/notebook/",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep a module and its fixtures together, and what shares something beyond it; what takes long comes first."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _assign_work_unit(self, node):
            begins = {start: place for place, start in enumerate(LONG)}
            rank = {
                scope: next((place for start, place in begins.items() if scope.startswith(start)), len(LONG))
                for scope in self.workqueue
            }
            self.workqueue.move_to_end(min(rank, key=rank.get), last=False)
            super()._assign_work_unit(node)

        def _reschedule(self, node):
            # Of few tests a worker keeps the last one back until it knows what comes next, and would wait for ever.
            while not node.shutting_down and self._pending_of(self.assigned_work[node]) <= 2:
                super()._reschedule(node)

        def remove_node(self, node):
            crashed = super().remove_node(node)
            for unit in self.workqueue.values():
                if crashed in unit:  # it is told as failed, and is not to take another worker along
                    unit[crashed] = True
            return crashed

        def _split_scope(self, nodeid):
            module = nodeid.partition("::")[0]
            return next((group for start, group in TOGETHER.items() if module.startswith(start)), module)

    return Together(config, log)


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch, tmp_path_factory):
    """Keep logins, settings and proxies of the machine out."""
    for name in ("BACKEND", "MODEL", "TIMEOUT", "CACHE"):
        monkeypatch.delenv(f"CODEX_NB_{name}", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "CODEX_CA_CERTIFICATE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    own = tmp_path_factory.mktemp("own")
    for name, folder in {"CODEX_HOME": "home", "CODEX_NB_CACHE_FOLDER": "cache", "CODEX_NB_KEPT": "kept"}.items():
        (own / folder).mkdir()
        monkeypatch.setenv(name, str(own / folder))
    # One for all tests, and for the kernels and programs that they start: many writers on one file.
    monkeypatch.setenv("CODEX_NB_LEDGER", str(tmp_path_factory.getbasetemp() / "ledger.sqlite3"))


@pytest.fixture
def make_backend():
    """Return what starts scripted backends, stopped afterwards."""
    started = []

    def make(script, **options):
        started.append(LocalBackend(script, **options).start())
        return started[-1]

    yield make
    for backend in started:
        backend.stop()


class Face:
    """One face of a session under test: the same calls, awaited where it must be."""

    def __init__(self, name):
        self.name = name

    def run(self, backend, use, **options):
        """Open a session on ``backend`` (or its address), call ``use(face)`` and return what comes of it."""
        url = backend if isinstance(backend, str) else backend.url
        options = {"auth": Bearer(TOKEN), "model": "gpt-5.4", "timeout": 5, "max_retries": 0, **options}
        if self.name == "sync":
            with Session(url, **options) as session:
                return use(session)
        return asyncio.run(self._run(url, use, options))

    async def _run(self, url, use, options):
        async with Session(url, **options) as session:
            result = use(session.aio)
            return await result if inspect.isawaitable(result) else result

    def answer(self, backend, *, streamed, **options):
        """Ask, collected or streamed to the end; return the response."""
        if not streamed:
            return self.run(backend, lambda face: face.responses.create(input="x"), **options)
        return self.run(backend, lambda face: face.responses.stream(input="x").final(), **options)


@pytest.fixture(params=["sync", "async"])
def face(request):
    """Each of the two faces."""
    return Face(request.param)
