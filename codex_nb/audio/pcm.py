"""Bare samples: their declared format, and their way to 16-bit mono."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, cast

from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Block = NDArray[np.int16]

__all__ = ["PcmFormat", "Sound", "array_sound", "pcm_blocks"]

# How long a block is at most, in seconds: what is held in memory at once.
BLOCK: Final = 1.0
# ffmpeg's name of a sample format -> numpy's; s24le needs a step of its own.
SAMPLES: Final = {
    "u8": "u1",
    "s8": "i1",
    "s16le": "<i2",
    "s16be": ">i2",
    "s24le": "<i3",
    "s24be": ">i3",
    "s32le": "<i4",
    "s32be": ">i4",
    "f32le": "<f4",
    "f32be": ">f4",
    "f64le": "<f8",
    "f64be": ">f8",
}


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """The format of bare samples: ``rate`` in Hz, ``channels``, ``sample`` in ffmpeg's words (s16le, f32le, u8, …)."""

    rate: int
    channels: int = 1
    sample: str = "s16le"

    def __post_init__(self) -> None:
        if self.sample not in SAMPLES or not 1 <= self.channels <= 64 or not 1000 <= self.rate <= 768_000:
            raise InvalidOption(
                f"There is no PCM format {self}.",
                hint=f"Write RATE:CHANNELS:SAMPLE, as in 16000:1:s16le; samples are {', '.join(SAMPLES)}.",
            )

    @classmethod
    def parsed(cls, text: str) -> PcmFormat:
        """Read "16000:1:s16le"; channels and sample may be left out (1, s16le).

        Raises:
            InvalidOption: it is no such format.

        """
        match = re.fullmatch(r"(\d{1,7})(?::(\d{1,3}))?(?::([a-z0-9]+))?", text.strip().lower(), re.ASCII)
        if not match:
            raise InvalidOption(f"{text!r} is no PCM format.", hint="Write RATE:CHANNELS:SAMPLE, as in 16000:1:s16le.")
        return cls(int(match[1]), int(match[2] or 1), match[3] or "s16le")

    @property
    def width(self) -> int:
        """The bytes of one sample of all channels."""
        return int(SAMPLES[self.sample][-1]) * self.channels

    def __str__(self) -> str:
        return f"{self.rate}:{self.channels}:{self.sample}"


@dataclass(frozen=True, slots=True)
class Sound:
    """Decoded sound on its way: int16 mono blocks of at most about a second, ``rate`` samples a second."""

    rate: int
    blocks: Iterator[Block]


def pcm_blocks(file: IO[bytes], form: PcmFormat, size: int | None = None) -> Iterator[Block]:
    """Give the next ``size`` bytes of a file (None: all) as mono blocks."""
    left = size
    most = int(form.rate * BLOCK) * form.width
    while left is None or left > 0:
        data = file.read(most if left is None else min(most, left))
        left = None if left is None else left - len(data)
        whole = len(data) - len(data) % form.width
        if not whole:
            return
        yield _mono(_unpacked(data[:whole], form))


def array_sound(array: Any, rate: int) -> Sound:
    """Give a numpy array as sound: floats from -1 to 1 or whole numbers, ``(n,)``, ``(n, channels)`` or the other way.

    Raises:
        InvalidOption: its shape or dtype is not one of sound.

    """
    import numpy as np

    array = np.asarray(array)
    if array.ndim == 2 and array.shape[0] < array.shape[1] and array.shape[0] <= 8:
        array = array.T
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiu":
        raise InvalidOption(
            f"An array of {array.dtype} with shape {array.shape} is no sound.",
            hint="Pass floats from -1 to 1 or whole numbers, with shape (samples,) or (samples, channels).",
        )
    step = int(rate * BLOCK)
    parts = (array[at : at + step] for at in range(0, len(array), step))
    return Sound(rate, (_mono(part if part.ndim == 2 else part[:, None]) for part in parts))


def _unpacked(data: bytes, form: PcmFormat) -> NDArray[Any]:
    """Return samples with shape (samples, channels)."""
    import numpy as np

    kind = SAMPLES[form.sample]
    if kind[1:] != "i3":
        return np.frombuffer(data, kind).reshape(-1, form.channels)
    # Three bytes are the upper ones of four.
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
    wide[:, 1:] = triples if kind[0] == "<" else triples[:, ::-1]
    return wide.view("<i4").reshape(-1, form.channels)


def _mono(samples: NDArray[Any]) -> Block:
    """Return the mean of the channels as int16; floats beyond -1..1 are cut, NaN is silence."""
    import numpy as np

    if samples.dtype.kind == "i" and samples.dtype.itemsize == 2 and samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0], np.int16)
    if samples.dtype.kind == "f":
        mean = np.nan_to_num(samples.astype(np.float64), nan=0.0).mean(axis=1) * 32768
    else:
        bits = samples.dtype.itemsize * 8
        middle = 1 << (bits - 1) if samples.dtype.kind == "u" else 0
        mean = (samples.astype(np.float64) - middle).mean(axis=1) * 2.0 ** (16 - bits)
    return cast("Block", np.clip(np.rint(mean), -32768, 32767).astype(np.int16))
