"""The fenced blocks of a Markdown text, and where it may be cut in two outside of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["ITEM", "Fence", "break_after", "fences"]

ITEM = r"(?:[-+*]|\d{1,9}[.)])"
_MARKS = re.compile(r"```|~~~")
_FENCE = re.compile(rf"((?:[ \t>]|{ITEM}[ \t])*+)(?:(```+)(?=[^`\n]*(?:\n|\Z))|(~~~+))[ \t]*+([^\s`{{]*)[^\n]*")
# A margin whose next line is there to its end, so that it is known to be neither an item nor a quote.
_BREAK = re.compile(rf"\n[ \t]*\n(?!{ITEM}[ \t\n]|>)(?=\S[^\n]*\n)")


class Fence(NamedTuple):
    """A fenced block; it ends where the next line begins, and may have moved to the margin from some depth."""

    start: int
    end: int
    depth: int
    opening: re.Match[str]
    code: str


def fences(text: str) -> Iterator[Fence]:
    """Find the fenced blocks; one that is not closed goes to the end."""
    at = seen = 0
    while marks := _MARKS.search(text, seen):
        line = text.rfind("\n", at, marks.start()) + 1 or at
        opening = _FENCE.match(text, line)
        if not opening:
            seen = text.find("\n", marks.end()) + 1 or len(text)
            continue
        prefix, ticks, tildes, _ = opening.groups()
        quoted = rf"(?: {{0,3}}+> ?+){{{prefix.count('>')}}}" if ">" in prefix else ""
        depth = 0 if quoted else len(prefix)
        closing = rf"{quoted}[ \t]{{0,{depth + 3}}}{(ticks or tildes)[0]}{{{len(ticks or tildes)},}}[ \t]*(?=\n|\Z)"
        closed = re.compile(rf"\n(?:({closing})" + (rf"|(?!{quoted}))" if quoted else ")")).search(text, opening.end())
        end = closed.start() if closed else len(text)
        code = re.sub(rf"\n{quoted}[ \t]{{0,{depth}}}", "\n", text[opening.end() : end])[1:]
        at = seen = min(len(text), 1 + (closed.end() if closed and closed[1] is not None else end))
        yield Fence(line, at, depth, opening, code)


def break_after(text: str, at: int) -> int:
    """Return the first place from `at` on where Markdown may be cut in two; 0 if there is none.

    Both parts look as they do in one, and no text that is added later changes the answer: nothing goes on beyond an
    empty line outside of code, if what follows it stands at the margin and is neither an item nor a quote.
    """
    start = 1
    for fence in fences(text):
        if found := _BREAK.search(text, max(at, start - 1), fence.opening.end() + 1):
            return found.end()
        start = fence.end
    found = _BREAK.search(text, max(at, start - 1))
    return found.end() if found else 0
