"""Any sound that a notebook holds, made ready for the service: looked at, converted, split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.audio import containers, transcode
from codex_nb.audio.clip import Clip, Kept, Limits
from codex_nb.audio.filename import base_name, repaired
from codex_nb.audio.pcm import PcmFormat, Sound, array_sound, pcm_blocks
from codex_nb.audio.silk import RATE as SILK_RATE
from codex_nb.audio.silk import decoded_silk
from codex_nb.audio.sniff import HEAD, sniff
from codex_nb.audio.source import given_bytes, given_name, scratch
from codex_nb.audio.split import is_silent, write_pieces
from codex_nb.audio.trouble import Trouble
from codex_nb.audio.wav import HEADER, WavWriter, read_wav
from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_nb.audio.containers import Container
    from codex_nb.audio.pcm import Block
    from codex_nb.audio.split import Piece
    from codex_nb.audio.wav import Wav

__all__ = ["bare", "prepare", "samples"]

# A second, or this part of the whole: what may be missing at the end of a recording that counts as whole.
MISSING_SECONDS, MISSING_PART = 1.0, 0.02
# Codecs that the service takes, for the containers that hold several.
TAKEN_CODECS: Final = {"MP4": {"aac"}, "WebM": {"opus", "vorbis"}, "Ogg": {"opus", "vorbis"}}


def prepare(  # noqa: PLR0913 - each is a thing that a recording may need
    source: Any,
    *,
    filename: str | None = None,
    content_type: str | None = None,
    pcm: str | PcmFormat | None = None,
    rate: int | None = None,
    limits: Limits | None = None,
    silk_decoder: str | None = None,
    silk_rate: int = SILK_RATE,
    silk_decode: bool = True,
    silent_ok: bool = False,
    cut_short_ok: bool = False,
) -> list[Clip]:
    """Make a recording ready for upload; return its pieces in order, usually one.

    ``source``: a path, bytes, an open binary file, an object with ``.path`` (a recording), or a numpy array with
    ``rate`` in Hz (floats from -1 to 1 or whole numbers; shape ``(samples,)`` or ``(samples, channels)``). What the
    service takes goes as it is, under a repaired name and content type. The rest becomes FLAC or WAV. What is larger
    or longer than ``limits`` is split at silence; ``start`` of each piece is its second in the recording.

    ``pcm``: the format of bare samples, "16000:1:s16le". ``silk_decode=False`` leaves SILK as it is. A recording that
    is silent, or whose end is missing, is refused unless ``silent_ok`` or ``cut_short_ok``.

    Raises:
        AudioError: it is not there, empty, silent, cut short, damaged or no sound, or what converts it is missing.
        InvalidOption: ``pcm``, ``rate`` or the SILK options are wrong.

    """
    asked = _Asked(limits or Limits(), silk_decoder, silk_rate, silk_decode, silent_ok, cut_short_ok)
    if _is_array(source):
        name, trouble = base_name(filename), Trouble(filename or "an array")
        return _converted(array_sound(source, _rate(rate)), name, trouble, asked)
    name = base_name(filename or given_name(source))
    kept = given_bytes(source)
    trouble = Trouble(filename or given_name(source), containers.UNKNOWN)
    if not kept.size:
        raise trouble.empty()
    if pcm is not None:
        form = pcm if isinstance(pcm, PcmFormat) else PcmFormat.parsed(pcm)
        return _converted(Sound(form.rate, _read(kept, form)), name, trouble, asked)
    trouble = Trouble(trouble.source, sniff(kept.head(HEAD)))
    return _Recording(kept, name, content_type, trouble, asked).clips()


def samples(source: Any, rate: int = 24_000, **options: Any) -> Iterator[bytes]:
    """Give a recording as bare samples: 16-bit little-endian mono at ``rate`` Hz, about a second at once.

    ``options`` are those of `prepare`. Needs PyAV (extra ``audio``) unless the recording is at this rate.

    Raises:
        AudioError: as `prepare`.

    """
    everything = Limits(size=None)
    for clip in prepare(source, limits=everything, **options):
        yield from bare(clip, rate, given_name(source))


def bare(clip: Clip, rate: int, source: str = "") -> Iterator[bytes]:
    """Give one clip as bare samples, as `samples` does. ``source`` is what errors call it."""
    for block in _decoded(clip.kept, Trouble(source or clip.name, clip.container), rate).blocks:
        yield block.astype("<i2", copy=False).tobytes()


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options of one call."""

    limits: Limits
    silk_decoder: str | None
    silk_rate: int
    silk_decode: bool
    silent_ok: bool
    cut_short_ok: bool


@dataclass(frozen=True, slots=True)
class _Recording:
    """Bytes in a container."""

    kept: Kept
    name: str
    content_type: str | None
    trouble: Trouble
    asked: _Asked

    @property
    def container(self) -> Container:
        return self.trouble.container

    def clips(self) -> list[Clip]:
        if self.container.name in {"SILK v3", "SILK v3 (Tencent)"}:
            return self._silk()
        if self.container is containers.WAV:
            return self._wav()
        if not self.container.known and (self.container.name != "unknown" or not transcode.available()):
            raise self.trouble.foreign()
        if transcode.available():
            return self._looked_into()
        # What the service takes can go without a closer look, in one piece.
        if self.container.taken and not self.container.video and not self._too_large(None):
            return [self._whole(None)]
        raise self.trouble.needs("PyAV", "audio")

    def _looked_into(self) -> list[Clip]:
        found = transcode.probe(self.kept, self.trouble)
        if not found.duration:
            raise self.trouble.empty()
        self._refuse_cut(found.duration, found.promised)
        codecs = TAKEN_CODECS.get(self.container.name)
        taken = self.container.taken and not found.video and (codecs is None or found.codec in codecs)
        if not taken or self._too_large(found.duration):
            return self._convert(transcode.decoded(self.kept, self.trouble))
        if not self.asked.silent_ok:
            _refuse_silent(transcode.decoded(self.kept, self.trouble), self.trouble)
        return [self._whole(found.duration)]

    def _wav(self) -> list[Clip]:
        with self.kept.open() as file:
            wav = read_wav(file, self.kept.size)
        if wav is None:
            raise self.trouble.broken("its header is not whole")
        if wav.form is None:
            if not transcode.available():
                raise self.trouble.needs("PyAV", "audio")
            return self._convert(transcode.decoded(self.kept, self.trouble))
        if not wav.size // wav.form.width:
            raise self.trouble.empty()
        if wav.promised:
            bytes_a_second = wav.form.width * wav.form.rate
            self._refuse_cut(wav.size / bytes_a_second, wav.promised / bytes_a_second)
        if not wav.plain or wav.promised is None or wav.size < (wav.promised or 0) or self._too_large(wav.duration):
            return self._convert(self._of_wav(wav, wav.form))
        if not self.asked.silent_ok:
            _refuse_silent(Sound(wav.form.rate, _read(self.kept, wav.form, wav.start, wav.size)), self.trouble)
        return [self._whole(wav.duration)]

    def _of_wav(self, wav: Wav, form: PcmFormat) -> Sound:
        """Decode by PyAV where it can lower the rate, which saves uploads."""
        if form.rate > transcode.RATE and transcode.available() and wav.promised is not None:
            return transcode.decoded(self.kept, self.trouble)
        return Sound(form.rate, _read(self.kept, form, wav.start, wav.size))

    def _silk(self) -> list[Clip]:
        if not self.asked.silk_decode:
            return [self._whole(None)]
        path, form = decoded_silk(self.kept, self.trouble, self.asked.silk_decoder, self.asked.silk_rate)
        pcm = Kept(path, temporary=True)
        try:
            if not pcm.size:
                raise self.trouble.empty()
            if form is None:
                return self._convert(_decoded(pcm, Trouble(self.trouble.source, containers.WAV), None), as_wav=True)
            return self._convert(Sound(form.rate, _read(pcm, form)), as_wav=True)
        finally:
            pcm.close()

    def _convert(self, sound: Sound, *, as_wav: bool = False) -> list[Clip]:
        return _converted(sound, self.name, self.trouble, self.asked, as_wav=as_wav)

    def _whole(self, duration: float | None) -> Clip:
        name, kind = repaired(self.name, self.content_type, self.container)
        return Clip(name, kind, self.container, duration, kept=self.kept)

    def _too_large(self, seconds: float | None) -> bool:
        return self.asked.limits.exceeded_by(self.kept.size, seconds)

    def _refuse_cut(self, there: float, promised: float | None) -> None:
        missing = (promised or 0.0) - there
        if missing > max(MISSING_SECONDS, MISSING_PART * there) and not self.asked.cut_short_ok:
            raise self.trouble.cut_short(f"{there:.1f} s", f"{promised:.1f} s")


def _converted(sound: Sound, name: str, trouble: Trouble, asked: _Asked, *, as_wav: bool = False) -> list[Clip]:
    """Write sound to temporary files within the limits."""
    flac = transcode.available() and not as_wav
    made: list[Kept] = []

    def new() -> Any:
        made.append(Kept(scratch(".flac" if flac else ".wav"), temporary=True))
        path = cast("Path", made[-1].path)
        return transcode.FlacWriter(path, sound.rate) if flac else WavWriter(path.open("wb"), sound.rate)

    try:
        pieces = list(write_pieces(sound, _longest(asked.limits, sound.rate), new))
        _check(pieces, trouble, asked)
    except BaseException:
        for kept in made:
            kept.close()
        raise
    container = containers.FLAC if flac else containers.WAV
    titles = _numbered(repaired(name, None, container)[0], len(pieces))
    return [
        Clip(title, container.mime_type, container, piece.length / sound.rate, piece.start / sound.rate, kept=kept)
        for title, piece, kept in zip(titles, pieces, made, strict=True)
    ]


def _check(pieces: list[Piece], trouble: Trouble, asked: _Asked) -> None:
    if not sum(piece.length for piece in pieces):
        raise trouble.empty()
    if not asked.silent_ok and is_silent(max(piece.peak for piece in pieces)):
        raise trouble.silent()


def _numbered(name: str, count: int) -> list[str]:
    stem, dot, extension = name.rpartition(".")
    return [name] if count == 1 else [f"{stem}-{number:03}{dot}{extension}" for number in range(1, count + 1)]


def _longest(limits: Limits, rate: int) -> float | None:
    """Return how long a piece may be; FLAC is never larger than WAV by more than its headers, which noise may show."""
    bounds = [limits.seconds] if limits.seconds is not None else []
    if limits.size is not None:
        bounds.append((limits.size * 0.98 - 16 * HEADER) / (2 * rate))
    longest = min(bounds, default=None)
    if longest is not None and longest < 1.0:
        raise InvalidOption("A piece would be shorter than a second.", hint="Allow larger limits.")
    return longest


def _decoded(kept: Kept, trouble: Trouble, rate: int | None) -> Sound:
    """Decode without PyAV where that is enough."""
    if trouble.container is containers.WAV:
        with kept.open() as file:
            wav = read_wav(file, kept.size)
        if wav is None:
            raise trouble.broken("its header is not whole")
        if wav.form is not None and rate in (None, wav.form.rate):
            return Sound(wav.form.rate, _read(kept, wav.form, wav.start, wav.size))
    if not transcode.available():
        raise trouble.needs("PyAV", "audio")
    return transcode.decoded(kept, trouble, rate)


def _read(kept: Kept, form: PcmFormat, start: int = 0, size: int | None = None) -> Iterator[Block]:
    with kept.open() as file:
        file.seek(start)
        yield from pcm_blocks(file, form, size)


def _refuse_silent(sound: Sound, trouble: Trouble) -> None:
    """Listen until the first sound."""
    for block in sound.blocks:
        if len(block) and not is_silent(max(int(block.max()), -int(block.min()))):
            return
    raise trouble.silent()


def _is_array(source: Any) -> bool:
    return hasattr(source, "__array__") and hasattr(source, "dtype")


def _rate(rate: int | None) -> int:
    if rate is None:
        raise InvalidOption("The rate of this array is not known.", hint="Pass rate=16000, in samples a second.")
    return PcmFormat(rate).rate
