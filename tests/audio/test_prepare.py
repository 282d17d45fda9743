"""Sources of every kind, long recordings in pieces, and what cannot be used."""

import io
import stat
import sys
import types
import wave
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_nb.audio import Limits, prepare, samples, transcode
from codex_nb.audio.pcm import PcmFormat
from codex_nb.errors import AudioError, InvalidOption
from tests.sounds import RATE, every_container, silk, speech, wav

SOUND = speech()
FILES = every_container(SOUND)
QUIET = every_container(SOUND[:RATE] * 0)


def heard(clip):
    """Return the samples of a clip, at its own rate when it is WAV."""
    return np.frombuffer(b"".join(samples(b"".join(clip.chunks()), RATE, silent_ok=True)), "<i2")


@pytest.fixture
def without_pyav(monkeypatch):
    """Let PyAV be missing."""
    monkeypatch.setattr(transcode, "available", lambda: False)


def test_sources_of_every_kind(tmp_path):
    """A path, its text, bytes, an open file, and a recording that names its path."""
    path = tmp_path / "talk.wav"
    path.write_bytes(FILES["wav"])
    with path.open("rb") as file:
        sources = [path, str(path), FILES["wav"], bytearray(FILES["wav"]), file, types.SimpleNamespace(path=path)]
        for source in sources:
            (clip,) = prepare(source)
            assert b"".join(clip.chunks()) == FILES["wav"]
            assert clip.name == ("audio.wav" if isinstance(source, (bytes, bytearray)) else "talk.wav")
        assert not file.closed


@pytest.mark.parametrize(
    "array",
    [
        SOUND,
        SOUND.astype(np.float32) / 32768,
        SOUND.astype(np.int32) << 16,
        np.stack([SOUND, SOUND], axis=1),
        np.stack([SOUND, SOUND]).astype(np.float64) / 32768,
    ],
    ids=["int16", "float32", "int32", "stereo", "stereo, channels first"],
)
def test_arrays_keep_their_samples(array):
    """Floats and whole numbers, mono and stereo: the same sound."""
    (clip,) = prepare(array, rate=RATE)
    assert clip.duration == len(SOUND) / RATE
    assert np.abs(heard(clip).astype(int) - SOUND).max() <= 1


def test_an_array_needs_its_rate():
    """Without it nobody knows how long it is."""
    with pytest.raises(InvalidOption, match="rate"):
        prepare(SOUND)


@pytest.mark.parametrize("sample", ["u8", "s16le", "s16be", "s24le", "s24be", "s32le", "f32le", "f64be"])
def test_bare_samples_by_their_declared_format(sample):
    """Every sample format comes back as the same sound, as exact as its bits."""
    wide = SOUND.astype(np.int64)
    data = {
        "u8": lambda: ((wide >> 8) + 128).astype("u1").tobytes(),
        "s24le": (wide << 16).astype("<i4").view("u1").reshape(-1, 4)[:, 1:].tobytes,
        "s24be": (wide << 16).astype(">i4").view("u1").reshape(-1, 4)[:, :3].tobytes,
        "s32le": lambda: (wide << 16).astype("<i4").tobytes(),
        "f32le": lambda: (wide / 32768).astype("<f4").tobytes(),
        "f64be": lambda: (wide / 32768).astype(">f8").tobytes(),
    }.get(sample, lambda: wide.astype(">i2" if sample.endswith("be") else "<i2").tobytes())()
    (clip,) = prepare(data, pcm=f"16000:1:{sample}")
    assert np.abs(heard(clip).astype(int) - SOUND).max() <= (256 if sample == "u8" else 1)


@pytest.mark.parametrize("text", ["", "fast", "16000:0:s16le", "16000:1:s17", "1:1:s16le", "16000:1:s16le:x", "٣٣٣٣"])
def test_formats_that_are_none(text):
    """Said with the way to write one."""
    with pytest.raises(InvalidOption, match=r"16000:1:s16le|RATE"):
        PcmFormat.parsed(text)


def test_long_sound_is_cut_in_its_pauses():
    """No sample is lost or said twice, and offsets are where the pieces begin."""
    pauses = (9.3, 17.6, 26.9)
    long = speech(30.0, pauses=pauses)
    clips = prepare(wav(long), filename="talk.wav", limits=Limits(seconds=10.0))
    assert np.array_equal(np.concatenate([heard(clip) for clip in clips]), long)
    assert all(clip.duration <= 10.0 for clip in clips)
    assert [clip.start for clip in clips[1:]] == pytest.approx(pauses, abs=0.2)
    assert clips[0].start == 0.0
    for before, after in pairwise(clips):
        assert after.start == pytest.approx(before.start + before.duration)
    assert [clip.name for clip in clips] == [f"talk-00{number}.flac" for number in range(1, 5)]


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("pyav", [True, False])
def test_pieces_stay_under_the_bytes_of_a_route(noise, pyav, monkeypatch):
    """Also noise, which FLAC cannot make smaller."""
    monkeypatch.setattr(transcode, "available", lambda: pyav)
    rng = np.random.default_rng(5)
    sound = rng.integers(-32768, 32767, RATE * 20, dtype=np.int16) if noise else speech(20.0)
    clips = prepare(wav(sound), limits=Limits(size=200_000))
    assert len(clips) > 3
    assert max(clip.size for clip in clips) <= 200_000
    monkeypatch.undo()
    assert np.array_equal(np.concatenate([heard(clip) for clip in clips]), sound)


def test_temporary_files_go_with_their_clips():
    """And are nobody else's to read."""
    (clip,) = prepare(FILES["aiff"])
    path = clip.kept.path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    clip.close()
    assert not path.exists()


@pytest.mark.parametrize("name", ["wav", "flac", "mp3", "ogg-opus", "m4a", "webm"])
def test_without_pyav_what_the_service_takes_goes_as_it_is(name, without_pyav):
    """Only a closer look needs it."""
    (clip,) = prepare(FILES[name], filename=f"talk.{name}")
    assert b"".join(clip.chunks()) == FILES[name]


@pytest.mark.parametrize("name", ["aac", "aiff", "caf", "amr", "wma", "mp4-video", "wav-adpcm"])
def test_without_pyav_the_rest_names_the_extra(name, without_pyav):
    """So that the user can install it."""
    with pytest.raises(AudioError, match=r"codex-nb\[audio\]") as caught:
        prepare(FILES[name], filename="talk")
    assert caught.value.container
    assert caught.value.source == "talk"


def test_without_the_silk_package_its_extra_is_named(monkeypatch):
    """The same for voice messages."""
    monkeypatch.setitem(sys.modules, "pysilk", None)
    with pytest.raises(AudioError, match=r"codex-nb\[silk\]"):
        prepare(FILES["silk"])


@pytest.mark.parametrize("how", ["option", "environment", "path"])
def test_a_named_silk_decoder_is_used(how, tmp_path, monkeypatch):
    """By the option, by the environment, or as rust-silk on the PATH."""
    program = tmp_path / "rust-silk"
    (tmp_path / "made.wav").write_bytes(wav(speech(1.0, 16_000)))
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\ncp {tmp_path}/made.wav "$5"\n')
    program.chmod(0o755)
    if how == "environment":
        monkeypatch.setenv("CODEX_ASR_SILK_DECODER", str(program))
    if how == "path":
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (clip,) = prepare(FILES["silk"], silk_decoder=str(program) if how == "option" else None, silk_rate=16_000)
    assert clip.duration == 1.0
    said = (tmp_path / "said").read_text().split()
    assert (said[0], said[5:]) == ("decode", ["--sample-rate", "16000", "--quiet"])


def test_a_silk_decoder_that_is_missing_or_fails():
    """The first is a wrong option, the second tells what the program said."""
    with pytest.raises(InvalidOption, match="does not exist"):
        prepare(FILES["silk"], silk_decoder="/nowhere/rust-silk")
    with pytest.raises(AudioError, match="ended with 1"):
        prepare(FILES["silk"], silk_decoder="false")


def test_silk_can_stay_as_it_is():
    """For a server that takes it."""
    (clip,) = prepare(FILES["silk-tencent"], silk_decode=False)
    assert (clip.name, clip.content_type) == ("audio.silk", "audio/silk")


@pytest.mark.parametrize("name", ["wav", "flac", "aiff", "m4a", "silk", "silk-tencent"])
def test_cut_short_is_said_with_the_container(name):
    """Half of a file is not sent as if it were the whole."""
    with pytest.raises(AudioError) as caught:
        prepare(FILES[name][: len(FILES[name]) // 2], filename="talk")
    assert caught.value.container
    assert caught.value.hint


def test_what_is_there_can_be_taken():
    """When the caller says so."""
    (clip,) = prepare(FILES["wav"][: len(FILES["wav"]) // 2], cut_short_ok=True)
    assert clip.duration == pytest.approx(1.5, abs=0.01)


def test_a_header_that_its_writer_never_finished_is_repaired():
    """A recorder that was killed leaves a length of zero, or of all ones."""
    for size in (0, 0xFFFFFFFF):
        broken = bytearray(FILES["wav"])
        broken[40:44] = size.to_bytes(4, "little")
        (clip,) = prepare(bytes(broken))
        assert np.array_equal(heard(clip), SOUND)


@pytest.mark.parametrize("name", ["wav", "mp3", "flac", "ogg-opus", "m4a", "aiff", "silk", "amr", "mp4-video"])
def test_silence_is_refused_unless_wanted(name):
    """In whatever container it is."""
    quiet = QUIET[name]
    with pytest.raises(AudioError, match="silent"):
        prepare(quiet)
    assert prepare(quiet, silent_ok=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (wav(SOUND[:0]), "empty"), (b"%PDF-1.4 ...", "PDF"), (b"#EXTM3U\nfile:///etc/passwd\n", "text")],
)
def test_empty_and_foreign_input(content, said):
    """Each in its own words, with a way on."""
    with pytest.raises(AudioError, match=said) as caught:
        prepare(content)
    assert caught.value.hint


def test_paths_that_lead_nowhere(tmp_path):
    """A missing file, a folder, and a file that was opened as text."""
    for source in (tmp_path / "none.wav", tmp_path, io.StringIO("hello"), 5, "a\0b"):
        with pytest.raises(AudioError):
            prepare(source)


@settings(max_examples=80)
@given(st.sampled_from(sorted(FILES)), st.binary(max_size=300), st.integers(0, 3000), st.booleans())
def test_garbage_only_raises_audio_errors(name, garbage, at, cut):
    """Bytes overwritten or cut anywhere: a clip, or an error of ours."""
    content = FILES[name][:at] + garbage + (b"" if cut else FILES[name][at + len(garbage) :])
    try:
        clips = prepare(content, limits=Limits(seconds=2.0))
    except AudioError as error:
        assert error.hint  # noqa: PT017 - either is right
    else:
        assert clips


def test_samples_are_of_the_rate_that_was_asked_for():
    """What a socket wants: 16-bit mono."""
    for name in ("wav", "m4a", "silk"):
        assert sum(map(len, samples(FILES[name], 24_000))) / 48_000 == pytest.approx(3.0, abs=0.05)


def test_a_written_wav_is_read_by_the_standard_library(without_pyav):
    """Its header is whole."""
    (clip,) = prepare(SOUND, rate=RATE, filename="mine")
    with clip.open() as opened, wave.open(opened) as file:
        assert file.getparams()[:4] == (1, 2, RATE, len(SOUND))
    assert clip.name == "mine.wav"


def test_voice_messages_in_a_real_rate():
    """SILK at a rate of its own is refused when there is none such."""
    with pytest.raises(InvalidOption, match="12345"):
        prepare(silk(SOUND, tencent=True), silk_rate=12_345)
