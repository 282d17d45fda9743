"""The hidden folder beside a notebook, and files of lines in it that several kernels add to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from codex_nb.errors import InvalidOption

__all__ = ["FOLDER", "RECORDING", "append", "from_here", "prepare"]

FOLDER: Final = ".codex_nb"
RECORDING: Final = ".cache.jsonl"
# What is said here is nobody else's business: it stays out of the repository. Recordings are made to be shared.
IGNORED: Final = f"*\n!*{RECORDING}\n"


def prepare(folder: Path) -> None:
    """Make the folder, and keep what is private out of the repository."""
    folder.mkdir(parents=True, exist_ok=True)
    ignored = folder / ".gitignore"
    if folder.name == FOLDER and (not ignored.exists() or ignored.read_text() == "*\n"):
        ignored.write_text(IGNORED)


def from_here(path: Path) -> Path:
    """Return ``path`` as the working folder has it.

    Raises:
        InvalidOption: the working folder is gone.

    """
    try:
        return path.absolute()
    except FileNotFoundError:
        raise InvalidOption("The working folder is gone.", hint="Go to another one: %cd, or os.chdir.") from None


def append(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Add whole lines to a file, at once. Lines that a killed kernel left torn stay apart.

    Raises:
        OSError: it cannot be written.

    """
    prepare(path.parent)
    target = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    try:
        end = os.lseek(target, 0, os.SEEK_END)
        if end and os.pread(target, 1, end - 1) != b"\n":
            content = b"\n" + content
        os.write(target, content)
    finally:
        os.close(target)
