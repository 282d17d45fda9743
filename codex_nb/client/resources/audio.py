"""Text of speech (``session.audio.transcriptions``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, Unpack, overload

from codex_nb.client._faces import Async, F, Resource, Sync, shown_signature
from codex_nb.client.resources._transcribing import Transcribing

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from codex_nb.types.audio import Transcript

__all__ = ["Audio", "Transcriptions"]

Objects: TypeAlias = Literal["json", "verbose_json"]
Texts: TypeAlias = Literal["text", "srt", "vtt"]


class Options(TypedDict, total=False):
    """What a transcription may be told."""

    model: str | None
    language: str | None
    prompt: str | None
    route: str | None
    concurrency: int
    pcm: str | None
    rate: int | None
    silk_decoder: str | None
    silk_rate: int
    silk_decode: bool
    silent_ok: bool
    extra_body: Mapping[str, Any] | None


class Transcriptions(Resource[F]):
    """``session.audio.transcriptions``."""

    @overload
    def create(
        self: Transcriptions[Sync], *, file: Any, response_format: Objects = "json", **options: Unpack[Options]
    ) -> Transcript: ...
    @overload
    def create(self: Transcriptions[Sync], *, file: Any, response_format: Texts, **options: Unpack[Options]) -> str: ...
    @overload
    def create(
        self: Transcriptions[Async], *, file: Any, response_format: Objects = "json", **options: Unpack[Options]
    ) -> Coroutine[Any, Any, Transcript]: ...
    @overload
    def create(
        self: Transcriptions[Async], *, file: Any, response_format: Texts, **options: Unpack[Options]
    ) -> Coroutine[Any, Any, str]: ...
    def create(self, *, file: Any, response_format: str = "json", **options: Unpack[Options]) -> Any:
        """Return what is said in ``file``: a path, bytes, an open binary file, ``(name, bytes)`` or a recording.

        ``route`` names the ways to take, in order (``"codex,local"``): ``codex`` is ChatGPT's dictation and the
        default, ``platform`` the public endpoint, which may be billed to the platform organization. None is taken
        that is not named. ``language`` is a code such as ``en``; ``prompt`` names words that are said. ``model`` is
        for routes that have several.

        ``response_format`` is ``json`` or ``verbose_json`` (a `Transcript`, the second with times where the route
        knows any), ``text``, ``srt`` or ``vtt`` (a str). Captions need real times: of the service's segments, or of
        the pieces that a long recording is cut into; ``concurrency`` pieces are sent at once.

        ``pcm`` is the format of bare samples (``"16000:1:s16le"``), ``rate`` that of a numpy array in Hz. SILK is
        decoded on this machine, by ``silk_decoder`` where one is named, at ``silk_rate`` Hz, unless ``silk_decode`` is
        False. ``silent_ok`` sends a recording in which nothing is to be heard.

        Raises:
            AudioError: there is no sound in it that can be sent, or the service cannot decode it.
            CloudflareChallenge: the service's guard stopped the upload; the hint names the routes that would work.
            APIError: the request failed. Each names the recording (``.source``), the route (``.route``) and what to
                try; what was heard of it by then is in ``.partial``.

        """
        return self._driver.run(Transcribing(self._core, file, response_format, options).flow())

    create.__signature__ = shown_signature(create, Options.__annotations__)  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


class Audio(Resource[F]):
    """``session.audio``."""

    @cached_property
    def transcriptions(self) -> Transcriptions[F]:
        """Text of speech."""
        return Transcriptions(self._core, self._driver)
