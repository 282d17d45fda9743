"""Exceptions: what was raised, where in the notebook, and what led to it."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from codex_nb.chat.describe.text import fenced, redact

__all__ = ["failure_bodies", "is_cell"]

# Where the code of a cell says it stands: IPython's own name, ipykernel's, and those of other front ends.
CELL: Final = re.compile(r"<ipython-input-(\d+)|[\\/]ipykernel_\d+[\\/]|^<(?:cell|stdin)")
LIBRARY: Final = re.compile(r"[\\/](?:site|dist)-packages[\\/]|[\\/]lib[\\/]python\d|^<frozen|^<__array")
MOST_CAUSES: Final = 4
# Exceptions may quote whole tables.
LONGEST_MESSAGE: Final = 4_000
# From the most to the least detail: frames of one's own, frames of libraries.
DETAILS: Final = ((30, 8), (12, 4), (6, 2), (3, 1), (1, 0))


def is_cell(filename: str) -> bool:
    """Whether code of that file name stands in a cell."""
    return CELL.search(filename) is not None


def failure_bodies(error: BaseException) -> tuple[str, Iterator[str]]:
    """Return what kind of exception ``error`` is, and where it comes from, from the most to the least detailed."""
    kind = type(error).__name__

    def bodies() -> Iterator[str]:
        for own, foreign in DETAILS:
            others = min(foreign, 2)  # of libraries' frames in what led to it
            chain = [_one(each, own, foreign if each is error else others) for each in _chain(error)]
            yield "\n\n".join([*chain, *_cell_of(error)])
        yield _message(error)

    return f"exception {kind}", bodies()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give ``error``, and what it was raised from."""
    at: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if at is None:
            return
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _message(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception_only(error)).strip()
    except Exception:  # noqa: BLE001 - an exception's own str may fail
        text = type(error).__name__
    text = redact(text[: 4 * LONGEST_MESSAGE])
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"


def _one(error: BaseException, own: int, foreign: int) -> str:
    """Return the message, and the frames: those of libraries only where the error was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__, limit=-200) if _counts(frame)]
    ours = [frame for frame in frames if not LIBRARY.search(frame.filename)][-own:]
    theirs = [frame for frame in frames if LIBRARY.search(frame.filename)]
    theirs = theirs[-foreign:] if foreign else []
    shown = [frame for frame in frames if frame in ours or frame in theirs]
    lines = [
        f"  {_place(frame)}, line {frame.lineno}, in {frame.name}" + (f"\n    {frame.line}" if frame.line else "")
        for frame in shown
    ]
    left = len(frames) - len(shown)
    note = [f"  … {left} more frames left out"] if left else []
    return "\n".join([_message(error), *(["Raised at, innermost last:"] if lines else []), *note, *lines])


def _counts(frame: traceback.FrameSummary) -> bool:
    """Whether a frame belongs to the user's run: not to IPython's own machinery, which runs the cell."""
    return not re.search(r"[\\/]IPython[\\/]core[\\/]|[\\/]ipykernel[\\/]", frame.filename)


def _place(frame: traceback.FrameSummary) -> str:
    if found := CELL.search(frame.filename):
        return f"cell {found[1]}" if found[1] else "cell"
    path = frame.filename
    if found := re.search(r"[\\/](?:site|dist)-packages[\\/](.*)", path):
        return found[1]
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path.startswith(home + os.sep) else path


def _cell_of(error: BaseException) -> list[str]:
    """Return the cell that raised it, whole."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_cell(frame.filename)]
    name = frames[0].filename if frames else getattr(error, "filename", None) or ""
    source = "".join(linecache.getlines(name)) if is_cell(name) else ""
    return [f"The cell:\n{fenced(source.rstrip(), 'python')}"] if source.strip() else []
