"""What is ready for an upload, and how much of it a route takes at once."""

from __future__ import annotations

import io
import weakref
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_nb.audio.containers import Container

__all__ = ["Clip", "Kept", "Limits"]

CHUNK: Final = 256 * 1024
MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a route takes in one piece: ``size`` in bytes, ``seconds``; None for no bound."""

    size: int | None = 16 * MEGABYTE
    seconds: float | None = None

    def exceeded_by(self, size: int, seconds: float | None) -> bool:
        """Whether a sound must be split."""
        too_large = self.size is not None and size > self.size
        return too_large or (self.seconds is not None and seconds is not None and seconds > self.seconds)


class Kept:
    """Bytes that stay where they are: in memory, in a file of the user's, or in a temporary one that goes with this."""

    def __init__(self, content: bytes | Path, *, temporary: bool = False) -> None:
        self._content = content
        self._forget = weakref.finalize(self, _remove, content) if temporary and isinstance(content, Path) else None

    @property
    def path(self) -> Path | None:
        """The file, None for bytes in memory."""
        return self._content if isinstance(self._content, Path) else None

    @property
    def size(self) -> int:
        """How many bytes there are now."""
        return self._content.stat().st_size if isinstance(self._content, Path) else len(self._content)

    def open(self) -> IO[bytes]:
        """Open the bytes for reading, from the beginning."""
        return self._content.open("rb") if isinstance(self._content, Path) else io.BytesIO(self._content)

    def head(self, size: int) -> bytes:
        """Return the first bytes."""
        with self.open() as file:
            return file.read(size)

    def close(self) -> None:
        """Remove a temporary file."""
        if self._forget is not None:
            self._forget()


def _remove(path: Path) -> None:
    with suppress(OSError):  # Windows: still open elsewhere
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Clip:
    """One sound that is ready for upload: a whole recording, or a piece of a long one.

    ``name`` and ``content_type`` fit ``container``. ``duration`` is in seconds, None where it is not known; ``start``
    is the second of the recording at which this piece begins. What was converted lies in a temporary file, which goes
    when the clip is closed or forgotten.
    """

    name: str
    content_type: str
    container: Container
    duration: float | None = None
    start: float = 0.0
    kept: Kept = field(kw_only=True, repr=False)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.kept.size

    def open(self) -> IO[bytes]:
        """Open the bytes for reading, from the beginning."""
        return self.kept.open()

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes from the beginning, at most 256 KiB at once."""
        with self.open() as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def close(self) -> None:
        """Let go of a temporary file; files of the user stay."""
        self.kept.close()
