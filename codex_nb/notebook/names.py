"""Comma lists of names and expressions, as they stand on a magic's line: brackets and quotes hold together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codex_nb.errors import InvalidOption

__all__ = ["first_names", "split_names"]

OPEN: Final = "([{"
CLOSE: Final = ")]}"
QUOTES: Final = "'\""


def split_names(text: str) -> list[str]:
    """Return the names and expressions of a comma list."""
    begin, names = 0, list[str]()
    for place, mark in _outside(text):
        if mark == ",":
            names.append(text[begin:place])
            begin = place + 1
    return [name.strip() for name in (*names, text[begin:]) if name.strip()]


def first_names(text: str) -> tuple[str, str]:
    """Return the comma list that ``text`` begins with, up to the first blank that follows no comma, and the rest.

    Quotes around all of it are undone; others are the expressions' own.

    Raises:
        InvalidOption: a quote or bracket is not closed.

    """
    if text[:1] in QUOTES and text[:1] and (end := text.find(text[0], 1)) > 0 and not text[end + 1 : end + 2].strip():
        return text[1:end], text[end + 1 :].lstrip()
    end = len(text)
    for place, mark in _outside(text):
        if mark.isspace() and not text[:place].rstrip().endswith(","):
            end = place
            break
    else:
        if _open(text):
            raise InvalidOption(
                f"A bracket or quote is not closed in {text[:40]!r}.", hint="Close it, or put quotes around all of it."
            )
    return text[:end], text[end:].lstrip()


def _outside(text: str) -> Iterator[tuple[int, str]]:
    """Give the marks that stand outside of brackets and quotes, with their places."""
    depth, quote = 0, ""
    for place, mark in enumerate(text):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in QUOTES:
            quote = mark
        elif mark in OPEN or mark in CLOSE:
            depth += 1 if mark in OPEN else -1
        elif depth <= 0:
            yield place, mark


def _open(text: str) -> bool:
    """Whether what would follow ``text`` still stood inside of it."""
    return not any(place == len(text) for place, _ in _outside(f"{text},"))
