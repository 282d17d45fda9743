"""Diffs in git's form: made from the two versions of each file, and counted."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Edit:
    """One file before and after. None before is a new file, None after a deleted one."""

    path: str
    before: str | None
    after: str | None

    def diff(self) -> str:
        """Return its part of a diff."""
        old, new = self.before or "", self.after or ""
        names = "/dev/null" if self.before is None else f"a/{self.path}", f"b/{self.path}"
        if self.after is None:
            names = names[0], "/dev/null"
        hunks = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), *names)
        return "".join([*self._head(old, new), *map(_whole_line, hunks)])

    def _head(self, old: str, new: str) -> Iterator[str]:
        yield f"diff --git a/{self.path} b/{self.path}\n"
        marks = f"{_blob(self.before, old)}..{_blob(self.after, new)}"
        if self.before is None:
            yield f"new file mode 100644\nindex {marks}\n"
        elif self.after is None:
            yield f"deleted file mode 100644\nindex {marks}\n"
        else:
            yield f"index {marks} 100644\n"


def diff_of(edits: Iterable[Edit]) -> str:
    """Return the diff of several files."""
    return "".join(edit.diff() for edit in edits)


def stats_of(diff: str) -> dict[str, int]:
    """Count the files and lines of a diff."""
    files, added, removed, in_hunk = 0, 0, 0, False
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            files, in_hunk = files + 1, False
        elif line.startswith("@@"):
            in_hunk = True
        elif in_hunk:
            added += line.startswith("+")
            removed += line.startswith("-")
    return {"files_modified": files, "lines_added": added, "lines_removed": removed}


def _whole_line(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _blob(content: str | None, text: str) -> str:
    """Return the short name that git gives a content."""
    data = text.encode()
    return "0" * 7 if content is None else hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()[:7]  # noqa: S324
