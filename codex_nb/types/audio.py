"""What was said in a recording."""

from __future__ import annotations

import html
from typing import Any, Literal, TypeAlias

from pydantic import Field, PrivateAttr

from codex_nb.safe_markdown import printable
from codex_nb.types._base import Shape

__all__ = [
    "Transcript",
    "TranscriptSegment",
    "TranscriptionStreamEvent",
    "TranscriptionTextDeltaEvent",
    "TranscriptionTextDoneEvent",
]


class TranscriptSegment(Shape):
    """A part of a transcript. ``start`` and ``end`` are seconds from the beginning of the recording."""

    start: float
    end: float
    text: str


class Transcript(Shape):
    """What was said: ``str(t)`` and ``.text``.

    ``source`` is the recording's name, ``route`` the way that made the text, ``duration`` the recording's length in
    seconds (None when it is not known), ``language`` what the service heard or was told. ``segments`` have real times
    only: those of the service, or of the pieces that a long recording was sent in; most routes give none for a
    recording sent in one piece. ``failed_routes`` says why the routes before this one did not serve.
    ``raw`` is what the service sent; of several pieces, a list of it.
    """

    text: str
    source: str = ""
    route: str = ""
    duration: float | None = Field(default=None, ge=0)
    language: str | None = None
    segments: list[TranscriptSegment] = Field(default_factory=list[TranscriptSegment])
    failed_routes: dict[str, str] = Field(default_factory=dict[str, str])

    _payloads: list[dict[str, Any]] = PrivateAttr(default_factory=list[dict[str, Any]])

    @property
    def raw(self) -> Any:
        """What the service sent: an object; of several pieces, a list of them."""
        return self._payloads[0] if len(self._payloads) == 1 else self._payloads

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        length = "" if self.duration is None else f", {self.duration:.1f} s"
        return printable(f"{self.text}\n— {self.source}, by {self.route}{length}")

    def _repr_html_(self) -> str:
        text, about = (html.escape(part) for part in repr(self).rsplit("\n", 1))
        return (
            f'<div style="white-space: pre-wrap; max-width: 60em; line-height: 1.5">{text}</div>'
            f'<div style="opacity: 0.65; font-size: 85%">{about}</div>'
        )


class TranscriptionTextDeltaEvent(Shape):
    """A few more characters of a text under way."""

    delta: str
    type: Literal["transcript.text.delta"] = "transcript.text.delta"


class TranscriptionTextDoneEvent(Shape):
    """The text is whole: ``text``. It counts where it differs from the deltas, which are heard as they come."""

    text: str
    transcript: Transcript
    type: Literal["transcript.text.done"] = "transcript.text.done"


TranscriptionStreamEvent: TypeAlias = TranscriptionTextDeltaEvent | TranscriptionTextDoneEvent
