"""The routes from a recording to its text. Each is a flow that sends one piece and returns what came, as JSON."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from codex_nb.client.resources._local_route import local
from codex_nb.client.resources._realtime_route import realtime
from codex_nb.client.resources._route import MEGABYTE, MODEL, TIMED_MODEL, Route, text_of
from codex_nb.client.resources._text_stream import streamed
from codex_nb.errors import CodexError, InternalServerError, InvalidOption
from codex_nb.wire.call import Call
from codex_nb.wire.multipart import Form

if TYPE_CHECKING:
    from codex_nb.audio.clip import Clip
    from codex_nb.client._core import Core
    from codex_nb.client.resources._route import Asked
    from codex_nb.wire.call import Flow, Reply
    from codex_nb.wire.json import JSONObject

__all__ = ["ROUTES", "refused_by_ears", "routes"]


def _codex(core: Core, clip: Clip, asked: Asked) -> Flow[JSONObject]:
    """Ask ChatGPT's own dictation. A backend may name its address by itself."""
    form = Form(clip, asked.fields())
    path = "dictation" if "dictation" in core.settings.backend.roots else "account/transcribe"
    reply: Reply = yield Call("POST", path, content=form, headers=form.headers)
    return text_of(reply)


def _platform(core: Core, clip: Clip, asked: Asked) -> Flow[JSONObject]:
    """Ask the public endpoint, or the like of another server."""
    usual = TIMED_MODEL if asked.timed or not core.settings.backend.speaks_codex else MODEL
    wanted = "verbose_json" if asked.timed else "json"
    live = {"stream": "true"} if asked.live and not asked.timed else {}
    form = Form(clip, asked.fields(model=asked.model or usual, response_format=wanted, **live))
    reply: Reply = yield Call(
        "POST", "platform/audio/transcriptions", content=form, headers=form.headers, stream=bool(live)
    )
    return (yield from streamed(reply)) if live else text_of(reply)


ROUTES: Final[dict[str, Route]] = {
    # The service does not say how much it takes; other clients keep to 16 MB.
    "codex": Route("codex", _codex, "ChatGPT's dictation", largest=16 * MEGABYTE),
    "platform": Route(
        "platform",
        _platform,
        "may be billed to the platform organization",
        largest=25 * MEGABYTE,
        longest=1400.0,
    ),
    # A piece is heard once it is whole, so pieces are short where text is wanted while it is spoken of.
    "realtime": Route(
        "realtime", realtime, "by the realtime socket; may be billed to the platform organization", longest=300.0
    ),
    # Engines on this machine, which a caller may not have made for several threads.
    "local": Route("local", local, "on this machine", largest=25 * MEGABYTE, longest=300.0, at_once=1),
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
