"""Captions of timed segments: SubRip (``srt``) and WebVTT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["CAPTIONS", "srt", "vtt"]


class Timed(Protocol):
    """A text and when it is said, in seconds."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def text(self) -> str: ...


def srt(segments: Iterable[Timed]) -> str:
    """Return the segments as SubRip."""
    cues = (
        f"{number}\n{_clock(one.start, ',')} --> {_clock(one.end, ',')}\n{_lines(one.text)}\n"
        for number, one in enumerate(segments, 1)
    )
    return "\n".join(cues)


def vtt(segments: Iterable[Timed]) -> str:
    """Return the segments as WebVTT."""
    cues = (f"{_clock(one.start, '.')} --> {_clock(one.end, '.')}\n{_escaped(_lines(one.text))}\n" for one in segments)
    return "\n".join(["WEBVTT\n", *cues])


CAPTIONS: dict[str, Callable[[Iterable[Timed]], str]] = {"srt": srt, "vtt": vtt}


def _clock(seconds: float, point: str) -> str:
    thousandths = max(0, round(seconds * 1000))
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _lines(text: str) -> str:
    """Return ``text`` without the blank lines that would end a cue, and without its arrow."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip()).replace("-->", "->")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
