"""Recordings on the embedded backend: what it takes, what it refuses, what it answers."""

import io
import json
import wave

import pytest

from codex_nb.local import LocalBackend, Script

CHATGPT, OPENAI = "/backend-api/transcribe", "/v1/audio/transcriptions"


def sound(seconds=1.5):
    """Return a WAV file of silence."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(round(16_000 * seconds)))
    return target.getvalue()


@pytest.fixture
def backend():
    """Return a backend that hears three things."""
    with LocalBackend(Script(transcripts=["Hello there.", "", None])) as one:
        yield one


def send(raw, backend, path, content=None, name="talk.wav", **fields):
    """Send a recording."""
    content = sound() if content is None else content
    return raw.http.post(backend.url + path, files={"file": (name, content, "audio/wav")}, data=fields)


def test_the_dictation_endpoint_plays_the_script(raw, backend):
    """Text, silence, and what cannot be decoded."""
    assert send(raw, backend, CHATGPT, language="en").json() == {"text": "Hello there."}
    assert send(raw, backend, CHATGPT).json() == {"text": ""}
    assert send(raw, backend, CHATGPT).status_code == 500
    assert "1.5 seconds of wav" in send(raw, backend, CHATGPT).json()["text"]


TAKEN = {
    "wav": sound(),
    "mp3 with tags": b"ID3\x04" + bytes(40),
    "mp3": b"\xff\xfb\x90\x64" + bytes(40),
    "m4a": b"\0\0\0\x20ftypM4A " + bytes(40),
    "flac": b"fLaC" + bytes(40),
    "ogg": b"OggS" + bytes(40),
    "webm": b"\x1a\x45\xdf\xa3" + bytes(40),
}
REFUSED = {
    "aac": b"\xff\xf1\x50\x80" + bytes(40),
    "aiff": b"FORM\0\0\0\x20AIFF" + bytes(40),
    "caf": b"caff" + bytes(40),
    "amr": b"#!AMR\n" + bytes(40),
    "silk": b"#!SILK_V3" + bytes(40),
    "silk of WeChat": b"\x02#!SILK_V3" + bytes(40),
    "raw samples": bytes(400),
    "nothing": b"",
}


@pytest.mark.parametrize("name", TAKEN)
def test_containers_that_the_service_takes(raw, backend, name):
    """The bytes decide, not the name."""
    assert send(raw, backend, CHATGPT, TAKEN[name], name="x.bin").status_code == 200
    assert send(raw, backend, OPENAI, TAKEN[name], model="whisper-1").status_code == 200


@pytest.mark.parametrize("name", REFUSED)
def test_containers_that_the_service_refuses(raw, backend, name):
    """The dictation endpoint fails as it does in the world, the public one says 400."""
    reply = send(raw, backend, CHATGPT, REFUSED[name])
    assert (reply.status_code, reply.json()) == (500, {"detail": "Error in ASR API"})
    reply = send(raw, backend, OPENAI, REFUSED[name], model="whisper-1")
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "file")


def test_formats_of_the_public_endpoint(raw, backend):
    """JSON with tokens, plain text, the long form with its length, and a stream."""
    answer = send(raw, backend, OPENAI, model="gpt-4o-mini-transcribe").json()
    assert answer["text"] == "Hello there."
    assert answer["usage"]["input_token_details"]["audio_tokens"] == 15
    assert send(raw, backend, OPENAI, model="whisper-1", response_format="text").text == "\n"
    backend.state.engine.transcripts.clear()
    long = send(raw, backend, OPENAI, model="whisper-1", response_format="verbose_json", language="pl").json()
    assert (long["duration"], long["language"], long["segments"][0]["end"]) == (1.5, "pl", 1.5)
    stream = send(raw, backend, OPENAI, model="gpt-4o-transcribe", stream="true").text.split("\n\n")
    assert stream[-2:] == ["data: [DONE]", ""]
    events = [json.loads(each.removeprefix("data: ")) for each in stream[:-2]]
    assert "".join(each["delta"] for each in events[:-1]) == events[-1]["text"]


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({}, 400, "model"),
        ({"model": "nonsense"}, 404, "model"),
        ({"model": "gpt-4o-transcribe", "response_format": "verbose_json"}, 400, "response_format"),
        ({"model": "whisper-1", "response_format": "srt"}, 400, "response_format"),
    ],
)
def test_the_public_endpoint_refuses_in_openais_words(raw, backend, fields, status, param):
    """Each refusal names the parameter."""
    reply = send(raw, backend, OPENAI, **fields)
    assert (reply.status_code, reply.json()["error"]["param"]) == (status, param)


def test_a_recording_above_the_limit_is_too_large(raw, backend):
    """More than 25 MiB is 413."""
    reply = send(raw, backend, OPENAI, sound() + bytes(26_214_400), model="whisper-1")
    assert reply.status_code == 413
    assert "26214400" in reply.json()["error"]["message"]
