"""Which container a sound is in, by its bytes. Names and content types are only claims."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from codex_nb.audio.containers import (
    AAC,
    AIFC,
    AIFF,
    AMR,
    ASF,
    AU,
    AVI,
    CAF,
    FLAC,
    FLV,
    MATROSKA,
    MONKEYS,
    MP3,
    MP4,
    MPEG_PS,
    MPEG_TS,
    OGG,
    QUICKTIME,
    SILK,
    TENCENT_SILK,
    THREE_GP,
    UNKNOWN,
    WAV,
    WAVPACK,
    WEBM,
    Container,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HEAD", "sniff"]

# How many bytes tell a container, and nearly always what is in it.
HEAD: Final = 64 * 1024


_ASF_HEADER: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PICTURES: Final = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_SYNC: Final = 0xFF


def sniff(head: bytes) -> Container:
    """Return the container that a file with these first bytes is in.

    Give it up to ``HEAD`` (65 536) bytes, fewer tell less. For what is no sound it returns one whose ``known`` is false
    and whose ``name`` says what it looks like ("a PDF document", "unknown"). Never raises.
    """
    head = bytes(head[:HEAD])
    for offset, magic, found in _MAGIC:
        if head.startswith(magic, offset):
            return found if isinstance(found, Container) else found(head)
    return _frames(head) or _transport(head) or _foreign(head)


def _riff(head: bytes) -> Container:
    return {b"WAVE": WAV, b"AVI ": AVI}.get(head[8:12]) or replace(UNKNOWN, name="a RIFF file without sound")


def _form(head: bytes) -> Container:
    return {b"AIFF": AIFF, b"AIFC": AIFC}.get(head[8:12]) or replace(UNKNOWN, name="an IFF file without sound")


def _boxes(head: bytes) -> Container:
    """Tell the relatives of MP4 apart by their brand."""
    brand = head[8:12]
    if brand in {b"avif", b"heic", b"heix", b"mif1"}:
        return replace(UNKNOWN, name="a picture")
    found = THREE_GP if brand[:2] == b"3g" else QUICKTIME if brand == b"qt  " else MP4
    return _with_pictures(found, re.search(rb"hdlr.{8}vide", head, re.DOTALL) is not None)


def _ebml(head: bytes) -> Container:
    return _with_pictures(WEBM if b"webm" in head[:64] else MATROSKA, re.search(rb"V_[A-Z]", head) is not None)


def _asf(head: bytes) -> Container:
    return _with_pictures(ASF, _ASF_PICTURES in head)


def _ogg(head: bytes) -> Container:
    return _with_pictures(OGG, b"\x80theora" in head[:512])


def _with_pictures(found: Container, video: bool) -> Container:  # noqa: FBT001 - its one meaning
    return replace(found, video=True, mime_type=found.mime_type.replace("audio/", "video/")) if video else found


def _tagged(head: bytes) -> Container:
    """Look behind an ID3 tag: it may stand before other frames than MP3's."""
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
    behind = head[10 + size :].lstrip(b"\0")
    if behind.startswith(b"fLaC"):
        return FLAC
    return _frames(behind) or MP3


def _frames(head: bytes) -> Container | None:
    """Tell MPEG audio frames from ADTS ones: both begin with eleven ones, layer 0 is ADTS."""
    if len(head) < 4 or head[0] != _SYNC or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return AAC
    reserved = head[1] & 0x18 == 0x08 or head[1] & 0x06 == 0 or head[2] & 0xF0 == 0xF0 or head[2] & 0x0C == 0x0C
    return None if reserved else MP3


def _transport(head: bytes) -> Container | None:
    packets = (head[at : at + 1] == b"G" for at in (0, 188, 376))
    return MPEG_TS if len(head) > 376 and all(packets) else None


def _foreign(head: bytes) -> Container:
    """Name what is no sound, so that its owner sees which file was taken by mistake."""
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return replace(UNKNOWN, name=name)
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<":
        return replace(UNKNOWN, name="a web page" if b"<html" in start.lower() else "an XML document")
    if start and not re.search(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]", start):
        return replace(UNKNOWN, name="text")
    return UNKNOWN


_MAGIC: Final[tuple[tuple[int, bytes, Container | Callable[[bytes], Container]], ...]] = (
    (0, b"RIFF", _riff),
    (0, b"RF64", _riff),
    (0, b"FORM", _form),
    (0, b"ID3", _tagged),
    (0, b"fLaC", FLAC),
    (0, b"OggS", _ogg),
    (0, b"\x1a\x45\xdf\xa3", _ebml),
    (4, b"ftyp", _boxes),
    (4, b"moov", _boxes),
    (4, b"wide", QUICKTIME),
    (0, b"caff", CAF),
    (0, b"#!AMR", AMR),
    (0, b"#!SILK_V3", SILK),
    (0, b"\x02#!SILK_V3", TENCENT_SILK),
    (0, _ASF_HEADER, _asf),
    (0, b"FLV\x01", FLV),
    (0, b"\x00\x00\x01\xba", MPEG_PS),
    (0, b".snd", AU),
    (0, b"wvpk", WAVPACK),
    (0, b"MAC ", MONKEYS),
)
_OTHERS: Final = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"MThd", "a MIDI file: notes, not sound"),
    (b"\x7fELF", "a program"),
)
