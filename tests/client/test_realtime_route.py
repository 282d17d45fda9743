"""The route ``realtime``: what goes up on the socket, what comes down, and what is told when it breaks."""

import base64
import io
import json
import time
import wave

import numpy as np
import pytest

import codex_nb
from codex_nb import errors
from codex_nb.local import Fault, Script
from tests.client.both import each, got, inside, tell
from tests.client.rough_sockets import AGREED, DELTA, close, frame, rough_server
from tests.client.test_transcriptions import sound, transcribe
from tests.conftest import TOKEN
from tests.waiting import until

SOCKET = "/v1/realtime"


@pytest.fixture
def path(tmp_path):
    """Return a recording on the disk."""
    path = tmp_path / "talk.wav"
    path.write_bytes(sound(3, rate=24_000))
    return path


@pytest.fixture
def overheard(monkeypatch):
    """Return what the backend's sockets are told, as events."""
    from codex_nb.local.listening import _Listening

    events, take = [], _Listening.take

    def listening(self, message):
        events.append(json.loads(message))
        return take(self, message)

    monkeypatch.setattr(_Listening, "take", listening)
    return events


def test_samples_go_up_and_text_comes_down(face, make_backend, path, overheard):
    """The login opens the socket; the sound is agreed on, sent whole and bare, and committed once."""
    backend = make_backend(Script(transcripts=["Good morning to all of you."]))
    found = transcribe(face, backend, path, route="realtime", language="en", prompt="names: Ada")
    assert (found.text, found.route, found.duration) == ("Good morning to all of you.", "realtime", 3.0)
    assert found.raw["usage"]["type"] == "tokens"
    [request] = backend.requests
    assert (request.method, request.path, request.query) == ("GET", SOCKET, "intent=transcription")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert {"originator", "x-session-id"} <= set(request.headers)
    assert [event["type"].rpartition(".")[2] for event in overheard] == ["update", *["append"] * 3, "commit"]
    assert overheard[0]["session"]["audio"]["input"] == {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en", "prompt": "names: Ada"},
        "turn_detection": None,
    }
    with wave.open(str(path)) as file:
        whole = file.readframes(file.getnframes())
    assert b"".join(base64.b64decode(event["audio"]) for event in overheard[1:-1]) == whole
    assert until(lambda: backend.open_streams == 0)


def test_other_sound_is_made_fit(face, make_backend, overheard):
    """Another rate and two channels become 24 kHz mono; what is very short is filled up with silence."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes((np.sin(np.arange(2 * 2205)) * 9000).astype("<i2").tobytes())
    assert (
        transcribe(face, make_backend(Script(transcripts=["Yes."])), target.getvalue(), route="realtime").text == "Yes."
    )
    sent = b"".join(base64.b64decode(event["audio"]) for event in overheard if "audio" in event)
    assert len(sent) == 4800


def test_the_text_can_be_watched(face, make_backend, path):
    """Deltas, then the whole: typed events, in openai-python's form."""
    backend = make_backend(Script(transcripts=["Good morning to all of you."]))

    async def story(session):
        stream = await got(session.audio.transcriptions.create(file=path, route="realtime", stream=True))
        events = [event async for event in each(stream)]
        assert stream.text == stream.transcript.text == events[-1].text
        return events

    *deltas, done = tell(face, backend, story)
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert len(deltas) > 2
    assert "".join(event.delta for event in deltas) == done.text == "Good morning to all of you."
    assert (done.type, done.transcript.route) == ("transcript.text.done", "realtime")


def test_a_reader_may_leave(face, make_backend, path):
    """The socket closes with the stream, and what was seen by then stays."""
    backend = make_backend(Script(faults=[Fault.silence(60, after_events=6, path=SOCKET, method="GET")]))

    async def story(session):
        stream = await got(session.audio.transcriptions.create(file=path, route="realtime", stream=True))
        async with inside(stream):
            async for _delta in each(stream.text_deltas()):
                break
        return stream.text

    assert tell(face, backend, story) == "A scrip"
    assert until(lambda: backend.open_streams == 0)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (Fault.server_error(path=SOCKET, method="GET"), errors.InternalServerError, "HTTP 503"),
        (Fault.cloudflare(path=SOCKET, method="GET"), errors.CloudflareChallenge, "Cloudflare"),
        (Fault.reply(401, {"detail": "No"}, path=SOCKET, method="GET"), errors.SignInExpired, "HTTP 401"),
        (Fault.reply(404, {"detail": "No"}, path=SOCKET, method="GET"), errors.NotFoundError, "HTTP 404"),
        (Fault.reply(200, "<html>", path=SOCKET, method="GET"), errors.MalformedStream, "opens no socket"),
        (Fault.redirect("http://127.0.0.1:9/x", path=SOCKET, method="GET"), errors.APIStatusError, "redirects"),
        (Fault.drop(path=SOCKET, method="GET"), errors.APIConnectionError, "closed the connection"),
        (Fault.cut_after(2, path=SOCKET, method="GET"), errors.StreamInterrupted, "broke"),
        (Fault.cut_after(7, path=SOCKET, method="GET", how="reset"), errors.StreamInterrupted, "broke"),
        (
            Fault.cut_after(7, path=SOCKET, method="GET", how="clean"),
            errors.StreamInterrupted,
            r"closed the socket \(1000\)",
        ),
        (Fault.silence(30, after_events=7, path=SOCKET, method="GET"), errors.StreamInterrupted, "nothing for 1 s"),
    ],
)
def test_every_break_is_typed(face, make_backend, path, fault, kind, said):
    """It names the recording and the route; what was heard is kept."""
    backend = make_backend(Script(faults=[fault]))
    with pytest.raises(kind, match=said) as caught:
        face.run(
            backend, lambda one: one.audio.transcriptions.create(file=path, route="realtime"), timeout=1, max_retries=0
        )
    assert caught.value.message.startswith(f"{path}, route realtime: ")
    assert caught.value.hint
    assert TOKEN not in repr(vars(caught.value)) + str(caught.value)
    assert caught.value.partial == ("A scripted transcript" if fault.after_events == 7 else "")


@pytest.mark.parametrize(
    ("answer", "then", "kind", "said"),
    [
        (AGREED + DELTA, "fin", errors.StreamInterrupted, "connection broke"),
        (AGREED + DELTA, "reset", errors.StreamInterrupted, "broke"),
        (
            AGREED + DELTA + close(1011, f"Bearer {TOKEN} is no good\x1b[31m"),
            "fin",
            errors.StreamInterrupted,
            r"\(1011: ",
        ),
        (AGREED + DELTA + b"\xff\xff\xff\xff", "hang", errors.MalformedStream, "rules of sockets"),
        (AGREED + DELTA + frame("no json"), "hang", errors.MalformedStream, "no JSON"),
        (AGREED + DELTA + frame(b"\xff\xfe\xfd"), "hang", errors.MalformedStream, "no JSON"),
        (AGREED + DELTA + frame("x", length=2**40), "hang", errors.MalformedStream, "rules of sockets"),
        (
            AGREED + DELTA + frame({"type": "conversation.item.input_audio_transcription.completed", "transcript": 7}),
            "hang",
            errors.MalformedStream,
            "holds no transcript",
        ),
        (
            AGREED + DELTA + frame({"type": "error", "error": {"code": "insufficient_quota", "message": "Pay."}}),
            "hang",
            errors.UsageLimitReached,
            "no credit",
        ),
        (
            AGREED + DELTA + frame({"type": "error", "error": {"code": "x", "message": f"Bearer {TOKEN}"}}),
            "hang",
            errors.ResponseFailed,
            "hidden",
        ),
        (
            AGREED
            + DELTA
            + frame({"type": "conversation.item.input_audio_transcription.failed", "error": {"message": "Too noisy."}}),
            "hang",
            errors.AudioError,
            "Too noisy",
        ),
        (AGREED + DELTA, "deaf", errors.StreamInterrupted, "nothing for 1 s"),
    ],
)
def test_a_rough_server(face, path, answer, then, kind, said):
    """Whatever it does, the error is typed, holds what was heard, and no token."""
    with rough_server(answer, then=then) as server, pytest.raises(kind, match=said) as caught:
        face.run(
            server.url,
            lambda one: one.audio.transcriptions.create(file=path, route="realtime"),
            timeout=1,
            max_retries=0,
        )
    assert caught.value.partial == "Good mor" or then == "reset"  # which may overtake what was sent before it
    assert TOKEN not in repr(vars(caught.value)) + str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_server_that_cannot_shake_hands(face, path):
    """A wrong key in the answer is somebody else's socket."""
    with (
        rough_server(AGREED, accept="bm9uc2Vuc2U=") as server,
        pytest.raises(errors.MalformedStream, match="did it wrong"),
    ):
        transcribe(face, server.url, path, route="realtime")


def test_pings_are_answered_and_cut_messages_joined(face, path):
    """A message in three frames with a ping between them is one message."""
    text = json.dumps({"type": "conversation.item.input_audio_transcription.completed", "transcript": "Ähm — ja."})
    first, second, third = text[:9], text[9:80], text[80:]
    cut = frame(first, fin=False) + frame(b"here?", 9) + frame(second, 0, fin=False) + frame(third, 0)
    with rough_server(AGREED + frame("{}") + cut, then="hang") as server:
        assert transcribe(face, server.url, path, route="realtime").text == "Ähm — ja."


def test_without_websockets(face, make_backend, path, monkeypatch):
    """The extra is named, and nothing is sent."""
    monkeypatch.setitem(__import__("sys").modules, "websockets.client", None)
    backend = make_backend(Script())
    with pytest.raises(errors.CodexError, match="needs the package websockets") as caught:
        transcribe(face, backend, path, route="realtime")
    assert "codex-nb[realtime]" in caught.value.hint
    assert backend.requests == []


def test_a_call_is_in_the_ledger(make_backend, path):
    """With its endpoint, status and tokens."""
    began = time.time()
    with codex_nb.Session(make_backend(Script()).url, auth=codex_nb.Bearer(TOKEN)) as session:
        session.audio.transcriptions.create(file=path, route="realtime")
        session.ledger.flush()
        row = next(iter(session.ledger.calls(since=began)))
    assert (row.endpoint, row.status, row.outcome) == ("platform/realtime", 101, "completed")
    assert row.total_tokens == row.input_tokens + row.output_tokens > 0
