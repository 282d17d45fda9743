"""Where the Codex CLI keeps its sessions, and their lines, however long."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

__all__ = ["Found", "find", "lines", "opened"]

# Sessions in use stand before those put away, and plain files before compressed ones.
FOLDERS: Final = ("sessions", "archived_sessions")
ENDINGS: Final = (".jsonl", ".jsonl.zst")
# A longer line is a picture or a file; it is passed over piece by piece.
LONGEST: Final = 1 << 22


class Found(NamedTuple):
    """A rollout file. ``name`` is the same for all copies of a session."""

    name: str
    path: Path
    archived: bool
    size: int
    changed: int

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return self.path.name.endswith(ENDINGS[1])


def find(home: Path) -> list[Found]:
    """Return the rollouts below ``home``, the oldest first, each session once."""
    found: dict[str, Found] = {}
    for folder in FOLDERS:
        for ending in ENDINGS:
            for path in (home / folder).rglob(f"rollout-*{ending}"):
                name = path.name.removesuffix(ending)
                if name not in found and (one := _look(name, path, folder)):
                    found[name] = one
    return [found[name] for name in sorted(found)]


def _look(name: str, path: Path, folder: str) -> Found | None:
    try:
        seen = path.stat()
    except OSError:  # moved away in this moment
        return None
    return Found(name, path, folder == FOLDERS[1], seen.st_size, seen.st_mtime_ns)


def opened(found: Found) -> BinaryIO:
    """Open a rollout; what is read are its lines, also where it is compressed."""
    if not found.packed:
        return found.path.open("rb")
    return cast("BinaryIO", io.BufferedReader(_Unpacked(_zstd().open(found.path, "rb"))))


class _Unpacked(io.RawIOBase):
    """An archive, as far as it can be read: one that is broken off, or is none, ends there."""

    def __init__(self, archive: Any) -> None:
        self._archive = archive

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._archive.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        try:
            content: bytes = self._archive.read1(len(buffer))
        except (EOFError, _zstd().ZstdError):
            return 0
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._archive.close()
        super().close()


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def lines(file: BinaryIO, offset: int) -> Iterator[tuple[int, bytes]]:
    """Give each whole line with the place behind it. A last line without its end is not given: it may go on."""
    while True:
        line, size = _line(file)
        if not line.endswith(b"\n"):
            return
        offset += size
        yield offset, line if size == len(line) else b""


def _line(file: BinaryIO) -> tuple[bytes, int]:
    """Return a line, or the last piece of one that is too long, and how long it is."""
    line = file.readline(LONGEST)
    size = len(line)
    while len(line) == LONGEST and not line.endswith(b"\n"):
        line = file.readline(LONGEST)
        size += len(line)
    return line, size
