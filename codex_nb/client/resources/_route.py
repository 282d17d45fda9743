"""What every route from a recording to its text is: how it hears, what it takes, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from codex_nb.errors import MalformedStream
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from codex_nb.audio.clip import Clip
    from codex_nb.client._core import Core
    from codex_nb.wire.call import Flow, Reply
    from codex_nb.wire.json import JSONObject

__all__ = ["MEGABYTE", "MODEL", "TIMED_MODEL", "Asked", "Heard", "Route", "text_of"]

MEGABYTE: Final = 1024 * 1024
# OpenAI's cheapest model for speech; the one that gives times; and what other servers call theirs.
MODEL, TIMED_MODEL = "gpt-4o-mini-transcribe", "whisper-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of each piece. ``timed``: the segments' times are wanted; ``live``: the text while it grows.

    ``engine`` is what hears on the route ``local``: a name, an address, or a callable.
    """

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    timed: bool = False
    live: bool = False
    engine: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def fields(self, **more: Any) -> dict[str, str]:
        """Return the fields of a form."""
        named = {"model": self.model, "language": self.language, "prompt": self.prompt, **more, **self.extra}
        return {name: str(value) for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard of a piece so far: what a route tells while it listens."""

    text: str


@dataclass(frozen=True, slots=True)
class Route:
    """A way from sound to text. ``longest`` (seconds) and ``largest`` (bytes) are what it takes in one piece.

    ``about`` says what it is, and who may be billed for it. ``at_once`` is how many pieces it takes side by side, None
    for as many as the caller likes.
    """

    name: str
    hear: Callable[[Core, Clip, Asked], Flow[JSONObject]]
    about: str
    largest: int | None = None
    longest: float | None = None
    at_once: int | None = None


def text_of(reply: Reply) -> JSONObject:
    """Return an answer that holds the text.

    Raises:
        MalformedStream: it holds none.

    """
    heard = as_object(reply.json())
    if not isinstance(heard.get("text"), str):
        raise MalformedStream(
            "The service's answer holds no text.",
            hint="Check the backend's address, and whether a proxy or sign-in page is in the way.",
            content_type=reply.headers.get("content-type", ""),
        )
    return heard
