"""``codex-nb record``: a page that records in the browser; the text comes out here."""

from __future__ import annotations

import signal
import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from codex_nb.safe_markdown import printable
from codex_nb.serve import upstream
from codex_nb.settings import data_folder

if TYPE_CHECKING:
    import argparse

    from codex_nb.notebook.recordings import Recording
    from codex_nb.types.audio import Transcript

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``codex-nb record``."""
    add = parser.add_argument
    add("--language", "-l", metavar="CODE", help="what is spoken: en, de, …; it can be chosen in the page too")
    add("--prompt", metavar="TEXT", help="names and words that are said")
    add("--route", "-r", metavar="NAME,…", help="the ways to take, in order (default: codex)")
    add("--engine", metavar="X", help="what hears on the route local: sphinx, an address, or module:function")
    add("--model", "-m", help="the model, on routes that have several")
    add("--save", metavar="DIR", help="keep recordings there, each with its text beside it (default: the data folder)")
    add("--once", action="store_true", help="end after the first text")
    add("--no-browser", action="store_true", help="show the address, and open no browser")
    add("--port", type=int, default=0, help="where the page is (default: a free port)")
    upstream.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, SIGTERM, or the first text; return the exit status."""
    from codex_nb.notebook.record_page import RecordPage

    folder = Path(options.save).expanduser() if options.save else data_folder() / "recordings"
    over = threading.Event()

    def heard(found: Transcript) -> None:
        print(printable(found.text), flush=True)
        if options.save:
            Path(found.source).with_suffix(".txt").write_text(f"{found.text}\n", encoding="utf-8")
        if options.once:
            over.set()

    asked = {name: getattr(options, name) for name in ("language", "prompt", "route", "engine", "model")}
    with upstream.open_session(options) as session:
        create: Any = session.audio.transcriptions.create

        def transcriber(recording: Recording, **given: Any) -> Transcript:
            return cast("Transcript", create(file=recording, **given))

        page = RecordPage(
            folder, transcriber=transcriber, options=asked, on_transcript=heard, on_failure=_fail, port=options.port
        )
        with page:
            print(f"codex-nb records at {page.url}", file=sys.stderr, flush=True)
            print(f"  Recordings are kept in {folder}. Ctrl-C ends it.", file=sys.stderr, flush=True)
            if not options.no_browser:
                webbrowser.open(page.url)
            _wait(over)
    return 0


def _wait(over: threading.Event) -> None:
    """Wait for the event or a signal, in steps, so that one is heard on every system."""

    def end(_number: int, _frame: object) -> None:
        over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not over.wait(0.2):
            pass
        threading.Event().wait(1)  # the page shows the text, too
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail(recording: Recording) -> None:
    error = recording.error
    if error:
        hint = f"\n  {error.hint}" if error.hint else ""
        print(f"codex-nb: {error.message}{hint}\n  It is kept in {recording.path}.", file=sys.stderr, flush=True)
