"""``%codex_transcribe --mic``: the kernel's own microphone, in the cell that asks for it."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from codex_nb.errors import InvalidOption
from codex_nb.notebook.hearing import Hearing
from codex_nb.notebook.output import NOTHING, publish
from codex_nb.notebook.recordings import Inbox
from codex_nb.settings import data_folder

if TYPE_CHECKING:
    from types import TracebackType

    from codex_nb.notebook.recordings import Recording
    from codex_nb.types.audio import Transcript

__all__ = ["record_here"]

# Seconds between two looks at the microphone; an interrupt is heard at once.
LOOK: Final = 0.1
# Characters of the meter.
BAR: Final = 16


def record_here(
    shell: Any, *, seconds: float | None = None, device: str | None = None, save: str | None = None
) -> Recording:
    """Record until the button, an interrupt or ``seconds`` end it; return the recording, which is on the disk.

    Raises:
        AudioError: there is no PortAudio or no microphone, or the disk refuses it.
        InvalidOption: nobody is there to end it.

    """
    kernel = getattr(shell, "kernel", None)
    if seconds is None and kernel is not None and not getattr(kernel, "_allow_stdin", False):
        raise InvalidOption("Nobody is here to stop the recording.", hint="Say how long it is: --seconds 30.")
    hearing = Hearing(Inbox(Path(save).expanduser() if save else data_folder() / "recordings", _later), device=device)
    with _Cell() if kernel is not None else _Terminal() as line:
        try:
            while hearing.going and (seconds is None or hearing.seconds < seconds):
                line.show(hearing.seconds, hearing.level)
                time.sleep(LOOK)
        except KeyboardInterrupt:
            pass  # the way to end it
        finally:
            found = hearing.stop()
    return found


def _later(_recording: Recording, **_options: Any) -> Transcript:
    raise InvalidOption("This recording has no transcriber.", hint="Give it to codex_nb.transcribe.")


def _meter(seconds: float, level: float) -> str:
    filled = round(level * BAR)
    return f"Recording {int(seconds) // 60}:{int(seconds) % 60:02d} {'▮' * filled}{'▯' * (BAR - filled)}"


class _Cell:
    """An output with the time and the level, and the stop button below it; both go away at the end."""

    def __enter__(self) -> Self:
        from codex_nb.notebook.stop import StopButton

        self._button = StopButton(title="Stop recording; what was said is made into text")
        self._ids = [uuid.uuid4().hex for _ in range(2)]
        publish(NOTHING, transient={"display_id": self._ids[0]})
        publish(self._button.bundle(), transient={"display_id": self._ids[1]})
        return self

    def show(self, seconds: float, level: float) -> None:
        """Show how far it is."""
        said = _meter(seconds, level)
        self._replace(
            0, {"text/html": f'<span style="font-variant-numeric: tabular-nums">{said}</span>', "text/plain": said}
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for place in range(2):
            self._replace(place, NOTHING)
        self._button.close()

    def _replace(self, place: int, data: dict[str, str]) -> None:
        publish(data, transient={"display_id": self._ids[place]}, update=True)


class _Terminal:
    """One line on standard error, written over."""

    def __enter__(self) -> Self:
        return self

    def show(self, seconds: float, level: float) -> None:
        """Show how far it is."""
        if sys.stderr.isatty():
            print(f"\r{_meter(seconds, level)}  Ctrl-C ends it", end="", file=sys.stderr, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
