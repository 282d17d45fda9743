"""The microphone of the kernel's own machine, by PortAudio (extra ``mic``): for pages that are given none."""

from __future__ import annotations

import math
import queue
import secrets
import sys
import threading
import time
from array import array
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from codex_nb.audio.wav import HEADER, wav_header
from codex_nb.errors import AudioError, CodexError

if TYPE_CHECKING:
    from codex_nb.notebook.recordings import Inbox, Recording

__all__ = ["Hearing"]

# What recognition works with; a device that cannot is asked for its own rate.
RATE: Final = 16_000
WIDTH: Final = 2
# Seconds of sound in a block: what a killed kernel may lose.
BLOCK: Final = 0.1
# Seconds without a block, after which the device counts as gone.
GONE: Final = 5.0
# Decibels from silence to the loudest on the meter.
RANGE: Final = 60
ELSEWHERE: Final = (
    "Other ways: the recorder in a browser, a file dropped into it, codex-nb record where a microphone is."
)


class Hearing:
    """What is being heard: it is written to the disk as it comes, and is a `Recording` of ``inbox`` from the start.

    ``device`` is a number or a part of a name. `stop` ends it, and so does a device that goes away (`going`).

    Raises:
        AudioError: there is no PortAudio, no microphone, or it does not start.

    """

    def __init__(self, inbox: Inbox, *, device: str | int | None = None, key: str = "") -> None:
        self.key = key or secrets.token_hex(8)
        self.level = 0.0
        self.overflows = 0
        self._inbox = inbox
        self._blocks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._size = 0
        self._trouble: CodexError | None = None
        self._last = time.monotonic()
        self._ending = threading.Lock()
        self._stream, self.rate = _open(device, self._hear)
        self._writer = threading.Thread(target=self._write_all, name="codex_nb hearing", daemon=True)
        self._writer.start()
        try:
            inbox.begin(self.key, content_type="audio/wav")
            self._write(wav_header(self.rate))
            self._stream.start()
        except Exception as error:
            self._end()
            inbox.delete(self.key)
            raise error if isinstance(error, CodexError) else _refused(error) from error

    @property
    def seconds(self) -> float:
        """How much is on the disk."""
        return self._samples / WIDTH / self.rate

    @property
    def _samples(self) -> int:
        """The bytes of samples on the disk."""
        return max(0, self._size - HEADER)

    @property
    def going(self) -> bool:
        """Whether sound is still coming in, and reaches the disk."""
        return bool(self._stream.active) and not self._trouble and time.monotonic() - self._last < GONE

    @property
    def recording(self) -> Recording:
        """The recording, as far as it has come."""
        return self._inbox.recordings[self.key]

    def stop(self) -> Recording:
        """Close the microphone and the file; return the recording. Once is enough.

        Raises:
            AudioError: the disk refused it; what was written before stays.

        """
        with self._ending:
            if not self.recording.whole:
                self._end()
                self._inbox.finish(self.key, duration=self.seconds, head=wav_header(self.rate, self._samples))
        if self._trouble:
            raise self._trouble
        return self.recording

    def _end(self) -> None:
        # A device that was pulled out can refuse even this.
        for call in (self._stream.stop, self._stream.close):
            try:
                call()
            except Exception:  # noqa: BLE001, S112 - PortAudio's; there is nothing left to close
                continue
        self._blocks.put(None)
        self._writer.join(timeout=5)

    def _hear(self, data: Any, _frames: int, _time: Any, status: Any) -> None:
        """Take a block on PortAudio's thread, which must not wait."""
        self.overflows += bool(status.input_overflow)
        self._last = time.monotonic()
        self._blocks.put(bytes(data))

    def _write_all(self) -> None:
        while (block := self._blocks.get()) is not None:
            self.level = _loudness(block)
            if self._trouble is None:
                self._write(block)

    def _write(self, block: bytes) -> None:
        try:
            self._size = self._inbox.chunk(self.key, self._size, block)
        except CodexError as error:
            self._trouble = error


def _open(device: str | int | None, hear: Any) -> tuple[Any, int]:
    """Return a stream of int16 mono, not yet started, and its rate."""
    sd = _portaudio()
    which = int(device) if isinstance(device, str) and device.isdecimal() else device
    try:
        rate = _rate(sd, which)
        stream = sd.RawInputStream(
            samplerate=rate, blocksize=round(rate * BLOCK), device=which, channels=1, dtype="int16", callback=hear
        )
    except (sd.PortAudioError, ValueError) as error:
        raise _refused(error) from error
    return stream, rate


def _rate(sd: Any, device: str | int | None) -> int:
    """Return the rate that is wanted, or the device's own if it knows no other."""
    own = round(sd.query_devices(device, "input")["default_samplerate"])
    try:
        sd.check_input_settings(device=device, channels=1, dtype="int16", samplerate=RATE)
    except sd.PortAudioError:
        return own
    return RATE


def _portaudio() -> Any:
    try:
        sd = import_module("sounddevice")
    except ImportError as error:
        raise _trouble(
            "The kernel cannot use a microphone: sounddevice is not installed.",
            'Install it with: pip install "codex-nb[mic]". ' + ELSEWHERE,
        ) from error
    except OSError as error:
        raise _trouble(
            "The kernel cannot use a microphone: the library PortAudio is missing.",
            "Install it (Debian and Ubuntu: apt install libportaudio2) and restart the kernel. " + ELSEWHERE,
        ) from error
    return sd


def _refused(error: Exception) -> AudioError:
    """Say why PortAudio does not open a microphone."""
    sd: Any = import_module("sounddevice")
    inputs = [one["name"] for one in sd.query_devices() if one["max_input_channels"]]
    if not inputs:
        return _trouble("The kernel's machine has no microphone.", f"Plug one in and restart the kernel. {ELSEWHERE}")
    if isinstance(error, ValueError):
        return _trouble(f"There is no such microphone ({error}).", f"There are: {', '.join(inputs)}.")
    return _trouble(
        f"The kernel's microphone does not start ({error}).",
        f"Another program may be using it; close that, or choose another one: {', '.join(inputs)}. {ELSEWHERE}",
    )


def _trouble(message: str, hint: str) -> AudioError:
    return AudioError(message, hint=hint, source="microphone", container="")


def _loudness(block: bytes) -> float:
    """Return the loudness of int16 samples, from 0 to 1."""
    samples = array("h", block)
    if sys.byteorder == "big":
        samples.byteswap()
    power = sum(one * one for one in samples) / max(1, len(samples)) / 32768**2
    return min(1.0, max(0.0, 1 + 10 * math.log10(power + 1e-12) / RANGE))
