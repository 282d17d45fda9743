"""What is uploaded: a path, bytes or an open file, read piece by piece and watched for changes."""

from __future__ import annotations

import io
import mimetypes
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, cast

from codex_nb.errors import FileError

__all__ = ["LARGEST", "Source", "Uploadable", "open_source"]

Uploadable: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]"
Opened: TypeAlias = "AbstractContextManager[IO[bytes]]"
Stamp: TypeAlias = "tuple[int, int, int] | None"

LARGEST: Final = 512 * 1024 * 1024
CHUNK: Final = 256 * 1024
KINDS: Final = "Pass a path, bytes, or a file opened with mode 'rb'."


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes to upload. ``chunks`` gives them from the beginning each time, and only as long as they stay the same.

    ``close`` lets go of what was opened for it; a file of the caller's stays open.
    """

    name: str
    size: int
    path: str
    _open: Callable[[], Opened] = field(repr=False)
    _stamp: Stamp = field(repr=False)
    close: Callable[[], None] = field(default=lambda: None, repr=False)

    @property
    def mime_type(self) -> str | None:
        """The type that the name suggests."""
        return mimetypes.guess_type(self.name)[0]

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes, at most 256 KiB at once. The last ones are held back until it is sure that nothing changed.

        Raises:
            FileError: the file is gone, cannot be read, or is not what it was.

        """
        sent = 0
        try:
            with self._open() as file:
                while sent < self.size:
                    chunk = file.read(min(CHUNK, self.size - sent))
                    sent += len(chunk)
                    if not chunk or (sent == self.size and _stamp(file) != self._stamp):
                        raise FileError(
                            f"{self.path} changed while it was being uploaded.",
                            hint="Upload it again when nothing writes to it, or a copy of it.",
                            path=self.path,
                        )
                    yield chunk
        except (OSError, ValueError) as error:
            raise _unreadable(self.path, error) from None


def open_source(given: Any, name: str | None = None) -> Source:
    """Look at what is to be uploaded, before anything is sent.

    Raises:
        FileError: it is not there, no file, empty, above 512 MiB, or cannot be read.

    """
    if isinstance(given, (str, os.PathLike)):
        source = _of_path(Path(cast("str", given)).expanduser(), name)
    elif isinstance(given, (bytes, bytearray, memoryview)):
        data = bytes(cast("bytes", given))
        source = Source(name or "file", len(data), name or "file", lambda: io.BytesIO(data), None)
    elif hasattr(given, "read"):
        source = _of_file(given, name)
    else:
        raise FileError(f"What is of type {type(given).__name__} cannot be uploaded.", hint=KINDS)
    if not 0 < source.size <= LARGEST:
        source.close()
        size = f"{source.size / 2**20:.1f} MiB, and the limit is 512 MiB" if source.size else "empty"
        hint = "Upload it in parts." if source.size else "Write something into it first."
        raise FileError(f"{source.path} is {size}.", hint=hint, path=source.path)
    return source


def _of_path(path: Path, name: str | None) -> Source:
    shown = str(path)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise FileError(f"{shown} is {what}.", hint="Upload a file; a folder as a zip archive.", path=shown)
        with path.open("rb") as file:
            return Source(name or path.name, found.st_size, shown, lambda: path.open("rb"), _stamp(file))
    except (OSError, ValueError) as error:
        raise _unreadable(shown, error) from None


def _of_file(file: IO[bytes], name: str | None) -> Source:
    """Take an open file from where it stands to its end; one that cannot go back is copied to the disk first."""
    own = getattr(file, "name", None)
    shown = name or (Path(own).name if isinstance(own, str) else "") or "file"
    try:
        if isinstance(file, io.TextIOBase):
            raise FileError(f"{shown} is open as text.", hint=KINDS, path=shown)
        whole = file if file.seekable() else _copied(file)
        start = whole.tell()
        size = whole.seek(0, os.SEEK_END) - start

        def again() -> Opened:
            whole.seek(start)
            return nullcontext(whole)

        whole.seek(start)
        return Source(shown, size, shown, again, _stamp(whole), (lambda: None) if whole is file else whole.close)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _unreadable(shown, error) from None


def _copied(file: IO[bytes]) -> IO[bytes]:
    import tempfile

    # Without a name in any folder: it is gone with the last that holds it.
    copy = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - it outlives this block
    while copy.tell() <= LARGEST and (chunk := file.read(CHUNK)):
        copy.write(chunk)
    copy.seek(0)
    return copy


def _stamp(file: IO[bytes]) -> Stamp:
    """Return what tells whether a file is still the same; None for one that is not on the disk."""
    try:
        found = os.fstat(file.fileno())
    except (OSError, AttributeError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _unreadable(shown: str, error: Exception) -> FileError:
    if isinstance(error, FileNotFoundError):
        why = "is not there"
    else:
        why = f"cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})"
    return FileError(f"{shown} {why}.", hint=f"Check the path. {KINDS}", path=shown)
