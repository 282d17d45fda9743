"""One answer in flight, apart from any network: any bytes, any chunks."""

import json
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.client._incoming import Incoming
from codex_nb.errors import CodexError, MalformedStream
from codex_nb.types.events import CLASSES, ResponseEvent
from codex_nb.wire.assemble import TERMINAL
from codex_nb.wire.call import Reply

FIXTURES = Path(__file__).parents[1] / "fixtures"
STREAMS = {path.name: path.read_bytes() for path in sorted(FIXTURES.glob("*.sse")) if path.stem[:5] != "audio"}


def read(stream, *cuts):
    """Read a stream that arrives cut at these places, to its end; return events, text, response and failure."""
    incoming = Incoming(Reply(200, {}, "http://host/responses", 0.0), "text/event-stream")
    events, edges = [], sorted({0, len(stream), *cuts})
    for start, end in pairwise(edges):
        if incoming.finished:
            break
        events += incoming.take(stream[start:end])
    incoming.take(b"")
    return [event.raw for event in events], incoming.text, incoming


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 9_000), max_size=20))
def test_recorded_streams_read_the_same_in_any_chunks(name, cuts):
    """Events, text, response and failure."""
    stream = STREAMS[name]
    events, text, whole = read(stream)
    again_events, again_text, again = read(stream, *[cut for cut in cuts if cut < len(stream)])
    assert (again_events, again_text, again.response) == (events, text, whole.response)
    assert str(again.failure) == str(whole.failure)
    assert text == whole.response.output_text


@given(st.sampled_from(sorted(STREAMS)), st.floats(0, 1))
def test_a_stream_cut_anywhere_before_its_end_is_an_error(name, part):
    """Its text is a beginning of the whole text, and its response says the same."""
    stream = STREAMS[name]
    _, text, whole = read(stream)
    _, partial, incoming = read(stream[: int(len(stream) * part)])
    assert text.startswith(partial)
    if incoming.failure is None:
        assert whole.failure is None
        assert incoming.response == whole.response
    else:
        assert incoming.failure.partial == partial
        assert incoming.failure.hint


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_end_as_an_answer_or_as_one_of_our_errors(stream, cuts):
    """What a server sends is hostile input."""
    _, _, incoming = read(stream, *[cut for cut in cuts if cut < len(stream)])
    assert incoming.finished
    assert isinstance(incoming.failure, CodexError)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["delta", "item", "output_index", "response", "headers", "error", "code", "message", "sequence_number"]
EVENTS = st.builds(
    lambda kind, fields: fields | {"type": kind},
    st.sampled_from([*CLASSES, *TERMINAL, "response.metadata", "codex.rate_limits", "keepalive"]) | ANYTHING,
    st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=5),
)


@given(st.lists(EVENTS, max_size=6))
def test_events_of_any_shape_end_so_too(events):
    """Known names with fields of the wrong kind."""
    _, text, incoming = read(b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events))
    assert incoming.finished
    assert isinstance(text, str)
    with suppress(MalformedStream):  # a field that matters is not of its type
        assert incoming.response.output_text == text


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_an_event_is_light_and_shows_itself(kind):
    """Its fields are attributes, its repr is short, and one without any field is no trouble."""
    event = CLASSES[kind]({"type": kind, "delta": "x" * 1000}, kind)
    assert isinstance(event, ResponseEvent)
    assert event.delta == "x" * 1000
    assert len(repr(event)) < 200
    assert not hasattr(event, "__dict__")
