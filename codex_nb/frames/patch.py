"""What a unified diff changes: its files, and how many lines each gains and loses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["FileChange", "Hunk", "changes", "hunks"]

HUNK: Final = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
HEADERS: Final = ("--- ", "+++ ")
NOWHERE: Final = "/dev/null"
OCTAL: Final = re.compile(rb'\\([0-7]{3}|[abfnrtv"\\])')
ESCAPES: Final = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))


@dataclass(frozen=True, slots=True)
class Hunk:
    """A stretch of a file: where it begins before and after (from 1), and its lines with their marks."""

    before: int
    after: int
    heading: str
    lines: list[str]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a diff. ``text`` is its part of the diff; all parts together are the whole, to the letter."""

    path: str
    old_path: str | None
    change: str  # "added", "deleted", "renamed", "copied" or "modified"
    binary: bool
    added: int
    removed: int
    text: str


def changes(diff: str) -> list[FileChange]:
    """Return what ``diff`` (git's form, or plain) changes, file by file. Text that is no diff changes nothing."""
    return [change for part in _parts(diff) if (change := _change(part))]


def hunks(text: str) -> Iterator[Hunk]:
    """Give the hunks of a file's part of a diff."""
    lines = iter(_lines(text))
    for line in lines:
        match = HUNK.match(line)
        if not match:
            continue
        before, left, after, right = (1 if number is None else int(number) for number in match.groups())
        body: list[str] = []
        while left > 0 or right > 0:
            got = next(lines, None)
            if got is None:
                break
            body.append(got)
            left -= got[:1] in {"-", " ", "", "\n", "\r"}
            right -= got[:1] in {"+", " ", "", "\n", "\r"}
        yield Hunk(before, after, line[match.end() :].strip(), body)


def _lines(text: str) -> list[str]:
    # Not splitlines: a form feed or a Unicode line separator is part of a line of code.
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _parts(diff: str) -> Iterator[str]:
    """Give the text of each file. What looks like a header inside a hunk is a line of the file."""
    part: list[str] = []
    left = right = 0
    git = False
    for line in _lines(diff):
        mark = line[:1]
        if left > 0 or right > 0:
            left -= mark in {"-", " ", "\n", "\r"}
            right -= mark in {"+", " ", "\n", "\r"}
        elif match := HUNK.match(line):
            left, right = (1 if number is None else int(number) for number in match.group(2, 4))
        elif line.startswith("diff --git ") or (line.startswith("--- ") and not git and _has_hunk(part)):
            if _is_change(part):
                yield "".join(part)
                part = []
            git = line.startswith("diff --git ")
        part.append(line)
    if part:
        yield "".join(part)


def _has_hunk(part: list[str]) -> bool:
    return any(HUNK.match(line) for line in part)


def _is_change(part: list[str]) -> bool:
    return any(line.startswith(("diff --git ", "--- ")) for line in part)


def _change(text: str) -> FileChange | None:
    head = text.split("\n@@ ", 1)[0].split("\n")
    if not any(line.startswith(("diff --git ", *HEADERS)) for line in head):
        return None
    old, new = _paths(head)
    body = [line for hunk in hunks(text) for line in hunk.lines]
    return FileChange(
        path=(new if new != NOWHERE else old) or "",
        old_path=old if NOWHERE not in (old, new) and old != new else None,
        change=_kind(head, old, new),
        binary=any(line.startswith(("Binary files ", "GIT binary patch")) for line in head),
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
        text=text,
    )


def _paths(head: list[str]) -> tuple[str, str]:
    """Return the paths before and after: of the ---/+++ lines, of a rename, or of git's own first line."""
    said: dict[str, str] = {}
    for line in head:
        for mark in ("--- ", "+++ ", "rename from ", "rename to ", "copy from ", "copy to "):
            if line.startswith(mark):
                said.setdefault(mark, _path(line.removeprefix(mark), prefixed=mark in HEADERS))
    old = said.get("rename from ") or said.get("copy from ") or said.get("--- ")
    new = said.get("rename to ") or said.get("copy to ") or said.get("+++ ")
    if old is None or new is None:
        first, second = _of_git(next((line for line in head if line.startswith("diff --git ")), ""))
        old, new = old or first, new or second
        if any(line.startswith("new file") for line in head):
            old = NOWHERE
        if any(line.startswith("deleted file") for line in head):
            new = NOWHERE
    return old, new


def _of_git(line: str) -> tuple[str, str]:
    """Return the two paths of ``diff --git a/x b/x``; blanks are not quoted in it, but both are mostly the same."""
    rest = line.removeprefix("diff --git ").rstrip("\r")
    if quoted := re.fullmatch(r'("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)', rest):
        return _path(quoted[1], prefixed=True), _path(quoted[2], prefixed=True)
    half = len(rest) // 2
    return _path(rest[:half], prefixed=True), _path(rest[half + 1 :], prefixed=True)


def _path(text: str, *, prefixed: bool) -> str:
    text = text.rstrip("\r").split("\t", 1)[0]  # what follows a tab is a time
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = OCTAL.sub(_unescaped, text[1:-1].encode("utf-8", "replace")).decode("utf-8", "replace")
    return text[2:] if prefixed and text[:2] in {"a/", "b/"} else text


def _unescaped(match: re.Match[bytes]) -> bytes:
    said = match[1]
    return bytes([int(said, 8) & 0xFF if len(said) > 1 else ESCAPES[said[0]]])


def _kind(head: list[str], old: str, new: str) -> str:
    if old == NOWHERE:
        return "added"
    if new == NOWHERE:
        return "deleted"
    if any(line.startswith("copy from ") for line in head):
        return "copied"
    return "renamed" if old != new else "modified"
