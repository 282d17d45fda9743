"""Text of speech (``session.audio.transcriptions``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack, overload

from codex_nb.client._drivers import SyncDriver
from codex_nb.client._faces import Async, F, Resource, Sync, shown_signature
from codex_nb.client._transcript_stream import AsyncTranscriptStream, TranscriptStream
from codex_nb.client.resources._transcribing import Transcribing
from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from codex_nb.types.audio import Transcript

__all__ = ["Audio", "Transcriptions", "refuse_unknown"]

Objects: TypeAlias = Literal["json", "verbose_json"]
Texts: TypeAlias = Literal["text", "srt", "vtt"]
Streamed: TypeAlias = Literal["json", "text", "verbose_json"]


class Options(TypedDict, total=False):
    """What a transcription may be told."""

    model: str | None
    language: str | None
    prompt: str | None
    route: str | None
    engine: Any
    concurrency: int
    pcm: str | None
    rate: int | None
    silk_decoder: str | None
    silk_rate: int
    silk_decode: bool
    silent_ok: bool
    extra_body: Mapping[str, Any] | None


def refuse_unknown(options: Iterable[str]) -> None:
    """Refuse what a transcription has no option for: a misspelt one would change nothing, and nobody would notice.

    Raises:
        InvalidOption: there is no such option, with the one close to it.

    """
    known = Options.__annotations__
    for name in options:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            others = f"There are {', '.join(known)}; extra_body takes what else a service knows."
            raise InvalidOption(
                f"A transcription has no option {name!r}.", hint=f"Did you mean {close[0]}?" if close else others
            )


class Transcriptions(Resource[F]):
    """``session.audio.transcriptions``."""

    @overload
    def create(
        self: Transcriptions[Sync],
        *,
        file: Any,
        response_format: Streamed = "json",
        stream: Literal[True],
        **options: Unpack[Options],
    ) -> TranscriptStream: ...
    @overload
    def create(
        self: Transcriptions[Async],
        *,
        file: Any,
        response_format: Streamed = "json",
        stream: Literal[True],
        **options: Unpack[Options],
    ) -> Coroutine[Any, Any, AsyncTranscriptStream]: ...
    @overload
    def create(
        self: Transcriptions[Sync],
        *,
        file: Any,
        response_format: Objects = "json",
        stream: Literal[False] | None = None,
        **options: Unpack[Options],
    ) -> Transcript: ...
    @overload
    def create(
        self: Transcriptions[Sync],
        *,
        file: Any,
        response_format: Texts,
        stream: Literal[False] | None = None,
        **options: Unpack[Options],
    ) -> str: ...
    @overload
    def create(
        self: Transcriptions[Async],
        *,
        file: Any,
        response_format: Objects = "json",
        stream: Literal[False] | None = None,
        **options: Unpack[Options],
    ) -> Coroutine[Any, Any, Transcript]: ...
    @overload
    def create(
        self: Transcriptions[Async],
        *,
        file: Any,
        response_format: Texts,
        stream: Literal[False] | None = None,
        **options: Unpack[Options],
    ) -> Coroutine[Any, Any, str]: ...
    def create(
        self, *, file: Any, response_format: str = "json", stream: bool | None = None, **options: Unpack[Options]
    ) -> Any:
        """Return what is said in ``file``: a path, bytes, an open binary file, ``(name, bytes)`` or a recording.

        ``route`` names the ways to take, in order (``"codex,local"``): ``codex`` is ChatGPT's dictation and the
        default; ``platform`` the public endpoint and ``realtime`` its socket (extra ``realtime``), which may be billed
        to the platform organization; ``local`` an ``engine`` on this machine. None is taken that is not named.
        ``language`` is a code such as ``en``; ``prompt`` names words that are said. ``model`` is for routes that have
        several.

        ``engine`` is ``"sphinx"`` (PocketSphinx, extra ``local``: English, modest), the address of an OpenAI-compatible
        server (``"http://127.0.0.1:8000/v1"``; ``CODEX_NB_ENGINE_KEY`` is its key), or a callable, here or as
        ``"module:function"``. It is called with float32 samples from -1 to 1, mono, at 16 kHz, and with ``language``
        and ``prompt`` where it has such parameters; it returns the text, an iterator of its parts, or a dict as
        whisper's. ``CODEX_NB_ENGINE`` sets the usual one.

        ``stream=True`` gives a `TranscriptStream` of the text as it is heard (``async for`` on the other face). The
        routes ``realtime`` and ``platform`` send it while they hear; the others once a piece is heard.

        ``response_format`` is ``json`` or ``verbose_json`` (a `Transcript`, the second with times where the route
        knows any), ``text``, ``srt`` or ``vtt`` (a str). Captions need real times: of the service's segments, or of
        the pieces that a long recording is cut into; ``concurrency`` pieces are sent at once.

        ``pcm`` is the format of bare samples (``"16000:1:s16le"``), ``rate`` that of a numpy array in Hz. SILK is
        decoded on this machine, by ``silk_decoder`` where one is named, at ``silk_rate`` Hz, unless ``silk_decode`` is
        False. ``silent_ok`` sends a recording in which nothing is to be heard.

        Raises:
            InvalidOption: there is no such option, or it cannot be used.
            AudioError: there is no sound in it that can be sent, or the service cannot decode it.
            CloudflareChallenge: the service's guard stopped the upload; the hint names the routes that would work.
            APIError: the request failed. Each names the recording (``.source``), the route (``.route``) and what to
                try; what was heard of it by then is in ``.partial``.

        """
        refuse_unknown(options)
        asked = Transcribing(self._core, file, response_format, options, live=bool(stream))
        if not stream:
            return self._driver.run(asked.flow())
        driver = self._driver
        if isinstance(driver, SyncDriver):
            return TranscriptStream(lambda: driver.running(asked.heard()))
        return _ready(AsyncTranscriptStream(lambda tell: driver.run(asked.heard(), tell=tell)))

    create.__signature__ = shown_signature(create, Options.__annotations__)  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


async def _ready(stream: AsyncTranscriptStream) -> AsyncTranscriptStream:
    """Return the stream as an awaitable, which is how openai-python does it."""
    return stream


class Audio(Resource[F]):
    """``session.audio``."""

    @cached_property
    def transcriptions(self) -> Transcriptions[F]:
        """Text of speech."""
        return Transcriptions(self._core, self._driver)
