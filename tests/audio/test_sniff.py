"""What the bytes of a file say, and the name and type that follow from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.audio import Container, sniff
from codex_nb.audio.containers import AAC, FLAC, MP3, MP4, OGG, SILK, TENCENT_SILK, WAV, WEBM
from codex_nb.audio.filename import repaired

MAGIC = [
    b"RIFF....WAVE",
    b"RIFF....AVI ",
    b"FORM....AIFC",
    b"ID3\x04\0\0",
    b"\xff\xfb",
    b"\xff\xf1",
    b"....ftypM4A ",
    b"OggS",
]


@given(st.one_of(st.binary(max_size=600), st.builds(bytes.__add__, st.sampled_from(MAGIC), st.binary(max_size=600))))
def test_any_bytes_have_an_answer(head):
    """Nothing makes it fail; what is no sound has no extension."""
    found = sniff(head)
    assert isinstance(found, Container)
    assert found.known == bool(found.extension)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", WAV),
        (b"ID3\x04\0\0\0\0\0\x02\0\0\xff\xfb\x90\x64" + bytes(40), MP3),
        (b"ID3\x04\0\0\0\0\0\0\xff\xf1\x50\x80", AAC),
        (b"ID3\x04\0\0\0\0\0\0fLaC", FLAC),
        (b"\xff\xfb\x90\x64", MP3),
        (b"\xff\xf1\x50\x80", AAC),
        (b"\xff\xf9\x50\x80", AAC),
        (b"OggS\0\x02", OGG),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", WEBM),
        (b"\0\0\0\x20ftypM4A ", MP4),
        (b"#!SILK_V3", SILK),
        (b"\x02#!SILK_V3", TENCENT_SILK),
    ],
)
def test_bytes_tell_the_container(head, found):
    """By what stands at the beginning, also behind an ID3 tag."""
    assert sniff(head) == found


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"%PDF-1.7", "a PDF document"), (b"<!doctype html><html>", "a web page"), (b"hello", "text"), (b"", "unknown")],
)
def test_what_is_no_sound_is_named(head, name):
    """So that its owner sees which file was taken by mistake."""
    assert sniff(head).name == name
    assert not sniff(head).known


def test_pictures_are_seen():
    """A film is told from a sound in the same container."""
    assert sniff(b"\0\0\0\x20ftypisom" + bytes(30) + b"hdlr" + bytes(8) + b"vide").video
    assert not sniff(b"\0\0\0\x20ftypisom" + bytes(30) + b"hdlr" + bytes(8) + b"soun").video


@pytest.mark.parametrize(
    ("name", "claimed", "container", "right"),
    [
        ("talk.wav", "audio/x-wav", WAV, ("talk.wav", "audio/wav")),
        ("talk.WAV", "AUDIO/WAV; rate=8000", WAV, ("talk.WAV", "audio/wav")),
        ("talk.mp3", "audio/mpeg", WAV, ("talk.wav", "audio/wav")),
        ("talk", None, MP3, ("talk.mp3", "audio/mpeg")),
        ("talk.mpga", "application/octet-stream", MP3, ("talk.mpga", "audio/mpeg")),
        ("talk v1.2", None, MP3, ("talk v1.2.mp3", "audio/mpeg")),
        ("blob.bin", "binary/octet-stream", WEBM, ("blob.webm", "audio/webm")),
        ('C:\\voice\\"a".m4a', "audio/x-m4a", MP4, ("a.m4a", "audio/mp4")),
        ("film.mp4", "video/mp4", MP4, ("film.mp4", "video/mp4")),
        ("", "", FLAC, ("audio.flac", "audio/flac")),
        ("../.ogg", None, OGG, ("audio.ogg", "audio/ogg")),
        ("日本.tmp", None, OGG, ("日本.ogg", "audio/ogg")),
    ],
)
def test_names_and_types_are_repaired(name, claimed, container, right):
    """The bytes have the last word; what fits them stays."""
    assert repaired(name, claimed, container) == right
