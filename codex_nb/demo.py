"""``codex-nb demo``: the tour notebook, run for real on the embedded backend."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

from codex_nb.errors import CodexError
from codex_nb.safe_markdown import printable

__all__ = ["demo"]

TOUR = "01-ask.ipynb"
CELL_SECONDS = 300


def demo(folder: str, *, browser: bool) -> int:
    """Run the tour; print what it asks and answers while it runs; leave a notebook and a web page in ``folder``.

    Raises:
        CodexError: a package that the demo needs is missing, the folder is none, or a cell failed.

    """
    try:
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError as error:
        raise CodexError(
            f"The demo needs the package {error.name}.",
            hint='Run "uv run --group demo codex-nb demo", or install nbconvert, nbclient, ipykernel and jupyterlab.',
        ) from error
    target = _folder(folder)
    began = time.monotonic()
    notebook = cast("Any", nbformat.read(_tour(), as_version=4))  # pyright: ignore[reportUnknownMemberType]
    _execute(notebook)
    executed, page = target / TOUR, target / TOUR.replace(".ipynb", ".html")
    nbformat.write(notebook, executed)  # pyright: ignore[reportUnknownMemberType]
    html, _ = HTMLExporter().from_notebook_node(notebook)  # pyright: ignore[reportUnknownMemberType]
    page.write_text(html, encoding="utf-8")
    print(f"\nThe tour took {time.monotonic() - began:.0f} s. Notebook: {executed}  Page: {page}")
    return _open(executed) if browser else 0


def _folder(name: str) -> Path:
    """Return the folder, made if need be: the tour takes minutes, and nobody shall wait for a name that is none."""
    target = Path(name)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CodexError(
            f"{name} cannot be a folder ({error.strerror}).", hint="Name another --folder, which may be written to."
        ) from None
    return target


def _tour() -> Path:
    """Return the tour notebook: beside the package in a source tree, inside it when installed."""
    here = Path(__file__).resolve().parent
    for place in (here / "notebooks", here.parent / "notebooks"):
        if (place / TOUR).is_file():
            return place / TOUR
    raise CodexError("The tour notebook is missing.", hint="Install codex-nb again.")


def _execute(notebook: Any) -> None:
    from nbclient.exceptions import CellExecutionError

    from codex_nb.local.engines.gguf import find_model

    # A missing model is said before a kernel starts, and in our words.
    find_model()
    try:
        quiet = ["--IPKernelApp.log_level=ERROR"]
        _mirror()(notebook, timeout=CELL_SECONDS, kernel_name="python3", extra_arguments=quiet).execute()
    except CellExecutionError as error:
        raise CodexError(
            f"A cell of the tour failed: {error.ename}: {error.evalue}", hint="codex-nb status may tell why."
        ) from error


def _mirror() -> Any:
    """Return a notebook client that prints each prompt, and the text of the outputs as they grow."""
    from nbclient import NotebookClient

    # display id -> what of it is in the terminal already
    shown: dict[str, str] = {}

    class Mirror(NotebookClient):
        """Runs a notebook; what it shows is seen in the terminal too."""

        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            """Print what a message adds, then handle it."""
            content: dict[str, Any] = msg["content"]
            if msg["msg_type"] == "execute_input":
                print(f"\n> {printable(content['code']).replace(chr(10), chr(10) + '> ')}\n")
            elif msg["msg_type"] in {"display_data", "update_display_data", "execute_result"}:
                self._grow(content)
            elif msg["msg_type"] == "stream":
                print(printable(content["text"]), end="", flush=True)
            return super().process_message(msg, cell, cell_index)

        def _grow(self, content: dict[str, Any]) -> None:
            data: dict[str, str] = content["data"]
            text = printable(data.get("text/markdown") or data.get("text/plain") or "")
            if data.get("text/plain") == "":  # the waiting line
                return
            key: str = content.get("transient", {}).get("display_id", "")
            before = shown.get(key, "") if key else ""
            new = text[len(os.path.commonprefix([before, text])) :]  # noqa: RUF071 - characters are meant
            print(new if before else f"\n{new}", end="" if key else "\n", flush=True)
            shown[key] = text

    return Mirror


def _open(notebook: Path) -> int:
    try:
        return subprocess.call([sys.executable, "-m", "jupyterlab", str(notebook)])  # noqa: S603 - our own interpreter
    except KeyboardInterrupt:
        return 0
