"""WAV files: read whatever their header says and however it ends, written plain."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from codex_nb.audio.pcm import PcmFormat

if TYPE_CHECKING:
    from codex_nb.audio.pcm import Block

__all__ = ["HEADER", "Wav", "WavWriter", "read_wav", "wav_header"]

HEADER: Final = 44
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
# What programs write that stream, and know no length yet.
UNTOLD: Final = frozenset({0, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x80000000})
LARGEST: Final = 0xFFFFFFFF
_SAMPLES: Final = {
    (PCM, 8): "u8",
    (PCM, 16): "s16le",
    (PCM, 24): "s24le",
    (PCM, 32): "s32le",
    (FLOAT, 32): "f32le",
    (FLOAT, 64): "f64le",
}


@dataclass(frozen=True, slots=True)
class Wav:
    """What a WAV header says. ``form`` is None for samples that are coded; ``start`` and ``size`` are the data's bytes.

    ``promised`` is the size that the header names, None where its writer did not know it.
    """

    form: PcmFormat | None
    start: int
    size: int
    promised: int | None
    plain: bool

    @property
    def duration(self) -> float | None:
        """The seconds that are there."""
        return self.size / self.form.width / self.form.rate if self.form else None


def read_wav(file: IO[bytes], length: int) -> Wav | None:
    """Read the header of a WAV file of ``length`` bytes; None when it has no format or no data."""
    if file.read(12)[:4] not in (b"RIFF", b"RF64"):
        return None
    form, plain, known = None, False, False
    while len(head := file.read(8)) == 8:
        name, size = head[:4], int.from_bytes(head[4:], "little")
        at = file.tell()
        if name == b"fmt ":
            form, plain = _format(file.read(min(size, 64)))
            known = True
        elif name == b"data":
            there = length - at
            promised = None if size in UNTOLD else size
            found = there if promised is None else min(there, promised)
            return Wav(form, at, found, promised, plain) if known else None
        file.seek(at + size + size % 2)
    return None


def _format(chunk: bytes) -> tuple[PcmFormat | None, bool]:
    """Return the samples' format, and whether every program reads it."""
    if len(chunk) < 16:
        return None, False
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    sample = _SAMPLES.get((tag, bits))
    if sample is None or not 1 <= channels <= 64 or not 1000 <= rate <= 768_000:
        return None, False
    return PcmFormat(rate, channels, sample), tag == PCM


class WavWriter:
    """Writes int16 mono blocks as a WAV file; its header is right once it is closed."""

    extension = "wav"

    def __init__(self, file: IO[bytes], rate: int) -> None:
        self._file, self._rate, self._size = file, rate, 0
        file.write(self._header())

    def write(self, block: Block) -> None:
        """Add a block."""
        data = block.astype("<i2", copy=False).tobytes()
        self._file.write(data)
        self._size += len(data)

    def close(self) -> None:
        """Finish the header and the file."""
        self._file.seek(0)
        self._file.write(self._header())
        self._file.close()

    def _header(self) -> bytes:
        return wav_header(self._rate, self._size)


def wav_header(rate: int, size: int | None = None) -> bytes:
    """Return the header of int16 mono samples that take ``size`` bytes; None: nobody knows yet."""
    data = LARGEST if size is None else min(size, LARGEST)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, 1, rate, rate * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", min(36 + data, LARGEST), b"WAVE") + form + struct.pack("<4sI", b"data", data)
