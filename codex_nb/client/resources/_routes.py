"""The routes from a recording to its text. Each is a flow that sends one piece and returns what came, as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from codex_nb.errors import CodexError, InternalServerError, InvalidOption, MalformedStream
from codex_nb.wire.call import Call
from codex_nb.wire.json import as_object
from codex_nb.wire.multipart import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from codex_nb.client._core import Core
    from codex_nb.client._sounds import Sound
    from codex_nb.wire.call import Flow, Reply
    from codex_nb.wire.json import JSONObject

__all__ = ["ROUTES", "Asked", "Route", "refused_by_ears", "routes"]

MEGABYTE: Final = 1024 * 1024
# OpenAI's cheapest model for speech; the one that gives times; and what other servers call theirs.
MODEL, TIMED_MODEL = "gpt-4o-mini-transcribe", "whisper-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of each piece. ``timed``: the segments' times are wanted."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    timed: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def fields(self, **more: Any) -> dict[str, str]:
        """Return the fields of a form."""
        named = {"model": self.model, "language": self.language, "prompt": self.prompt, **more, **self.extra}
        return {name: str(value) for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Route:
    """A way from sound to text. ``longest`` (seconds) and ``largest`` (bytes) are what it takes in one piece.

    ``about`` says what it is, and who may be billed for it.
    """

    name: str
    hear: Callable[[Core, Sound, Asked], Flow[JSONObject]]
    about: str
    largest: int | None
    longest: float | None = None
    gives_times: bool = False


def _codex(core: Core, sound: Sound, asked: Asked) -> Flow[JSONObject]:
    """Ask ChatGPT's own dictation. A backend may name its address by itself."""
    form = Form(sound, asked.fields())
    path = "dictation" if "dictation" in core.settings.backend.roots else "account/transcribe"
    reply: Reply = yield Call("POST", path, content=form, headers=form.headers)
    return _heard(reply)


def _platform(core: Core, sound: Sound, asked: Asked) -> Flow[JSONObject]:
    """Ask the public endpoint, or the like of another server."""
    usual = TIMED_MODEL if asked.timed or not core.settings.backend.speaks_codex else MODEL
    wanted = "verbose_json" if asked.timed else "json"
    form = Form(sound, asked.fields(model=asked.model or usual, response_format=wanted))
    reply: Reply = yield Call("POST", "platform/audio/transcriptions", content=form, headers=form.headers)
    return _heard(reply)


def _heard(reply: Reply) -> JSONObject:
    heard = as_object(reply.json())
    if not isinstance(heard.get("text"), str):
        raise MalformedStream(
            "The service's answer holds no text.",
            hint="Check the backend's address, and whether a proxy or sign-in page is in the way.",
            content_type=reply.headers.get("content-type", ""),
        )
    return heard


ROUTES: Final[dict[str, Route]] = {
    # The service does not say how much it takes; other clients keep to 16 MB.
    "codex": Route("codex", _codex, "ChatGPT's dictation", largest=16 * MEGABYTE),
    "platform": Route(
        "platform",
        _platform,
        "may be billed to the platform organization",
        largest=25 * MEGABYTE,
        longest=1400.0,
        gives_times=True,
    ),
}


def routes(wanted: str | None, *, speaks_codex: bool) -> list[Route]:
    """Return the routes that ``wanted`` names, in its order; without it the one that nobody else is billed for.

    Raises:
        InvalidOption: there is no such route, with the ones close to it.

    """
    names = [name.strip() for name in (wanted or ("codex" if speaks_codex else "platform")).split(",")]
    for name in names:
        if name not in ROUTES:
            close = get_close_matches(name, ROUTES, n=1)
            raise InvalidOption(
                f"There is no route {name!r}.",
                hint=f"Did you mean {close[0]}?" if close else f"There are {', '.join(ROUTES)}.",
            )
    return [ROUTES[name] for name in dict.fromkeys(names)]


def refused_by_ears(error: CodexError) -> bool:
    """Whether the dictation endpoint says that it cannot decode the sound: it does so with a 500."""
    return isinstance(error, InternalServerError) and "error in asr" in error.body.lower()
