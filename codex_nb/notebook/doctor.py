"""One table of what works here and what does not, each with what to do about it."""

from __future__ import annotations

import html
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from codex_nb.errors import CodexError, NotSignedIn, in_one_line
from codex_nb.safe_markdown import printable

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Finding", "Report", "doctor"]

SECONDS: Final = 3.0
OK, NOTE, PROBLEM = "ok", "note", "problem"
LIBRARIES: Final = ("IPython", "ipykernel", "ipywidgets", "anywidget", "httpx", "pydantic", "pandas")

ELSEWHERE: Final = "%codex_transcribe --mic uses the kernel's own, codex-nb record opens a page; files work everywhere."


class Finding(NamedTuple):
    """One row: what was looked at, its state (``ok``, ``note``, ``problem``), what is the case, and what to do."""

    what: str
    state: str
    finding: str
    to_do: str = ""


class Report:
    """What was found; a table in a notebook, lines elsewhere. ``report["login"]`` is one row of it."""

    def __init__(self, rows: list[Finding]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.rows)

    def __getitem__(self, what: str) -> Finding:
        return next(row for row in self.rows if row.what == what)

    @property
    def problems(self) -> list[Finding]:
        """The rows that need something done."""
        return [row for row in self.rows if row.state == PROBLEM]

    def __repr__(self) -> str:
        width = max(len(row.what) for row in self.rows)
        lines = (f"{row.state:<8} {row.what:<{width}}  {in_one_line(row.finding, row.to_do)}" for row in self.rows)
        return printable("\n".join(line.rstrip() for line in lines))

    def _repr_html_(self) -> str:
        left = "text-align: left; vertical-align: top"
        marks = {OK: "✓", NOTE: "·", PROBLEM: "✗"}
        rows = "".join(
            f'<tr><th style="{left}">{html.escape(row.what)}</th><td style="{left}">{marks[row.state]} {row.state}</td>'
            f'<td style="{left}">{html.escape(row.finding)}</td><td style="{left}">{html.escape(row.to_do)}</td></tr>'
            for row in self.rows
        )
        return f"<table><tbody>{rows}</tbody></table>"


def doctor() -> Report:
    """Look at login, backend, front end, widgets, microphone, extras, versions and folders; it never raises.

    The backend is asked for its list of models, and waited for 3 seconds at most. No token is shown.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("front end", _front_end),
        ("widgets", _widgets),
        ("microphone", _microphone),
        ("login", _login),
        ("backend", _backend),
        ("extras", _extras),
        ("versions", _versions),
        ("ledger", _ledger),
        ("folders", _folders),
    ]
    return Report([_checked(what, check) for what, check in checks])


def _checked(what: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except CodexError as error:
        return Finding(what, PROBLEM, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - the one who looks for trouble must not make any
        return Finding(what, NOTE, f"cannot be looked at ({type(error).__name__})")


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _front_end() -> Finding:
    shell = _shell()
    if shell is None:
        return Finding("front end", NOTE, "a Python program without IPython", "The magics need IPython or a notebook.")
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return Finding("front end", OK, "IPython in a terminal: answers are plain text")
    if "google.colab" in sys.modules:
        return Finding("front end", OK, "Google Colab")
    if "__vsc_ipynb_file__" in shell.user_ns or "VSCODE_PID" in os.environ:
        return Finding("front end", OK, "VS Code")
    if not getattr(kernel, "_allow_stdin", False):
        return Finding(
            "front end",
            NOTE,
            "a program runs this notebook (nbclient, nbconvert, papermill)",
            "There is no stop button, and calls of tools are denied unless --approve always.",
        )
    name = os.environ.get("JPY_SESSION_NAME", "")
    return Finding("front end", OK, f"Jupyter{f', {Path(name).name}' if name else ''}")


def _widgets() -> Finding:
    missing = [name for name in ("ipywidgets", "anywidget") if find_spec(name) is None]
    if missing:
        return Finding("widgets", PROBLEM, f"{', '.join(missing)} not installed", "pip install ipywidgets anywidget")
    if getattr(_shell(), "kernel", None) is None:
        return Finding("widgets", NOTE, "installed; there is no notebook to show them")
    return Finding(
        "widgets",
        OK,
        "installed in the kernel",
        "If the stop button does not show, install ipywidgets where Jupyter itself runs, too, and reload the page.",
    )


def _microphone() -> Finding:
    from codex_nb.notebook.sign_in import is_remote

    shell = _shell()
    if getattr(shell, "kernel", None) is None:
        return Finding("microphone", NOTE, "needs a notebook in a browser", ELSEWHERE)
    if "__vsc_ipynb_file__" in shell.user_ns or "VSCODE_PID" in os.environ:
        return Finding("microphone", NOTE, "VS Code gives notebooks no microphone", ELSEWHERE)
    if is_remote():
        return Finding(
            "microphone",
            NOTE,
            "this kernel runs on another machine",
            "Browsers record only on https:// pages and on localhost: open the notebook by one of these.",
        )
    return Finding("microphone", OK, "the browser asks for it when a recording begins")


def _login() -> Finding:
    from codex_nb.auth.bearer import LoginAuth
    from codex_nb.client.default import session

    here = session()
    if here.backend.login == "local" or not isinstance(here.auth, LoginAuth):
        return Finding("login", OK, "not needed by this backend" if here.auth is None else "given with the session")
    try:
        found = here.account()
    except NotSignedIn as error:
        return Finding("login", PROBLEM, error.message, error.hint)
    return Finding("login", OK, ", ".join(part for part in (found.email or "signed in", found.plan) if part))


def _backend() -> Finding:
    from codex_nb.client.default import session

    here = session()
    outcome: list[Finding] = []

    def ask() -> None:
        began = time.monotonic()

        def reached() -> Finding:
            count = len(here.models.list())
            took = 1_000 * (time.monotonic() - began)
            return Finding("backend", OK, f"{here.backend.name} answers in {took:.0f} ms, {count} models")

        outcome.append(_checked("backend", reached))

    asking = threading.Thread(target=ask, name="codex_nb doctor", daemon=True)
    asking.start()
    asking.join(SECONDS)
    late = f"{here.backend.name} does not answer within {SECONDS:g} s"
    return outcome[0] if outcome else Finding("backend", PROBLEM, late, "Check the network, a proxy, or the address.")


def _extras() -> Finding:
    from packaging.requirements import Requirement

    # Only what this Python gets: of some packages there is nothing for it.
    wanted = [each for each in map(Requirement, requires("codex-nb") or ()) if each.marker]
    lacks: dict[str, bool] = {}
    for name in metadata("codex-nb").get_all("Provides-Extra") or ():
        of_extra = [one for one in wanted if _is_for(one, name) and not _is_for(one, "")]
        lacks[name] = not all(_installed(one.name) for one in of_extra)
    there, missing = ([name for name in sorted(lacks) if lacks[name] is lack] for lack in (False, True))
    if not missing:
        return Finding("extras", OK, ", ".join(there))
    found = f"{', '.join(there) or 'none'}; without {', '.join(missing)}"
    return Finding("extras", NOTE, found, f'Only if you want them: pip install "codex-nb[{",".join(missing)}]"')


def _is_for(wanted: Requirement, extra: str) -> bool:
    return wanted.marker is not None and wanted.marker.evaluate({"extra": extra})


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _versions() -> Finding:
    from codex_nb._version import __version__

    found = [f"codex-nb {__version__}", "Python " + ".".join(map(str, sys.version_info[:3]))]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return Finding("versions", OK, ", ".join(found))


def _ledger() -> Finding:
    from codex_nb.client.default import session

    ledger = session().ledger
    if not ledger.on:
        return Finding("ledger", NOTE, "off", "Unset CODEX_NB_LEDGER to keep one.")
    if ledger.trouble:
        return Finding("ledger", PROBLEM, str(ledger), "Move the file away, or name another in CODEX_NB_LEDGER.")
    return Finding("ledger", OK, str(ledger))


def _folders() -> Finding:
    from codex_nb.settings import codex_home, data_folder

    closed = [str(folder) for folder in (codex_home(), data_folder()) if not _writable(folder)]
    if closed:
        return Finding(
            "folders", PROBLEM, f"cannot be written: {', '.join(closed)}", "Make them yours, or set CODEX_HOME."
        )
    return Finding("folders", OK, f"{codex_home()}, {data_folder()}")


def _writable(folder: Path) -> bool:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return there.is_dir() and os.access(there, os.W_OK)
