"""What FFmpeg's libraries (PyAV, extra ``audio``) do here: look into a container, decode it, write FLAC.

A recording may be hostile: the demuxer is named from the bytes, or chosen from a list of such as read sound; none that
opens other files or addresses by itself (playlists) is in it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, Final

from codex_nb.audio.pcm import Sound

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from av import AudioFrame
    from av.container import InputContainer

    from codex_nb.audio.clip import Kept
    from codex_nb.audio.pcm import Block
    from codex_nb.audio.trouble import Trouble
    from codex_nb.errors import AudioError

__all__ = ["RATE", "FlacWriter", "Probe", "available", "decoded", "probe"]

# What recognition uses at most; lower rates stay as they are.
RATE: Final = 24_000
DEMUXERS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,webm,mov,mp4,mp3,mpeg,mpegts,ogg,tta,voc,w64,"
    "wav,wv"
)
# Their headers tell a length that can be trusted; others guess it from the bit rate.
LENGTH_IS_TOLD: Final = frozenset({"flac", "mov", "matroska", "aiff", "caf", "asf", "wav"})


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look into a container tells: seconds there and seconds promised, codec, pictures."""

    duration: float | None
    promised: float | None
    codec: str
    video: bool


def available() -> bool:
    """Whether PyAV is installed; it is not imported."""
    return find_spec("av") is not None


@contextmanager
def _opened(kept: Kept, trouble: Trouble) -> Generator[InputContainer]:
    import av
    from av.error import FFmpegError

    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": ""}
    opening: Any = av.open  # its options are not the same in all versions
    with kept.open() as file:
        try:
            form = trouble.container.demuxer or None
            with opening(file, format=form, container_options=options, **_lenient(av.__version__)) as container:
                if not container.streams.audio:
                    raise trouble.without_sound() if container.streams else trouble.foreign()
                yield container
        except FFmpegError as error:
            raise _failure(error, trouble) from None


def _lenient(version: str) -> dict[str, Any]:
    """Return what keeps PyAV from failing at tags that are no UTF-8; from version 19 on it takes them by itself."""
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


def _failure(error: Exception, trouble: Trouble) -> AudioError:
    if not trouble.container.known:
        return trouble.foreign()
    return trouble.broken(str(getattr(error, "strerror", "") or "").strip())


def probe(kept: Kept, trouble: Trouble) -> Probe:
    """Look into a container, and walk its packets to its end without decoding them.

    Raises:
        AudioError: it cannot be read, or holds no sound.

    """
    with _opened(kept, trouble) as container:
        stream = container.streams.audio[0]
        told = trouble.container.demuxer in LENGTH_IS_TOLD
        promised = container.duration / 1e6 if told and container.duration else None
        begin = last = stream.start_time or 0
        for packet in container.demux(stream):
            if packet.pts is not None:
                last = max(last, packet.pts + (packet.duration or 0))
        pictures = any("attached_pic" not in str(each.disposition).lower() for each in container.streams.video)
        seconds = float((last - begin) * (stream.time_base or 0))
        return Probe(max(0.0, seconds) or None, promised, stream.codec_context.name, pictures)


def decoded(kept: Kept, trouble: Trouble, rate: int | None = None) -> Sound:
    """Decode the first sound track to mono; without ``rate`` at its own rate, but at most ``RATE``.

    Raises:
        AudioError: it cannot be decoded; also later, while the blocks are read.

    """
    if rate is None:
        with _opened(kept, trouble) as container:
            rate = min(container.streams.audio[0].codec_context.sample_rate or RATE, RATE)
    return Sound(rate, _blocks(kept, trouble, rate))


def _blocks(kept: Kept, trouble: Trouble, rate: int) -> Iterator[Block]:
    from av.error import FFmpegError

    with _opened(kept, trouble) as container:
        mixer = _Mixer(rate)
        stream = container.streams.audio[0]
        got, failed = False, None
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except (FFmpegError, ValueError) as error:  # a damaged packet among good ones is left out, as players do
                failed = error
                continue
            for frame in frames:
                got = True
                yield from mixer.mixed(frame)
        if not got and failed is not None:
            raise _failure(failed, trouble) from None
        yield from mixer.rest()


class _Mixer:
    """Makes mono at one rate of frames. They are gathered first: a call a second costs half of one a frame."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._form: Any = None
        self._fifo: Any = None
        self._resampler: Any = None

    def mixed(self, frame: AudioFrame) -> Iterator[Block]:
        """Take a frame; give what is ready."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:  # at the beginning, and where a broadcast changes
            yield from self.rest()
            self._begin(form)
        frame.pts = None
        self._fifo.write(frame)
        if self._fifo.samples >= frame.sample_rate:
            yield from self._resampled(self._fifo.read())

    def rest(self) -> Iterator[Block]:
        """Give what is left."""
        if self._form is None:
            return
        if (last := self._fifo.read()) is not None:
            yield from self._resampled(last)
        yield from self._resampled(None)
        self._form = None

    def _begin(self, form: Any) -> None:
        import av

        self._form, self._fifo = form, av.AudioFifo()
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=self._rate)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Block]:
        for block in self._resampler.resample(frame):
            yield block.to_ndarray()[0]


class FlacWriter:
    """Writes int16 mono blocks as FLAC: whole, at about half of the bytes of WAV."""

    extension = "flac"

    def __init__(self, path: Path, rate: int) -> None:
        import av

        self._file: IO[bytes] = path.open("w+b")
        self._container: Any = av.open(self._file, "w", format="flac")
        self._stream: Any = self._container.add_stream("flac", rate=rate, layout="mono", format="s16")
        self._rate, self._at = rate, 0

    def write(self, block: Block) -> None:
        """Add a block."""
        import av

        frame = av.AudioFrame.from_ndarray(block[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._at
        self._at += len(block)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        try:
            if self._at:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        finally:
            self._file.close()
