"""Sound into pieces that a route takes, cut where nobody speaks, in one pass and bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from codex_nb.audio.pcm import Block, Sound

    class Writer(Protocol):
        """What a piece is written to."""

        def write(self, block: Block) -> None: ...
        def close(self) -> None: ...


__all__ = ["SILENT", "Piece", "is_silent", "write_pieces"]

# A cut is looked for in the last quarter of a piece, but not more than this many seconds of it.
WINDOW: Final = 30.0
# A pause is judged by the loudness of this many seconds around it.
PAUSE: Final = 0.3
STEP: Final = 0.02
# -60 dB of full scale: no speech is left below it.
SILENT: Final = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sound: where it begins and how long it is, in samples, and its highest peak."""

    start: int
    length: int
    peak: int


def is_silent(peak: int) -> bool:
    """Whether a sound with this highest peak (int16) can hold no speech."""
    return peak < SILENT


def write_pieces(sound: Sound, longest: float | None, new: Callable[[], Writer]) -> Iterator[Piece]:
    """Write ``sound`` into writers of at most ``longest`` seconds each (None: one); give each piece once it is closed.

    A piece ends in the middle of the quietest third of a second of its last quarter, so words stay whole.
    """
    most = int(longest * sound.rate) if longest else None
    window = min(most // 4, int(WINDOW * sound.rate)) if most else 0
    parts, start = _Buffer(sound.blocks), 0
    while parts.fill(1):
        writer, length, peak = new(), 0, 0
        try:
            until = None if most is None else most - window
            for block in parts.take(until):
                writer.write(block)
                length, peak = length + len(block), max(peak, _peak(block))
            if most is not None and parts.fill(window + 1):
                tail = parts.pull(_quietest(parts.peek(window), sound.rate))
            else:
                tail = parts.pull(window)
            if len(tail):
                writer.write(tail)
                length, peak = length + len(tail), max(peak, _peak(tail))
        finally:
            writer.close()
        yield Piece(start, length, peak)
        start += length


class _Buffer:
    """Blocks that can be looked at before they are taken."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks, self._length = blocks, 0
        self._waiting: list[Block] = []

    def fill(self, length: int) -> bool:
        """Wait for this many samples; return whether there are so many."""
        while self._length < length:
            block = next(self._blocks, None)
            if block is None:
                return False
            self._waiting.append(block)
            self._length += len(block)
        return True

    def take(self, length: int | None) -> Iterator[Block]:
        """Give the next ``length`` samples (None: all), block by block."""
        while (length is None or length > 0) and self.fill(1):
            block = self._waiting.pop(0)
            taken = block if length is None else block[:length]
            if len(taken) < len(block):
                self._waiting.insert(0, block[len(taken) :])
            self._length -= len(taken)
            length = None if length is None else length - len(taken)
            if len(taken):
                yield taken

    def peek(self, length: int) -> Block:
        """Return the next samples, which stay."""
        import numpy as np

        whole = np.concatenate(self._waiting) if self._waiting else np.zeros(0, np.int16)
        self._waiting = [whole]
        return whole[:length]

    def pull(self, length: int) -> Block:
        """Return the next samples, at most ``length``."""
        import numpy as np

        return np.concatenate([np.zeros(0, np.int16), *self.take(length)])


def _peak(block: Block) -> int:
    return max(int(block.max()), -int(block.min())) if len(block) else 0


def _quietest(block: Block, rate: int) -> int:
    """Return where to cut: the middle of the quietest pause, the last of equals."""
    import numpy as np

    step = max(1, int(STEP * rate))
    around = max(1, round(PAUSE / STEP))
    if len(block) < step * around:
        return len(block)
    frames = block[: len(block) // step * step].reshape(-1, step).astype(np.float32)
    loudness = np.convolve((frames * frames).mean(axis=1), np.ones(around) / around, "valid")
    last = len(loudness) - 1 - int(np.argmin(loudness[::-1]))
    return (last + around // 2) * step
