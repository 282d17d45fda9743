"""One transcription: its routes in order, its pieces side by side, its failures told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.audio.clip import Limits
from codex_nb.client._incoming import shaped
from codex_nb.client._sounds import name_of, open_sounds
from codex_nb.client.resources._growing import Part, joined
from codex_nb.client.resources._local_route import engine_of
from codex_nb.client.resources._route import Asked, Heard
from codex_nb.client.resources._routes import ROUTES, refused_by_ears, routes
from codex_nb.errors import (
    APIConnectionError,
    AudioError,
    CloudflareChallenge,
    CodexError,
    InternalServerError,
    InvalidOption,
    MalformedStream,
    NotFoundError,
    RateLimitError,
    ResponseFailed,
    StreamInterrupted,
    UnsupportedByBackend,
    UsageLimitReached,
)
from codex_nb.types.audio import Transcript
from codex_nb.wire.call import Blocking, Flow, Tell, Together
from codex_nb.wire.captions import CAPTIONS
from codex_nb.wire.json import as_number, as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codex_nb.audio.clip import Clip
    from codex_nb.client._core import Core
    from codex_nb.client._sounds import Sounds
    from codex_nb.client.resources._route import Route
    from codex_nb.wire.json import JSONObject

__all__ = ["Transcribing"]

# What says how a recording is made ready.
PREPARING: Final = ("pcm", "rate", "silk_decoder", "silk_rate", "silk_decode", "silent_ok")
FORMATS: Final = ("json", "text", "verbose_json", "srt", "vtt")
CONCURRENCY: Final = 4
# What may be gone when the same piece is sent once more.
PASSING: Final = (APIConnectionError, InternalServerError, RateLimitError, MalformedStream, StreamInterrupted)
# What another route may do better.
OF_THE_ROUTE: Final = (
    *PASSING,
    AudioError,
    CloudflareChallenge,
    NotFoundError,
    ResponseFailed,
    UnsupportedByBackend,
)


class Transcribing:
    """A recording on its way to a `Transcript`, or to the text form that was asked for.

    Its flow tells a `Part` whenever more of a piece is heard; ``live`` asks services for that which do it on demand.
    """

    def __init__(
        self, core: Core, file: Any, response_format: str, options: Mapping[str, Any], *, live: bool = False
    ) -> None:
        if response_format not in FORMATS:
            raise InvalidOption(
                f"There is no response_format {response_format!r}.", hint=f"There are {', '.join(FORMATS)}."
            )
        if live and response_format in CAPTIONS:
            raise InvalidOption(
                f"{response_format} is not streamed: its times are known at the end.", hint="Leave out stream=True."
            )
        self._core = core
        self._file = file
        self._format = response_format
        self._prepared = {name: options[name] for name in PREPARING if options.get(name) is not None}
        self._concurrency = options.get("concurrency") or CONCURRENCY
        self._routes = routes(options.get("route"), speaks_codex=core.settings.backend.speaks_codex)
        # What was heard of each piece so far: the end of a recording may fail, and its beginning is not lost.
        self._texts: dict[int, str] = {}
        self._asked = Asked(
            model=options.get("model"),
            language=options.get("language"),
            prompt=options.get("prompt"),
            timed=response_format in {"verbose_json", *CAPTIONS},
            live=live,
            engine=engine_of(options.get("engine")) if ROUTES["local"] in self._routes else None,
            extra=options.get("extra_body") or {},
        )

    def flow(self) -> Flow[Any]:
        """Return the transcript in the form that was asked for."""
        return self._in_form((yield from self.heard()))

    def heard(self) -> Flow[Transcript]:
        """Take the routes in order until one serves; what is wrong with the recording itself is raised at once."""
        failed: dict[str, str] = {}
        for route in self._routes:
            limits = Limits(route.largest, route.longest)
            sounds: Sounds = yield Blocking(partial(open_sounds, self._file, limits, **self._prepared))
            try:
                found = yield from self._by(route, sounds)
            except CodexError as error:
                failed[route.name] = error.message
                if route is self._routes[-1]:
                    raise
            else:
                found.failed_routes = failed
                return found
            finally:
                sounds.close()
        raise AssertionError  # the last route returns or raises

    def _by(self, route: Route, sounds: Sounds) -> Flow[Transcript]:
        heard: dict[int, JSONObject] = {}
        self._texts.clear()
        yield Tell(Part(0, "", anew=True))
        try:
            yield from self._hear_all(route, sounds.pieces, heard)
            return _transcript(sounds, route, [heard[number] for number in range(len(sounds.pieces))])
        except CodexError as error:
            partial = joined(self._texts[number] for number in sorted(self._texts))
            raise self._told(error, route, partial) from error.__cause__

    def _hear_all(self, route: Route, pieces: Sequence[Clip], heard: dict[int, JSONObject]) -> Flow[None]:
        """Send every piece, several at once; then those that failed, alone."""
        if len(pieces) > 1:
            tries = (self._try(route, number, piece, heard) for number, piece in enumerate(pieces))
            yield Together(tries, limit=route.at_once or self._concurrency)
        for number, piece in enumerate(pieces):
            if number not in heard:
                heard[number] = yield from self._piece(route, number, piece)

    def _try(self, route: Route, number: int, piece: Clip, heard: dict[int, JSONObject]) -> Flow[None]:
        try:
            heard[number] = yield from self._piece(route, number, piece)
        except PASSING as error:
            if isinstance(error, UsageLimitReached) or refused_by_ears(error):
                raise

    def _piece(self, route: Route, number: int, piece: Clip) -> Flow[JSONObject]:
        """Let the route hear one piece; what it tells is told as a part of the whole."""
        flow = route.hear(self._core, piece, self._asked)
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                outcome = failed = None
                if isinstance(step, Tell):
                    self._texts[number] = cast("Heard", step.event).text
                    yield Tell(Part(number, self._texts[number]))
                    continue
                try:
                    outcome = yield step
                except CodexError as error:
                    failed = error
        except StopIteration as end:
            found = cast("JSONObject", end.value)
        finally:
            flow.close()
        self._texts[number] = str(found.get("text", ""))
        yield Tell(Part(number, self._texts[number], whole=True))
        return found

    def _in_form(self, found: Transcript) -> Transcript | str:
        if self._format not in CAPTIONS:
            return found.text if self._format == "text" else found
        if found.text and not found.segments:
            raise InvalidOption(
                f"{found.source}: the route {found.route} gives no times, so there is no {self._format}.",
                hint='route="platform" gives times (billed to the platform organization); text needs none.',
            )
        return CAPTIONS[self._format](found.segments)

    def _told(self, error: CodexError, route: Route, partial: str) -> CodexError:
        """Return ``error`` with the recording, the route and what to try in it."""
        source = name_of(self._file)
        if refused_by_ears(error):
            error = AudioError(
                "The service cannot decode this sound (HTTP 500, Error in ASR API).",
                hint="Play it here to see whether it is whole, or save it as WAV or MP3.",
            )
        elif isinstance(error, CloudflareChallenge):
            error.message = "The service's guard (Cloudflare) stopped the upload with a web page (HTTP 403)."
        if isinstance(error, OF_THE_ROUTE):
            others = [f'route="{name}" ({one.about})' for name, one in ROUTES.items() if one not in self._routes]
            error.hint = f"{error.hint} Other ways: {' or '.join(others)}.".lstrip() if others else error.hint
        error.message = f"{source}, route {route.name}: {error.message}"
        error.args = (error.message,)
        vars(error).update(source=source, route=route.name, partial=partial)
        return error


def _transcript(sounds: Sounds, route: Route, heard: list[JSONObject]) -> Transcript:
    """Join what was heard of the pieces; times count from the beginning of the recording."""
    segments = [
        segment
        for piece, payload in zip(sounds.pieces, heard, strict=True)
        for segment in _segments(piece, payload, whole=len(heard) == 1)
    ]
    lengths = [
        piece.duration or as_number(payload.get("duration"))
        for piece, payload in zip(sounds.pieces, heard, strict=True)
    ]
    fields = heard[0] if len(heard) == 1 else {}
    languages = (as_text(payload.get("language")) for payload in heard)
    found = shaped(
        Transcript,
        fields
        | {
            "text": joined(str(payload.get("text", "")) for payload in heard),
            "source": sounds.source,
            "route": route.name,
            "duration": None if None in lengths else sum(filter(None, lengths)),
            "language": next(filter(None, languages), None),
            "segments": segments,
        },
    )
    found._payloads = heard  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return found


def _segments(piece: Clip, payload: JSONObject, *, whole: bool) -> list[JSONObject]:
    """Return the segments of one piece: the service's, else the piece itself where it is one of several."""
    given: Any = payload.get("segments")
    if isinstance(given, list) and given:
        return [_moved(as_object(each), piece.start) for each in cast("list[Any]", given)]
    text = str(payload.get("text", "")).strip()
    if whole or piece.duration is None or not text:
        return []
    return [{"start": piece.start, "end": piece.start + piece.duration, "text": text}]


def _moved(segment: JSONObject, by: float) -> JSONObject:
    times = {name: value + by for name in ("start", "end") if (value := as_number(segment.get(name))) is not None}
    text = segment.get("text")
    return {**segment, **times, "text": text.strip() if isinstance(text, str) else text}
