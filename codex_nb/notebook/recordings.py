"""Recordings that come in from a page, byte by byte, and are on the disk before anything else is done with them.

A page sends ``begin``, then ``chunk`` with the place of its first byte, then ``end`` with the size and the SHA-256 of
the whole. Each is answered with the number of bytes that are on the disk from the beginning on. Messages may come
twice, in any order or not at all: the page asks again with ``begin`` and goes on from the number that it gets.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from codex_nb.errors import AudioError, CodexError

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.types.audio import Transcript

__all__ = ["Inbox", "Recording"]

PART: Final = ".part"
# Bytes that came before the ones in front of them; what is beyond is sent again by the page.
MOST_AHEAD: Final = 8 << 20
# Seconds between two orders to the disk; a kernel that dies loses nothing either way, a machine that does this much.
SYNC_SECONDS: Final = 2.0
EXTENSIONS: Final = {
    "audio/webm": "webm",
    "video/webm": "webm",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
}


class Recording:
    """A recording on the disk.

    ``path`` is its file, whose name ends in ``.part`` while it is incomplete; such a file plays as far as it goes.
    ``duration`` is in seconds, None when it is not known. ``transcript`` is None until there is one; ``error`` says
    why the last attempt failed.
    """

    def __init__(self, path: Path, transcriber: Callable[..., Transcript], duration: float | None = None) -> None:
        self.path = path
        self.duration = duration
        self.transcript: Transcript | None = None
        self.error: CodexError | None = None
        self._transcriber = transcriber

    def __repr__(self) -> str:
        length = "" if self.duration is None else f", {self.duration:.1f} s"
        return f"<Recording {str(self.path)!r}{length}{'' if self.whole else ', incomplete'}>"

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self.path.suffix != PART

    def retry(self, **options: Any) -> Transcript:
        """Transcribe it, again if need be; ``options`` are those of `transcribe`.

        Raises:
            CodexError: it failed; the recording stays where it is.

        """
        try:
            self.transcript = self._transcriber(self, **options)
        except CodexError as error:
            self.error = error
            raise
        self.error = None
        if self.duration is None:
            self.duration = self.transcript.duration
        return self.transcript


class _Coming:
    """The bytes of one recording, as far as they have come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.have = 0
        self._file: BinaryIO = _private(path)
        self._hash = hashlib.sha256()
        self._ahead: dict[int, bytes] = {}
        self._synced = time.monotonic()

    def add(self, at: int, data: bytes) -> None:
        """Write what is new of ``data``, and what waited for it."""
        if at > self.have:
            if sum(map(len, self._ahead.values())) + len(data) <= MOST_AHEAD:
                self._ahead[at] = max(self._ahead.get(at, b""), data, key=len)
            return
        self._write(data[self.have - at :])
        for place in sorted(self._ahead):
            if place > self.have:
                break
            self._write(self._ahead.pop(place)[self.have - place :])

    def holds(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for at in sorted(self._ahead):
            end = at + len(self._ahead[at])
            if found and at <= found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            else:
                found.append((at, end))
        return found

    def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            # Half of it may be written: the next attempt begins at the same place.
            self._file.seek(self.have)
            self._file.truncate()
            raise
        self._hash.update(data)
        self.have += len(data)
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Have the disk keep it."""
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def matches(self, size: int, sha256: str) -> bool:
        return self.have == size and self._hash.hexdigest() == sha256

    def close(self, head: bytes = b"") -> Path:
        """Close the file under its final name, ``head`` over its first bytes; return its path."""
        if head:
            self._file.seek(0)
            self._file.write(head)
        self.sync()
        self._file.close()
        return self.path.rename(self.path.with_suffix(""))

    def give_up(self) -> None:
        """Close what cannot be right, and keep it aside."""
        self._file.close()
        self.path.replace(self.path.with_suffix(".damaged"))

    def let_go(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class Inbox:
    """What comes from one page. Its methods may be called by any thread; `lock` guards them."""

    def __init__(self, folder: Path, transcriber: Callable[..., Transcript]) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.recordings: dict[str, Recording] = {}
        self._transcriber = transcriber
        self._coming: dict[str, _Coming] = {}

    def begin(self, key: str, *, content_type: str = "", name: str = "") -> int:
        """Open the file of a recording, if it is not open yet; return how many of its bytes are here.

        Raises:
            AudioError: the folder cannot be written to.

        """
        with self.lock, _told(self.folder):
            if key in self.recordings:
                return self.have(key)
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stem = f"{datetime.now().astimezone():%Y-%m-%d %H.%M.%S} {_clean(key)[:8]}"
            path = self.folder / f"{stem}.{_extension(content_type, name)}{PART}"
            self._coming[key] = _Coming(path)
            self.recordings[key] = Recording(path, self._transcriber)
            return 0

    def chunk(self, key: str, at: int, data: bytes) -> int:
        """Take bytes; return how many are here from the beginning on.

        Raises:
            AudioError: they cannot be written.

        """
        with self.lock, _told(self.folder):
            coming = self._coming.get(key)
            if coming is None:
                return self.begin(key)
            coming.add(at, data)
            return coming.have

    def end(self, key: str, *, size: int, sha256: str, duration: float | None) -> Recording | None:
        """Return the recording if all of it is here, None if bytes are missing; what is damaged is asked for anew.

        Raises:
            AudioError: the file cannot be finished.

        """
        with self.lock, _told(self.folder):
            coming = self._coming.get(key)
            if coming is None:
                known = self.recordings.get(key)
                return known if known and known.whole else None
            if coming.have < size:
                return None
            if not coming.matches(size, sha256):
                self._start_over(key)
                return None
            return self._finish(key, duration)

    def finish(self, key: str, *, duration: float | None = None, head: bytes = b"") -> Recording | None:
        """Take what is here of a recording for the whole; ``head`` is written over its first bytes."""
        with self.lock, _told(self.folder):
            if key not in self._coming:
                return self.recordings.get(key)
            return self._finish(key, duration, head)

    def delete(self, key: str) -> None:
        """Remove a recording from the disk."""
        with self.lock, _told(self.folder):
            coming = self._coming.pop(key, None)
            if coming:
                coming.remove()
            known = self.recordings.pop(key, None)
            if known:
                known.path.unlink(missing_ok=True)

    def have(self, key: str) -> int:
        """Return how many bytes of a recording are here from the beginning on."""
        with self.lock:
            if coming := self._coming.get(key):
                return coming.have
            known = self.recordings.get(key)
            return known.path.stat().st_size if known and known.path.exists() else 0

    def holds(self, key: str) -> list[tuple[int, int]]:
        """Return where the bytes begin and end that came before the ones in front of them."""
        with self.lock:
            coming = self._coming.get(key)
            return coming.holds() if coming else []

    def add(self, key: str, path: Path, duration: float | None) -> Recording:
        """Take a recording that was made on this machine."""
        with self.lock:
            self.recordings[key] = Recording(path, self._transcriber, duration)
            return self.recordings[key]

    def close(self) -> None:
        """Let go of the files of unfinished recordings; what came of them stays."""
        with self.lock:
            for coming in self._coming.values():
                coming.let_go()
            self._coming.clear()

    def _finish(self, key: str, duration: float | None, head: bytes = b"") -> Recording:
        found = self.recordings[key]
        found.path = self._coming[key].close(head)
        found.duration = duration
        del self._coming[key]
        return found

    def _start_over(self, key: str) -> None:
        damaged = self._coming.pop(key)
        damaged.give_up()
        self._coming[key] = _Coming(damaged.path)


class _told:  # noqa: N801 - reads as a word
    """Says in our words what the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise AudioError(
                f"The recording cannot be written to {self._folder} ({error.strerror}).",
                hint="The page still has it: save it from there, make room, or choose another folder with save=.",
                source=str(self._folder),
                container="",
            ) from error


def _private(path: Path) -> BinaryIO:
    """Open a new file that only its user can read; unbuffered, so that what was written outlives this process."""
    return open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb", buffering=0)  # noqa: PTH123


def _extension(content_type: str, name: str) -> str:
    """Return what the file's name ends with."""
    own = Path(name).suffix[1:].lower()
    if re.fullmatch(r"[a-z0-9]{1,5}", own) and own != PART[1:]:
        return own
    return EXTENSIONS.get(content_type.partition(";")[0].strip().lower(), "bin")


def _clean(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", key) or "recording"
