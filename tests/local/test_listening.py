"""The realtime transcription socket of the embedded backend, spoken to by a foreign client."""

import base64
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from codex_nb.local import Fault, LocalBackend, Script
from tests.requirements_gate import require

SOCKET = "/v1/realtime"
RECORDED = [json.loads(line) for line in Path("tests/fixtures/realtime_transcription.jsonl").read_text().splitlines()]
SENT = [row["event"] for row in RECORDED if row["dir"] == "out"]
HEARD = "conversation.item.input_audio_transcription"


def dial(backend, query="intent=transcription", **options):
    """Open a socket."""
    headers = {"authorization": "Bearer made-up-bearer-0123456789"}
    address = f"{backend.url.replace('http', 'ws')}{SOCKET}?{query}"
    return connect(address, additional_headers=options.pop("headers", headers), proxy=None, **options)


def said(socket, until):
    """Return the events up to the first of a kind."""
    events = []
    while not events or events[-1]["type"] != until:
        events.append(json.loads(socket.recv(timeout=20)))
    return events


def sent(socket, *events):
    """Send events."""
    for event in events:
        socket.send(json.dumps(event))


def appended(sound):
    """Return the event that adds sound."""
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(sound).decode()}


def shape(event):
    """Return the names of an event's fields, all levels down."""
    if not isinstance(event, dict):
        return None
    return {name: shape(value) for name, value in event.items()}


def test_it_answers_as_the_service_was_recorded_to(make_backend):
    """Each event that the service was seen to send comes in its order, with the same fields."""
    with dial(make_backend(Script(transcripts=["Hello there"]))) as socket:
        found = said(socket, "session.created")
        sent(socket, SENT[0])
        found += said(socket, "session.updated")
        loud = appended(b"\x00\x10" * 12_000)
        sent(socket, loud, SENT[2])
        found += said(socket, f"{HEARD}.completed")
        sent(socket, SENT[2])
        found += said(socket, "error")
    expected = [row["event"] for row in RECORDED if row["dir"] == "in"]
    kinds = [event["type"] for event in found]
    assert list(dict.fromkeys(kinds)) == list(dict.fromkeys(event["type"] for event in expected))
    by_kind = {event["type"]: event for event in found}
    for event in expected:
        ours, theirs = shape(by_kind[event["type"]]), shape(event)
        for name in ("session", "usage"):  # the recorder left out some fields of the second session
            ours.pop(name, None), theirs.pop(name, None)
        assert ours == theirs
    assert by_kind["session.updated"]["session"]["audio"]["input"]["turn_detection"] is None
    assert "".join(event["delta"] for event in found if event["type"] == f"{HEARD}.delta") == "Hello there"
    assert by_kind[f"{HEARD}.completed"]["transcript"] == "Hello there"
    assert by_kind["error"]["error"]["code"] == "input_audio_buffer_commit_empty"
    assert [event["event_id"] for event in found] == [f"event_{number}" for number in range(1, len(found) + 1)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("no json", "invalid_json"),
        ({"type": "response.create"}, "invalid_value"),
        ({"type": "input_audio_buffer.append", "audio": "§"}, "invalid_value"),
        ({"type": "input_audio_buffer.append"}, "invalid_value"),
        ({"type": "session.update", "session": {"type": "realtime"}}, "invalid_value"),
        ({"type": "session.update", "session": {"type": "transcription", "voice": "alloy"}}, "unknown_parameter"),
        (
            {"type": "session.update", "session": {"type": "transcription", "audio": {"input": {"format": "pcm"}}}},
            "unsupported_value",
        ),
        (
            {
                "type": "session.update",
                "session": {"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-2"}}}},
            },
            "model_not_found",
        ),
    ],
)
def test_what_it_does_not_understand_is_an_error_event(make_backend, asked, code):
    """And the socket stays open."""
    with dial(make_backend(Script())) as socket:
        said(socket, "session.created")
        socket.send(asked if isinstance(asked, str) else json.dumps(asked))
        assert said(socket, "error")[-1]["error"]["code"] == code
        sent(socket, {"type": "input_audio_buffer.clear"})
        said(socket, "input_audio_buffer.cleared")


def test_who_may_open_it(make_backend):
    """A login is needed, the right intent, and a backend that hears; each refusal is an HTTP status."""
    backend = make_backend(Script())
    for options, status in [({"headers": {}}, 401), ({"query": "model=gpt-realtime"}, 400)]:
        with pytest.raises(InvalidStatus) as caught:
            dial(backend, **options)
        assert caught.value.response.status_code == status
    assert [(request.method, request.path) for request in backend.requests] == [("GET", SOCKET)] * 2


def test_faults_strike_sockets(make_backend):
    """The handshake is refused, or the socket ends after some messages: in form, or not."""
    backend = make_backend(
        Script(
            faults=[
                Fault.server_error(path=SOCKET, method="GET"),
                Fault.cut_after(1, path=SOCKET, method="GET", how="clean"),
                Fault.cut_after(1, path=SOCKET, method="GET", how="reset"),
            ]
        )
    )
    with pytest.raises(InvalidStatus) as caught:
        dial(backend)
    assert caught.value.response.status_code == 503
    for code in (1000, 1006):
        with dial(backend) as socket:
            said(socket, "session.created")
            with pytest.raises(ConnectionClosed) as ended:
                socket.recv(timeout=20)
            assert (ended.value.rcvd.code if ended.value.rcvd else 1006) == code


def test_a_recording_that_cannot_be_heard_has_failed(make_backend):
    """An event says so."""
    with dial(make_backend(Script(transcripts=[None]))) as socket:
        said(socket, "session.created")
        sent(socket, SENT[0], appended(bytes(9600)), SENT[2])
        assert said(socket, f"{HEARD}.failed")[-1]["error"]["code"] == "audio_unintelligible"


def test_real_ears_tell_words_as_they_hear_them():
    """Nine seconds of a person: words come before the whole is heard."""
    pytest.importorskip("pocketsphinx")
    require("speech", None if find_spec("moonshine_voice") else "no recordings: package moonshine-voice")
    from importlib.resources import files

    from codex_nb.audio import samples

    sound = b"".join(samples(files("moonshine_voice") / "assets" / "beckett.wav"))
    with LocalBackend("sphinx") as backend, dial(backend) as socket:
        said(socket, "session.created")
        sent(socket, SENT[0], appended(sound), SENT[2])
        events = said(socket, f"{HEARD}.completed")
    deltas = [event["delta"] for event in events if event["type"] == f"{HEARD}.delta"]
    assert len(deltas) > 2
    assert {"ever", "try"} & set(events[-1]["transcript"].split())
