"""A change as people look at it: before and after, beside each other. A model's text: every character is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import zip_longest
from typing import Any, TypeAlias

from codex_nb.frames.patch import Hunk, hunks

__all__ = ["DiffView"]

# More lines than this of one file make a page slow; the whole is in the frame.
MOST_LINES = 2_000
NOTHING = "<div style='opacity:.7'>Nothing was changed.</div>"
# Half transparent colours suit light and dark pages alike.
GONE, NEW, FAINT = "rgba(248,81,73,.18)", "rgba(46,160,67,.18)", "rgba(128,128,128,.14)"
# Where a notebook is not trusted, JupyterLab takes away what its filter does not know: variables, overflow-wrap.
CODE = "font-family:monospace;font-size:12px;line-height:1.45"
WRAPPED = "white-space:pre-wrap;word-wrap:break-word;overflow-wrap:anywhere"
CELL = f"text-align:left;vertical-align:top;{WRAPPED};padding:0 6px"
COUNT = "text-align:right;vertical-align:top;opacity:.55;padding:0 6px;user-select:none;width:1%"

# A line and its number, on one side.
Side: TypeAlias = "tuple[int, str] | None"


class DiffView:
    """Shows files (path, attempt, part of the diff) before and after in a notebook; elsewhere it is the diff."""

    def __init__(self, files: Sequence[tuple[Any, Any, Any]]) -> None:
        self._files = files

    def __repr__(self) -> str:
        return "".join(str(text) for _, _, text in self._files) or "Nothing was changed."

    def _repr_html_(self) -> str:
        if not self._files:
            return NOTHING
        several = len({attempt for _, attempt, _ in self._files}) > 1
        return "".join(
            f"<details open><summary style='{CODE};padding:4px 0'><b>{escape(str(path))}</b>"
            f"{f' · attempt {escape(str(attempt))}' if several else ''}</summary>{_table(str(text))}</details>"
            for path, attempt, text in self._files
        )


def _table(text: str) -> str:
    rows = list(_rows(text))
    if not rows:
        return f"<pre style='{CODE};opacity:.7'>{escape(text[:400])}</pre>"
    more = len(rows) - MOST_LINES
    note = f"<div style='opacity:.7'>… and {more} more lines</div>" if more > 0 else ""
    side = "<col style='width:1%'><col style='width:49%'>"
    return (
        f"<table style='{CODE};width:100%;table-layout:auto;border-collapse:collapse'><colgroup>{side * 2}</colgroup>"
        f"<tbody>{''.join(rows[:MOST_LINES])}</tbody></table>{note}"
    )


def _rows(text: str) -> Iterator[str]:
    for hunk in hunks(text):
        title = escape(hunk.heading) or f"line {hunk.after}"
        yield f"<tr style='background:{FAINT}'><td colspan='4' style='{CELL};opacity:.7'>{title}</td></tr>"
        for left, right in _pairs(hunk):
            same = left is not None and right is not None and left[1] == right[1]
            cells = _cell(left, "" if same else GONE) + _cell(right, "" if same else NEW)
            yield f"<tr style='background:none'>{cells}</tr>"


def _cell(side: Side, colour: str) -> str:
    if side is None:
        return f"<td style='{COUNT}'></td><td style='{CELL};background:{FAINT}'></td>"
    fill = f";background:{colour}" if colour else ""
    return f"<td style='{COUNT}{fill}'>{side[0]}</td><td style='{CELL}{fill}'>{escape(side[1])}</td>"


def _pairs(hunk: Hunk) -> Iterator[tuple[Side, Side]]:
    """Give the lines of both sides; what replaces a line stands beside it."""
    before, after = hunk.before, hunk.after
    gone: list[tuple[int, str]] = []
    new: list[tuple[int, str]] = []
    for line in hunk.lines:
        mark, rest = line[:1], line[1:].rstrip("\r\n")
        if mark == "\\":  # "No newline at end of file"
            continue
        if mark == "-":
            if new:
                yield from zip_longest(gone, new)
                gone, new = [], []
            gone.append((before, rest))
        elif mark == "+":
            new.append((after, rest))
        else:
            yield from zip_longest(gone, new)
            gone, new = [], []
            yield (before, rest), (after, rest)
        before, after = before + (mark != "+"), after + (mark != "-")
    yield from zip_longest(gone, new)
