"""Streams that cannot lie: whatever ends an answer early is an error that says so and keeps the text."""

from pathlib import Path

import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script, Turn
from tests.waiting import until

FIXTURES = Path(__file__).parents[1] / "fixtures"
WORDS = ["One ", "two ", "three ", "four."]
TEXT = "".join(WORDS)


def sse(*events):
    """Return bytes of a stream of these JSON texts."""
    return b"".join(b"data: " + event.encode() + b"\n\n" for event in events)


def closed(backend):
    """Wait a moment; return whether the backend has no answer under way."""
    return until(lambda: backend.open_streams == 0)


CREATED = '{"type":"response.created","response":{"id":"r","output":[]}}'
DELTA = '{"type":"response.output_text.delta","output_index":0,"delta":"Half"}'

BREAKS = {
    # The fault, the turn, the error, its partial text, words of its message.
    "no terminal event": (
        None,
        Turn.from_file(FIXTURES / "no_terminal.sse"),
        errors.StreamInterrupted,
        "Stops cleanly between events.",
        "ended before",
    ),
    "cut inside an event": (
        None,
        Turn.from_file(FIXTURES / "truncated.sse"),
        errors.StreamInterrupted,
        None,
        "ended before",
    ),
    "cut inside the body": (Fault.cut_after(6), Turn(text=WORDS), errors.StreamInterrupted, "One two ", "broke"),
    "cut after few bytes": (Fault.cut_after(size=700), Turn(text=WORDS), errors.StreamInterrupted, None, "broke"),
    "reset": (Fault.cut_after(6, how="reset"), Turn(text=WORDS), errors.StreamInterrupted, "One two ", "broke"),
    "silence": (
        Fault.silence(30, after_events=6),
        Turn(text=WORDS),
        errors.StreamInterrupted,
        "One two ",
        "nothing for 0.7 s",
    ),
    "an event that is no JSON": (
        None,
        Turn(raw=sse(CREATED, DELTA, "{oops")),
        errors.MalformedStream,
        "Half",
        "no JSON",
    ),
    "a web page": (Fault.reply(200, "<html>Sign in</html>"), Turn(), errors.MalformedStream, "", "web page"),
    "plain JSON": (
        Fault.reply(200, {"error": {"message": "not here"}}),
        Turn(),
        errors.MalformedStream,
        "",
        "not here",
    ),
    "nothing": (Fault.reply(200, b"", content_type="text/event-stream"), Turn(), errors.MalformedStream, "", "nothing"),
    "[DONE] too early": (
        None,
        Turn(raw=sse(CREATED, DELTA, "[DONE]")),
        errors.StreamInterrupted,
        "Half",
        "ended before",
    ),
    "a failed response": (
        None,
        Turn.from_file(FIXTURES / "failed_rate_limit.sse"),
        errors.ResponseFailed,
        "Partial",
        "try again in",
    ),
    "too long an input": (
        None,
        Turn.from_file(FIXTURES / "failed_context.sse"),
        errors.ContextWindowExceeded,
        "",
        "longer",
    ),
    "no room": (None, Turn.from_file(FIXTURES / "failed_overloaded.sse"), errors.ModelAtCapacity, "", "capacity"),
    "an error event": (
        None,
        Turn.from_file(FIXTURES / "error_event_flat.sse"),
        errors.ResponseFailed,
        "",
        "error while",
    ),
    "a wrapped error event": (
        None,
        Turn.from_file(FIXTURES / "error_event_nested.sse"),
        errors.UsageLimitReached,
        "",
        "usage limit",
    ),
    "broken gzip": (
        Fault.reply(
            200,
            b"this is not gzip" * 9,
            content_type="text/event-stream",
            headers={"content-encoding": "gzip"},
        ),
        Turn(),
        errors.MalformedStream,
        None,
        "compressed",
    ),
    "silence before the headers": (
        Fault.silence(30),
        Turn(text=WORDS),
        errors.APITimeoutError,
        None,
        "nothing for 0.7 s",
    ),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["collected", "streamed"])
@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_answer_is_its_exact_error(make_backend, face, name, streamed):
    """The class, the partial text, one request, and nothing left open."""
    fault, turn, kind, partial, message = BREAKS[name]
    backend = make_backend(Script(turns=[turn], faults=[fault] if fault else []))
    with pytest.raises(kind) as caught:
        face.answer(backend, streamed=streamed, timeout=0.7 if "silen" in name else 5)
    error = caught.value
    assert type(error) in {kind, errors.UsageLimitInStream}
    assert message in error.message
    assert error.hint
    if partial is not None:
        assert error.partial == partial
    if isinstance(error, errors.StreamInterrupted):
        assert error.response.output_text == error.partial
        assert error.response.status == "in_progress"
    assert len([r for r in backend.requests if r.path.endswith("/responses")]) == 1
    assert closed(backend)


WHOLE = {
    "as servers send it": (None, Turn(text=WORDS), TEXT),
    "in drips": (Fault.slow(7, 0.0), Turn(text=WORDS), TEXT),
    "compressed": (Fault.gzipped(), Turn(text=WORDS), TEXT),
    "with every oddity of framing": (None, Turn.from_file(FIXTURES / "keepalive.sse", write_size=5), "Still alive"),
    "with empty final output": (
        None,
        Turn.from_file(FIXTURES / "text.sse", write_size=3),
        "Hello, loopback! Zażółć 🦊.",
    ),
    "with filled final output": (None, Turn.from_file(FIXTURES / "text_output_in_completed.sse"), "Populated output."),
    "with a bare final event": (None, Turn.from_file(FIXTURES / "text_minimal_completed.sse"), "Short answer."),
    "CR line ends": (
        None,
        Turn(raw=(FIXTURES / "text.sse").read_bytes().replace(b"\n", b"\r")),
        "Hello, loopback! Zażółć 🦊.",
    ),
    "incomplete": (None, Turn.from_file(FIXTURES / "incomplete.sse"), "This answer is cut"),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["collected", "streamed"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_is_whole_however_it_comes(make_backend, face, name, streamed):
    """Text is never lost and never doubled."""
    fault, turn, text = WHOLE[name]
    backend = make_backend(Script(turns=[turn], faults=[fault] if fault else []))
    response = face.answer(backend, streamed=streamed)
    assert response.output_text == text
    assert response.status == ("incomplete" if name == "incomplete" else "completed")
    assert closed(backend)


def test_leaving_the_loop_closes_the_stream(make_backend):
    """The service stops working on an answer that nobody reads."""
    from codex_nb import Bearer, Session

    backend = make_backend(Script(turns=[Turn(text=WORDS * 200, pause=0.02)]))
    with Session(backend.url, auth=Bearer("made-up"), model="gpt-5.4") as session:
        for event in session.responses.create(input="x", stream=True):
            if event.type == "response.output_text.delta":
                break
        assert closed(backend)


def test_inside_with_the_stream_can_be_taken_up_again(make_backend):
    """A loop that was left continues in ``final()``."""
    from codex_nb import Bearer, Session

    backend = make_backend(Script(turns=[Turn(text=WORDS)]))
    with Session(backend.url, auth=Bearer("made-up"), model="gpt-5.4") as session:
        with session.responses.stream(input="x") as stream:
            assert next(iter(stream.text_deltas())) == "One "
            response = stream.final()
        assert response.output_text == stream.text == TEXT
