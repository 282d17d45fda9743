"""Real ears: any container that the service takes, through PyAV where it is no WAV, to PocketSphinx."""

from __future__ import annotations

import asyncio
import io
import wave
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from codex_nb.local.containers import container_of
from codex_nb.sphinx import RATE, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from codex_nb.local.pieces import Hearing

__all__ = ["Sphinx"]

WIDTH = 2
# Below this peak, of 32 767, there is nothing to hear.
SILENCE = 64


class Sphinx:
    """What an engine that hears inherits."""

    async def hear(self, hearing: Hearing) -> str | None:
        """Return what is said, an empty text for silence, None for what cannot be decoded."""
        return await asyncio.to_thread(heard, hearing.content, hearing.tell)


def heard(content: bytes, tell: Callable[[str], None] | None = None) -> str | None:
    """Return what a recording says; None for one that cannot be decoded. ``tell`` gets the text as it grows."""
    import numpy as np

    try:
        samples = _wav(content) if container_of(content) == "wav" else _decoded(content)
    except (wave.Error, EOFError, ValueError, OSError):  # PyAV's errors are among them
        return None
    if not samples:
        return None
    peaks = np.frombuffer(samples, "<i2").astype(np.int32)
    if np.abs(peaks).max() < SILENCE:
        return ""
    return recognise((samples[at : at + RATE] for at in range(0, len(samples), RATE)), tell)


def _wav(content: bytes) -> bytes:
    """Return the samples of a WAV file, at PocketSphinx's rate, one channel."""
    import numpy as np

    with wave.open(io.BytesIO(content)) as file:
        width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
        if width != WIDTH:
            return _decoded(content)
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels)
    mono: Any = cast("Any", frames).mean(axis=1)
    if rate != RATE and len(mono):
        times = np.arange(int(len(mono) * RATE / rate)) * rate / RATE
        mono = cast("Any", np.interp(times, np.arange(len(mono)), mono))
    return mono.astype("<i2").tobytes()


def _decoded(content: bytes) -> bytes:
    """Return the samples of any other container, by PyAV."""
    try:
        av: Any = import_module("av")
    except ImportError as error:
        raise ValueError("PyAV is not installed.") from error
    with av.open(io.BytesIO(content)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE)
        return b"".join(_samples(container, resampler))


def _samples(container: Any, resampler: Any) -> Iterator[bytes]:
    for frame in container.decode(audio=0):
        for ready in resampler.resample(frame):
            yield ready.to_ndarray().tobytes()
    for ready in resampler.resample(None):
        yield ready.to_ndarray().tobytes()
