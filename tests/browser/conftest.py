"""Real front ends: JupyterLab and Notebook 7, served on loopback, in the system's Chromium."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.requirements_gate import require

TOKEN = "made-up-server-token"
LONGEST_MS = 120_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing_browser():
    """Return why no browser test can run here, None if they can."""
    for module in ("playwright", "jupyterlab", "notebook"):
        if find_spec(module) is None:
            return f"the package {module} is missing (group browser)"
    return None if shutil.which("chromium") else "Chromium is not installed"


def pytest_collection_modifyitems(items):
    """Mark every test of this folder."""
    for item in items:
        if "tests/browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)


class Server:
    """A Jupyter server of its own, with nothing of the user's."""

    def __init__(self, folder):
        self.folder = folder / "notebooks"
        self.folder.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        homes = {
            name: str(folder / name)
            for name in (
                "HOME",
                "JUPYTER_CONFIG_DIR",
                "JUPYTER_DATA_DIR",
                "JUPYTER_RUNTIME_DIR",
                "IPYTHONDIR",
                "CODEX_HOME",
            )
        }
        homes |= {f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("SETTINGS", "WORKSPACES")}
        for path in homes.values():
            Path(path).mkdir()
        quiet = folder / "SETTINGS" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        quiet.parent.mkdir(parents=True)
        quiet.write_text('{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}')
        options = {
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.open_browser": False,
            "ServerApp.allow_remote_access": True,  # under a name that is no localhost, too
            "ServerApp.allow_root": True,
            "ServerApp.root_dir": self.folder,
            "IdentityProvider.token": TOKEN,
            "LabApp.expose_app_in_browser": True,
            "JupyterNotebookApp.expose_app_in_browser": True,
        }
        self.log = (folder / "server.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.lab", *(f"--{name}={value}" for name, value in options.items())],
            env={**os.environ, **homes, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
            cwd=Path(__file__).parents[2],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/api?token={TOKEN}", timeout=2):  # noqa: S310 - our own server
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail("the Jupyter server did not start")

    def stop(self):
        """Stop it and its kernels."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Notebook:
    """A notebook open in a front end."""

    def __init__(self, page, path):
        self.page, self.path = page, path

    def evaluate(self, body, *arguments):
        """Run JavaScript in the page with ``app`` and ``panel`` at hand; Playwright itself would wait for ever."""
        script = f"""(given) => {{
            const app = window.jupyterapp;
            const panel = app.shell.currentWidget;
            const late = (_, fail) => setTimeout(fail, {LONGEST_MS}, new Error('This did not end in time.'));
            return Promise.race([(async () => {{ {body} }})(), new Promise(late)]);
        }}"""
        return self.page.evaluate(script, list(arguments))

    def ready(self):
        """Wait until the kernel is idle."""
        self.page.wait_for_function(
            """() => { const p = window.jupyterapp?.shell?.currentWidget;
                return p?.sessionContext?.session?.kernel?.status === 'idle' && p.content?.model; }""",
            timeout=60_000,
        )

    def start(self, index):
        """Begin to run a cell."""
        self.evaluate(
            "panel.content.activeCellIndex = given[0]; app.commands.execute('notebook:run-cell'); return null", index
        )

    def run(self, index):
        """Run a cell to its end."""
        self.evaluate(
            "panel.content.activeCellIndex = given[0]; await app.commands.execute('notebook:run-cell'); return null",
            index,
        )

    def execute(self, code):
        """Run code in the kernel, apart from the notebook."""
        self.evaluate(
            "const r = panel.sessionContext.session.kernel.requestExecute({code: given[0]}); await r.done; return null",
            code,
        )

    def printed(self, code):
        """Run code in the kernel, apart from the notebook, and return what it prints."""
        return self.evaluate(
            "const r = panel.sessionContext.session.kernel.requestExecute({code: given[0]}); let text = '';"
            "r.onIOPub = m => { if (m.header.msg_type === 'stream') text += m.content.text; };"
            "await r.done; return text",
            code,
        )

    def outputs(self, index):
        """Return a cell's outputs as the document has them."""
        return self.evaluate("return panel.content.widgets[given[0]].model.toJSON().outputs", index)

    def save(self):
        """Save the document."""
        self.evaluate("await panel.context.save(); return null")


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """One Jupyter server for all browser tests."""
    require("browser", missing_browser())
    server = Server(tmp_path_factory.mktemp("jupyter"))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def browser(server):
    """One Chromium for all browser tests; gone before the other tests, whose event loops it would hold up."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def opener(server, browser, host="127.0.0.1"):
    """Give what opens a notebook, given as nbformat node, in Lab or in Notebook 7, light or dark."""
    import nbformat

    contexts = []

    def open_(notebook, name, *, front="lab", dark=False):
        path = server.folder / f"{name}.ipynb"
        if notebook is not None:
            notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
            nbformat.write(notebook, path)
        context = browser.new_context(viewport={"width": 1100, "height": 900}, color_scheme="dark" if dark else "light")
        contexts.append(context)
        page = context.new_page()
        where = {"lab": "lab/tree", "notebook": "notebooks"}[front]
        page.goto(f"http://{host}:{server.port}/{where}/{path.name}?token={TOKEN}&reset")
        opened = Notebook(page, path)
        opened.ready()
        if dark:
            opened.evaluate(
                "await app.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'}); return null"
            )
        return opened

    try:
        yield open_
    finally:
        for context in contexts:
            context.close()


@pytest.fixture
def open_notebook(server, browser):
    """Return what opens a notebook."""
    with opener(server, browser) as open_:
        yield open_
