"""What a recording holds, as a digest: two that hold the same have the same, whatever they are called."""

from __future__ import annotations

import hashlib
import os
from typing import IO, Any, Final, cast

__all__ = ["digest_of"]

CHUNK: Final = 1024 * 1024


def digest_of(source: Any) -> str | None:
    """Return the digest of what a recording holds; None where that is not known before it is read for good."""
    if isinstance(source, tuple):  # openai-python's (name, content, type)
        _, content, *_ = (*cast("tuple[Any, ...]", source), None, None)
        return digest_of(content)
    try:
        return _digest(source)
    except (OSError, ValueError, TypeError, BufferError):  # transcribing it will say what is wrong
        return None


def _digest(source: Any) -> str | None:
    if isinstance(source, bytes | bytearray | memoryview):
        return hashlib.sha256(cast("bytes", source)).hexdigest()
    if hasattr(source, "__array__") and hasattr(source, "dtype"):
        return _of_array(source)
    path = getattr(source, "path", source)
    if isinstance(path, str | os.PathLike):
        with open(os.path.expanduser(cast("str", path)), "rb") as file:  # noqa: PTH111, PTH123 - any path
            return hashlib.file_digest(file, "sha256").hexdigest()
    if hasattr(source, "read") and hasattr(source, "seekable") and source.seekable():
        return _of_file(source)
    return None


def _of_array(array: Any) -> str:
    import numpy as np

    samples = np.ascontiguousarray(array)
    digest = hashlib.sha256(f"{samples.dtype.str} {samples.shape}".encode())
    digest.update(samples.view(np.uint8).data)
    return digest.hexdigest()


def _of_file(file: IO[bytes]) -> str:
    """Read an open file from where it stands, as it will be sent, and leave it there."""
    start, digest = file.tell(), hashlib.sha256()
    try:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    finally:
        file.seek(start)
    return digest.hexdigest()
