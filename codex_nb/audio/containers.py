"""The containers of sound: what each is called, and whether the service takes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = [
    "AAC",
    "AIFC",
    "AIFF",
    "AMR",
    "ASF",
    "AU",
    "AVI",
    "CAF",
    "FLAC",
    "FLV",
    "MATROSKA",
    "MONKEYS",
    "MP3",
    "MP4",
    "MPEG_PS",
    "MPEG_TS",
    "OGG",
    "QUICKTIME",
    "SILK",
    "TENCENT_SILK",
    "THREE_GP",
    "UNKNOWN",
    "WAV",
    "WAVPACK",
    "WEBM",
    "Container",
]


@dataclass(frozen=True, slots=True)
class Container:
    """A container. ``name`` is what people call it, ``extension`` has no dot.

    ``video``: its first bytes say that it holds pictures. ``taken``: the service takes it as it is; whether what is in
    it is taken too, only a closer look tells. ``demuxer`` is FFmpeg's name for what reads it.
    """

    name: str
    mime_type: str
    extension: str
    video: bool = False
    taken: bool = False
    demuxer: str = ""
    also: tuple[str, ...] = ()  # other extensions and types that are right for it

    @property
    def known(self) -> bool:
        """Whether this is a container of sound."""
        return bool(self.extension)


WAV: Final = Container("WAV", "audio/wav", "wav", taken=True, demuxer="wav", also=("wave", "audio/x-wav", "audio/wave"))
MP3: Final = Container("MP3", "audio/mpeg", "mp3", taken=True, demuxer="mp3", also=("mpga", "mpeg", "audio/mp3"))
MP4: Final = Container("MP4", "audio/mp4", "m4a", taken=True, demuxer="mov", also=("mp4", "audio/m4a", "audio/x-m4a"))
FLAC: Final = Container("FLAC", "audio/flac", "flac", taken=True, demuxer="flac", also=("audio/x-flac",))
OGG: Final = Container("Ogg", "audio/ogg", "ogg", taken=True, demuxer="ogg", also=("oga", "opus", "audio/opus"))
WEBM: Final = Container("WebM", "audio/webm", "webm", taken=True, demuxer="matroska", also=("weba",))
MATROSKA: Final = Container("Matroska", "audio/x-matroska", "mka", demuxer="matroska", also=("mkv",))
QUICKTIME: Final = Container("QuickTime", "video/quicktime", "mov", demuxer="mov", also=("qt",))
THREE_GP: Final = Container("3GP", "audio/3gpp", "3gp", demuxer="mov", also=("3g2",))
AAC: Final = Container("AAC (ADTS)", "audio/aac", "aac", demuxer="aac", also=("adts", "audio/aacp", "audio/x-aac"))
AIFF: Final = Container("AIFF", "audio/aiff", "aiff", demuxer="aiff", also=("aif", "audio/x-aiff"))
AIFC: Final = Container("AIFF-C", "audio/aiff", "aifc", demuxer="aiff", also=("aif", "aiff", "audio/x-aiff"))
CAF: Final = Container("CAF", "audio/x-caf", "caf", demuxer="caf", also=("audio/caf",))
AMR: Final = Container("AMR", "audio/amr", "amr", demuxer="amr", also=("3ga",))
SILK: Final = Container("SILK v3", "audio/silk", "silk", also=("slk", "audio/x-silk"))
TENCENT_SILK: Final = replace(SILK, name="SILK v3 (Tencent)")
ASF: Final = Container("WMA (ASF)", "audio/x-ms-wma", "wma", demuxer="asf", also=("asf", "wmv"))
AVI: Final = Container("AVI", "video/x-msvideo", "avi", video=True, demuxer="avi", also=("video/avi",))
FLV: Final = Container("FLV", "video/x-flv", "flv", video=True, demuxer="flv")
MPEG_PS: Final = Container("MPEG video", "video/mpeg", "mpg", video=True, demuxer="mpeg", also=("mpeg", "vob"))
MPEG_TS: Final = Container("MPEG transport stream", "video/mp2t", "ts", video=True, demuxer="mpegts", also=("mts",))
AU: Final = Container("AU", "audio/basic", "au", demuxer="au", also=("snd",))
WAVPACK: Final = Container("WavPack", "audio/x-wavpack", "wv", demuxer="wv")
MONKEYS: Final = Container("Monkey's Audio", "audio/x-ape", "ape", demuxer="ape")

UNKNOWN: Final = Container("unknown", "application/octet-stream", "")
