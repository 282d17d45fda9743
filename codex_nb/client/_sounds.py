"""A recording on its way to a route: looked at, and cut into what the route takes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.audio.prepare import prepare
from codex_nb.client._source import open_source
from codex_nb.errors import AudioError, FileError

if TYPE_CHECKING:
    from codex_nb.audio.clip import Clip, Limits

__all__ = ["Sounds", "name_of", "open_sounds"]

UNNAMED: Final = "audio"
# Also one that has been a path meanwhile, which knows no two slashes.
ADDRESS: Final = re.compile(r"[a-z]{2,8}:/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sounds:
    """A recording: its name for people, and its pieces."""

    source: str
    pieces: list[Clip]

    def close(self) -> None:
        """Let go of what was written for it."""
        for piece in self.pieces:
            piece.close()


def name_of(given: Any) -> str:
    """Return what people call a recording: its path, its name, or what kind of thing it is."""
    given = _bare(given)
    if isinstance(given, (str, os.PathLike)):
        return str(cast("str", given))
    if isinstance(given, tuple):
        return str(cast("tuple[Any, ...]", given)[0])
    name = getattr(given, "name", None)
    return Path(name).name if isinstance(name, str) and name else UNNAMED


def open_sounds(given: Any, limits: Limits, **options: Any) -> Sounds:
    """Make a recording ready: converted where the service does not take it, cut where it is above ``limits``.

    ``options`` are those of `prepare`.

    Raises:
        AudioError: it is not there, empty, silent, damaged, or no sound.

    """
    source = name_of(given)
    given = _bare(given)
    name, told = None, None
    if isinstance(given, tuple):  # openai-python's (name, content, type)
        name, given, told, *_ = (*cast("tuple[Any, ...]", given), None)
    if isinstance(given, str) and not given:
        raise AudioError("There is no recording: its path is empty.", hint="Name a file.", source=source)
    if isinstance(given, (str, os.PathLike)):
        try:
            open_source(cast("str", given)).close()
        except FileError as error:
            raise _no_recording(error, source) from None
    file = cast("Any", given)
    start = file.tell() if hasattr(file, "seekable") and file.seekable() else None
    pieces = prepare(file, filename=name, content_type=told, limits=limits, **options)
    if start is not None:  # another route may need it again
        file.seek(start)
    return Sounds(source, pieces)


def _no_recording(error: FileError, source: str) -> AudioError:
    """Return what an upload says of a path, in the words of recordings."""
    if ADDRESS.match(source):
        return AudioError(
            f"{source.partition('?')[0]} is an address, and nothing is fetched from there.",
            hint="Download the recording first, and pass its path.",
            source=source,
        )
    hint = "Name the recordings in it." if Path(source).expanduser().is_dir() else error.hint
    return AudioError(error.message, hint=hint, source=source)


def _bare(given: Any) -> Any:
    """Return the path of a recording that is kept on the disk, else what was given."""
    path: Any = getattr(given, "path", None)
    return path if isinstance(path, (str, os.PathLike)) and not isinstance(given, os.PathLike) else given  # pyright: ignore[reportUnknownVariableType]
