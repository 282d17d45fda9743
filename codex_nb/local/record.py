"""What arrived: every request, kept for tests and for people who debug a client."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

MEGABYTE = 1 << 20
MAX_BODY = 64 * MEGABYTE
KEPT = 1000


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request. ``body`` is decoded JSON, else None; ``connection`` counts from 1, ``port`` is the client's."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    body: Any = field(default=None, repr=False)
    content: bytes = field(default=b"", repr=False)
    connection: int = 0
    port: int = 0


class Recorder:
    """The last thousand requests. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[RecordedRequest] = deque(maxlen=KEPT)

    def add(self, request: RecordedRequest) -> None:
        """Keep a request; the oldest one goes when there are too many."""
        with self._lock:
            self._kept.append(request)

    def all(self) -> list[RecordedRequest]:
        """Return what is kept, oldest first."""
        with self._lock:
            return list(self._kept)


class UnsupportedEncodingError(Exception):
    """A body that is compressed in a way that this interpreter cannot read."""


def decoded(content: bytes, encoding: str) -> bytes:
    """Return a request body without its content encoding.

    Raises:
        UnsupportedEncodingError: it is neither gzip nor zstd.
        ValueError: it is not what it claims to be, or too large.

    """
    if encoding in {"", "identity"}:
        return content
    if encoding not in {"gzip", "zstd"}:
        raise UnsupportedEncodingError(encoding)
    try:
        plain = gzip.decompress(content) if encoding == "gzip" else _zstd().decompress(content)
    except Exception as error:  # zstd has an error class of its own
        raise ValueError(f"The body is no {encoding}.") from error
    if len(plain) > MAX_BODY:
        raise ValueError("The body is too large.")
    return plain


def _zstd() -> Any:
    """Return the standard library's zstd, or what stands for it before Python 3.14."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def as_json(content: bytes, encoding: str) -> Any:
    """Return a body as JSON, None when it is none."""
    try:
        return json.loads(decoded(content, encoding))
    except (ValueError, UnsupportedEncodingError):
        return None
