"""A long recording from end to end: split where nobody speaks, heard side by side, put together again.

What is said are tones, each in its place; the backend's ear tells their pitch, so that a tone that is lost, cut in two
or out of order shows in the text.
"""

import io
import re
from dataclasses import replace

import numpy as np
import pytest

from codex_nb import errors
from codex_nb.audio import samples
from codex_nb.client.resources._routes import ROUTES
from codex_nb.local import Fault, LocalBackend, Script
from codex_nb.local.engines.scripted import ScriptedEngine
from tests.client.both import each, got, tell
from tests.client.test_transcriptions import DICTATION, transcribe
from tests.sounds import wav

RATE = 8000
# Hz of the tones: one begins every four seconds, and lasts for three.
TONES = range(300, 1500, 100)
EVERY, LASTS = 4, 3
SECONDS = len(TONES) * EVERY
TEXT = " ".join(map(str, TONES))


class Tuner(ScriptedEngine):
    """An ear that tells the pitch of each tone."""

    async def hear(self, hearing):
        """Return the tones, in Hz."""
        sound = np.frombuffer(b"".join(samples(io.BytesIO(hearing.content), RATE)), "<i2").astype(float)
        blocks = sound[: len(sound) // 800 * 800].reshape(-1, 800)
        loud = np.flatnonzero(np.diff(np.concatenate([[0], np.abs(blocks).max(axis=1) > 1000, [0]]).astype(int)))
        text = " ".join(str(self._pitch(blocks[begin:end].ravel())) for begin, end in loud.reshape(-1, 2))
        if hearing.tell:
            hearing.tell(text)
        return text

    def _pitch(self, tone):
        return round(np.argmax(np.abs(np.fft.rfft(tone))) * RATE / len(tone) / 100) * 100


@pytest.fixture
def backend():
    """A backend that hears tones."""
    with LocalBackend(Tuner(Script())) as backend:
        yield backend


@pytest.fixture(scope="module")
def recording():
    """48 seconds of tones with pauses between them."""
    at = np.arange(EVERY * RATE) / RATE
    tones = [np.where(at < LASTS, np.sin(2 * np.pi * tone * at), 0) for tone in TONES]
    return wav((np.concatenate(tones) * 9000).astype(np.int16), RATE)


@pytest.fixture(params=["codex", "platform", "realtime", "local"])
def route(request, monkeypatch, backend):
    """Each route, with a limit of its own that is a little lower than the service's."""
    monkeypatch.setitem(ROUTES, request.param, replace(ROUTES[request.param], longest=10.0))
    monkeypatch.setenv("CODEX_NB_ENGINE", f"{backend.url}/v1")
    monkeypatch.setenv("CODEX_NB_ENGINE_KEY", "a-key-of-its-own")
    return request.param


def file_names(backend):
    """Return the names that pieces went up under."""
    found = [re.search(rb'filename="([^"]+)"', request.content) for request in backend.requests]
    return [each[1].decode() for each in found if each]


def test_it_is_put_together_in_order(face, backend, recording, route):
    """By every route: nothing lost, nothing twice, and times that count from its beginning."""
    found = transcribe(face, backend, ("talk.wav", recording), route=route)
    assert found.text == TEXT
    assert found.duration == pytest.approx(SECONDS)
    assert len(found.segments) == len(backend.requests) > 4
    assert [segment.end for segment in found.segments[:-1]] == [segment.start for segment in found.segments[1:]]
    for segment in found.segments:
        for tone in map(int, segment.text.split()):
            begins = TONES.index(tone) * EVERY
            assert segment.start <= begins < begins + LASTS <= segment.end


def test_captions_have_the_times_of_pieces(face, backend, recording, monkeypatch):
    """Each piece is a caption, from its own offset."""
    monkeypatch.setitem(ROUTES, "codex", replace(ROUTES["codex"], longest=10.0))
    srt = transcribe(face, backend, recording, response_format="srt")
    vtt = transcribe(face, backend, recording, response_format="vtt")
    captions = [block.split("\n") for block in srt.strip().split("\n\n")]
    assert [number for number, *_ in captions] == [str(number) for number in range(1, len(captions) + 1)]
    assert " ".join(text for *_, text in captions) == TEXT
    assert captions[0][1].startswith("00:00:00,000 --> 00:00:0")
    assert captions[-1][1].endswith(f"00:00:{SECONDS},000")
    assert vtt.startswith("WEBVTT\n\n")
    assert [times.replace(",", ".") for _, times, _ in captions] == re.findall(r".* --> .*", vtt)


def test_a_piece_that_fails_is_sent_again_alone(face, backend, recording, monkeypatch):
    """The others are sent once."""
    monkeypatch.setitem(ROUTES, "codex", replace(ROUTES["codex"], longest=10.0))
    backend.inject(Fault.server_error(path=DICTATION, skip=2))
    assert transcribe(face, backend, ("talk.wav", recording), concurrency=3).text == TEXT
    *first, again = file_names(backend)
    assert sorted(first) == [f"talk-{number:03}.flac" for number in range(1, len(first) + 1)]
    assert again in first


def test_a_piece_that_stays_broken(face, backend, recording, monkeypatch):
    """The error names the recording, and all that was heard of the others is kept."""
    monkeypatch.setitem(ROUTES, "codex", replace(ROUTES["codex"], longest=10.0))
    whole = transcribe(face, backend, recording)
    pieces = len(backend.requests)
    backend.inject(
        Fault.server_error(path=DICTATION, skip=1),  # the second piece, and the same one again at the end
        Fault.server_error(path=DICTATION, skip=pieces - 1),
    )
    with pytest.raises(errors.InternalServerError, match=r"talk\.wav, route codex: ") as caught:
        transcribe(face, backend, ("talk.wav", recording), concurrency=1)
    lost = whole.segments[1].text
    assert caught.value.partial == TEXT.replace(f"{lost} ", "")
    assert len(backend.requests) == 2 * pieces + 1


def test_the_text_grows_in_order_although_pieces_are_heard_side_by_side(face, backend, recording, monkeypatch):
    """And a piece whose socket breaks is heard again, without a word shown twice."""
    monkeypatch.setitem(ROUTES, "realtime", replace(ROUTES["realtime"], longest=10.0))
    backend.inject(Fault.cut_after(5, path="/v1/realtime", method="GET", skip=1))

    async def story(session):
        stream = await got(session.audio.transcriptions.create(file=recording, route="realtime", stream=True))
        return [event async for event in each(stream)]

    *deltas, done = tell(face, backend, story)
    assert "".join(event.delta for event in deltas) == done.text == TEXT
    assert deltas  # how many depends on which piece is heard first
