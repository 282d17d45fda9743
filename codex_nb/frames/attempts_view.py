"""Attempts at one turn beside each other: what each of them changes. A model's text: every character is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from codex_nb.frames.diff_view import CODE, FAINT, GONE, MOST_LINES, NEW, NOTHING, WRAPPED

__all__ = ["AttemptsView", "Tried"]

CELL = "text-align:left;vertical-align:top;padding:2px 8px"
COLOURS = {"+": NEW, "-": GONE, "@": FAINT}


class Tried(NamedTuple):
    """What one attempt does to one file."""

    path: str
    attempt: Any
    added: int
    removed: int
    diff: str


class AttemptsView:
    """Shows a column an attempt and a row a file in a notebook; elsewhere how many lines each changes."""

    def __init__(self, tried: Sequence[Tried]) -> None:
        self._attempts = sorted({one.attempt for one in tried}, key=lambda number: (number is None, number))
        self._files = {path: {one.attempt: one for one in tried if one.path == path} for path in _paths(tried)}

    def __repr__(self) -> str:
        if not self._files:
            return "Nothing was changed."
        rows = [["", *map(_name, self._attempts)]]
        rows += [[path, *(_lines(by.get(number)) for number in self._attempts)] for path, by in self._files.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        if not self._files:
            return NOTHING
        width = f"width:{100 // len(self._attempts)}%"
        heads = "".join(f"<th style='{CELL};{width}'>{escape(_name(number))}</th>" for number in self._attempts)
        body = "".join(self._row(path) for path in self._files)
        return (
            "<table style='width:100%;table-layout:fixed;border-collapse:collapse'>"
            f"<thead><tr style='background:none'>{heads}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _row(self, path: str) -> str:
        by = self._files[path]
        title = f"<td colspan='{len(self._attempts)}' style='{CELL};{CODE}'><b>{escape(path)}</b></td>"
        cells = "".join(f"<td style='{CELL};overflow:hidden'>{_cell(by.get(number))}</td>" for number in self._attempts)
        return f"<tr style='background:none'>{title}</tr><tr style='background:none'>{cells}</tr>"


def _paths(tried: Sequence[Tried]) -> list[str]:
    return list(dict.fromkeys(one.path for one in tried))


def _name(number: Any) -> str:
    return "attempt" if number is None else f"attempt {number}"


def _lines(one: Tried | None) -> str:
    return f"+{one.added} -{one.removed}" if one else "not changed"


def _cell(one: Tried | None) -> str:
    if one is None:
        return "<span style='opacity:.6'>not changed</span>"
    # What stands before the first hunk is the file's name once more.
    lines = one.diff.splitlines()
    start = next((place for place, line in enumerate(lines) if line.startswith("@@")), 0)
    shown = "".join(_line(line) for line in lines[start : start + MOST_LINES])
    more = len(lines) - start - MOST_LINES
    note = f"<div style='opacity:.7'>… and {more} more lines</div>" if more > 0 else ""
    return f"<div style='opacity:.7'>{_lines(one)}</div><div style='{CODE};overflow-x:auto'>{shown}</div>{note}"


def _line(line: str) -> str:
    colour = COLOURS.get(line[:1])
    fill = f";background:{colour}" if colour else ""
    return f"<div style='{WRAPPED}{fill}'>{escape(line) or ' '}</div>"
