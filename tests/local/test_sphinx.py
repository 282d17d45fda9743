"""Real ears on the embedded backend."""

import wave
from importlib.resources import files
from importlib.util import find_spec

import pytest

from codex_nb.local import LocalBackend
from tests.local.test_speech import CHATGPT, OPENAI, REFUSED, send, sound
from tests.requirements_gate import require

pytest.importorskip("pocketsphinx")


@pytest.fixture(scope="module")
def backend():
    """Return a backend that hears."""
    with LocalBackend("sphinx") as one:
        yield one


def test_silence_is_an_empty_text(raw, backend):
    """On either endpoint, as in the world."""
    assert send(raw, backend, CHATGPT).json() == {"text": ""}
    assert send(raw, backend, OPENAI, model="whisper-1").json()["text"] == ""


@pytest.mark.parametrize("content", [b"RIFF\0\0\0\0WAVEfmt ", sound(0), b"fLaC" + bytes(40), b"ID3\x04" + bytes(40)])
def test_what_cannot_be_decoded_is_refused(raw, backend, content):
    """It begins as a container that is taken, and holds no sound."""
    assert send(raw, backend, CHATGPT, content).status_code == 500
    assert send(raw, backend, OPENAI, content, model="whisper-1").status_code == 400


def test_containers_are_refused_before_they_are_heard(raw, backend):
    """As with any engine."""
    assert send(raw, backend, CHATGPT, REFUSED["aiff"]).status_code == 500


def test_human_speech_is_heard(raw, backend, tmp_path):
    """Four seconds of a person; PocketSphinx understands some of it."""
    require(
        "speech", None if find_spec("moonshine_voice") else "no recordings: package moonshine-voice (group browser)"
    )
    with wave.open(str(files("moonshine_voice") / "assets" / "beckett.wav")) as source:
        frames = source.readframes(4 * source.getframerate())
        path = tmp_path / "speech.wav"
        with wave.open(str(path), "wb") as target:
            target.setparams(source.getparams())
            target.writeframes(frames)
    said = send(raw, backend, CHATGPT, path.read_bytes()).json()["text"].split()
    assert {"ever", "try"} & set(said)
