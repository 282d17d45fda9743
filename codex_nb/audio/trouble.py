"""The ways in which a sound cannot be used, each in its own words."""

from __future__ import annotations

from dataclasses import dataclass

from codex_nb.audio.containers import UNKNOWN, Container
from codex_nb.errors import AudioError

__all__ = ["Trouble"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What errors about one recording say of it."""

    source: str
    container: Container = UNKNOWN

    def error(self, message: str, hint: str) -> AudioError:
        """Return an error that names the recording and its container."""
        container = self.container.name if self.container.known else ""
        named = f" ({container})" if container else ""
        return AudioError(f"{self.source}{named}: {message}", hint=hint, source=self.source, container=container)

    def missing(self, why: str) -> AudioError:
        """Say that there is nothing to read."""
        return self.error(why, "Check the path; relative ones count from the notebook's working folder.")

    def empty(self) -> AudioError:
        """Say that there is no byte, or no sample."""
        return self.error("This recording is empty.", "Record it again, or check that the copy was whole.")

    def silent(self) -> AudioError:
        """Say that every sample is as good as zero."""
        return self.error(
            "This recording is silent from beginning to end.",
            "Check that the right microphone was chosen and not muted, then record again.",
        )

    def cut_short(self, there: str, promised: str) -> AudioError:
        """Say that the end is missing."""
        return self.error(
            f"This recording is cut short: {there} of {promised} are there.",
            "Copy or download it again; prepare(..., cut_short_ok=True) takes what is there.",
        )

    def broken(self, why: str = "") -> AudioError:
        """Say that the container is known, and what is in it cannot be decoded."""
        because = f" ({why})" if why else ""
        return self.error(
            f"This recording cannot be decoded{because}; it is damaged, or its end is missing.",
            "Copy or download it again, or save it anew as WAV or MP3 with the program that made it.",
        )

    def without_sound(self) -> AudioError:
        """Say that there are pictures alone."""
        return self.error("This file holds no sound track.", "Pass the recording itself.")

    def foreign(self) -> AudioError:
        """Say that it is no sound at all."""
        known = self.container.name
        return self.error(
            "This is no recording that is known here." if known == "unknown" else f"This is {known}, no recording.",
            'Pass a sound or video file; for bare samples say their format, as in pcm="16000:1:s16le".',
        )

    def needs(self, package: str, extra: str) -> AudioError:
        """Say that a package that converts it is not installed."""
        return self.error(
            f"The service does not take this as it is, and {package} is not here to convert it.",
            f'Run: pip install "codex-nb[{extra}]", or save it as WAV or MP3.',
        )
