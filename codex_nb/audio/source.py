"""From what a caller has (path, bytes, open file, recording) to bytes that can be read more than once."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any, Final, cast

from codex_nb.audio.clip import Kept
from codex_nb.audio.filename import UNNAMED
from codex_nb.audio.trouble import Trouble

__all__ = ["given_bytes", "given_name", "scratch"]

COPY: Final = 1024 * 1024


def scratch(suffix: str = "") -> Path:
    """Return a new temporary file, readable by this user alone."""
    handle, path = tempfile.mkstemp(prefix="codex-nb-", suffix=suffix)
    os.close(handle)
    return Path(path)


def bare(source: Any) -> Any:
    """Return the path of a recording that lies on the disk, else what was given."""
    if isinstance(source, os.PathLike):
        return cast("Any", source)
    path = getattr(source, "path", None)
    return path if isinstance(path, (str, os.PathLike)) else source  # pyright: ignore[reportUnknownVariableType]


def given_name(source: Any) -> str:
    """Return what people call a recording: its path, its name, or "audio"."""
    source = bare(source)
    if isinstance(source, (str, os.PathLike)):
        return str(cast("Any", source))
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and name else UNNAMED


def given_bytes(source: Any) -> Kept:
    """Hold on to the bytes of a path, a bytes-like object or an open file (from where it stands; it stays open).

    Raises:
        AudioError: there is nothing to read, or it is none of these.

    """
    trouble, source = Trouble(given_name(source)), bare(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Kept(bytes(cast("bytes", source)))
    if isinstance(source, (str, os.PathLike)):
        return _file(Path(cast("str", source)).expanduser(), trouble)
    if hasattr(source, "read"):
        return _copied(source, trouble)
    raise trouble.error(
        f"A {type(source).__name__} is no recording.",
        "Pass a path, bytes, a file opened with mode 'rb', a recording, or a numpy array with its rate.",
    )


def _file(path: Path, trouble: Trouble) -> Kept:
    if path.is_dir():
        raise trouble.missing("This is a folder, not a recording.")
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise trouble.missing("There is no such file.") from None
    except (OSError, ValueError) as error:
        raise trouble.missing(f"This file cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    return Kept(path)


def _copied(file: IO[Any], trouble: Trouble) -> Kept:
    kept = Kept(scratch(), temporary=True)
    try:
        with cast("Path", kept.path).open("wb") as copy:
            shutil.copyfileobj(file, copy, COPY)
    except TypeError:
        kept.close()
        raise trouble.error("This file was opened as text.", "Open it with mode 'rb'.") from None
    except (OSError, ValueError) as error:
        kept.close()
        raise trouble.missing(f"This file cannot be read ({error}).") from None
    return kept
