"""Which container a recording is in, by its first bytes, and which of them the service takes."""

from __future__ import annotations

import io
import wave
from typing import Final

__all__ = ["TAKEN", "container_of", "seconds_of"]

TAKEN: Final = frozenset({"wav", "mp3", "mp4", "flac", "ogg", "webm"})

_MAGIC: Final = (
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1a\x45\xdf\xa3", "webm"),
    (b"ID3", "mp3"),
    (b"caff", "caf"),
    (b"#!AMR", "amr"),
    (b"#!SILK", "silk"),
    (b"\x02#!SILK", "silk"),
)


def container_of(content: bytes) -> str | None:
    """Return the container's name, None for one that is not known."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "wav"
    if content[:4] == b"FORM" and content[8:11] == b"AIF":
        return "aiff"
    if content[4:8] == b"ftyp":
        return "mp4"
    if len(content) > 1 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0:
        return "mp3" if content[1] & 0x06 else "aac"  # layer 0 is ADTS
    return next((name for magic, name in _MAGIC if content.startswith(magic)), None)


def seconds_of(content: bytes) -> float | None:
    """Return the length of a WAV file, None for anything else."""
    try:
        with wave.open(io.BytesIO(content)) as sound:
            return sound.getnframes() / sound.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError):
        return None
