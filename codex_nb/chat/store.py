"""Where conversations are kept: JSON lines in a hidden folder beside the notebook.

Each line is a turn in its newest state. Lines are only ever added, so that several kernels may write, and a kernel that
is killed loses at most the line it was writing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from codex_nb.chat.chat import DEFAULT_CHAT, Chat, Turn
from codex_nb.chat.folder import FOLDER, append

__all__ = ["Chats", "file_of"]

FIELDS: Final = frozenset(each.name for each in fields(Turn))


class Chats:
    """The conversations of one notebook. Without a ``path`` they live as long as this object."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._chats: dict[str, Chat] = {}
        self._read = 0  # how far the file was read

    def __repr__(self) -> str:
        return f"<Chats {self.path or 'in memory'}>"

    def __iter__(self) -> Iterator[Chat]:
        self._catch_up()
        return iter(list(self._chats.values()))

    def chat(self, name: str = DEFAULT_CHAT) -> Chat:
        """Return the conversation of that name, with what other kernels have added; a new one if there is none."""
        self._catch_up()
        return self._chats.setdefault(name, Chat(name))

    def record(self, chat: Chat, turn: Turn, *, after: Sequence[Turn], instead: str | None = None) -> list[Turn]:
        """Record ``turn`` in ``chat`` and write down what has changed.

        Raises:
            OSError: the file cannot be written; the turn is kept in memory.

        """
        changed = chat.record(turn, after=after, instead=instead)
        if self.path is not None:
            append(self.path, "".join(_line(chat.name, each) for each in changed).encode())
        return changed

    def update(self, chat: Chat, turn: Turn) -> None:
        """Take a new state of a turn, and write it down.

        Raises:
            OSError: the file cannot be written; the state is kept in memory.

        """
        chat.take(turn)
        if self.path is not None:
            append(self.path, _line(chat.name, turn).encode())

    def _catch_up(self) -> None:
        """Read what was added to the file since it was last read."""
        if self.path is None or not self.path.exists():
            return
        with self.path.open("rb") as file:
            if file.seek(0, os.SEEK_END) < self._read:  # another file has taken its place
                self._read = 0
                self._chats.clear()
            file.seek(self._read)
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            found = _turn(line)
            if found:
                name, turn = found
                self._chats.setdefault(name, Chat(name)).take(turn)


def _line(chat: str, turn: Turn) -> str:
    return json.dumps({"chat": chat, **turn.as_json()}, ensure_ascii=False, separators=(",", ":")) + "\n"


def _turn(line: bytes) -> tuple[str, Turn] | None:
    """Return what a line says; None for one that is torn or foreign."""
    try:
        row: Any = json.loads(line)
        name = row.pop("chat")
        return (name, Turn(**{key: value for key, value in row.items() if key in FIELDS})) if name else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def file_of(notebook: str | os.PathLike[str] | None, data_folder: Path) -> Path | None:
    """Return the file for the conversations of ``notebook``; None where none is known.

    It is beside the notebook; where nothing can be written there, in ``data_folder`` under a name of its own.
    """
    if not notebook:
        return None
    path = Path(notebook).absolute()
    folder = path.parent / FOLDER
    if os.access(folder if folder.exists() else path.parent, os.W_OK):
        return folder / f"{path.stem}.chats.jsonl"
    from hashlib import sha256

    return data_folder / "chats" / f"{path.stem}-{sha256(str(path).encode()).hexdigest()[:16]}.jsonl"
