"""The event decoder against the WHATWG rule."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.errors import MalformedStream
from codex_nb.wire.sse import ServerEvent, SSEDecoder


def decode(stream, *cuts):
    """Decode a stream that arrives cut at these places."""
    decoder = SSEDecoder()
    edges = [0, *sorted(cuts), len(stream)]
    return [event for a, b in pairwise(edges) for event in decoder.feed(stream[a:b])]


def payloads(stream, *cuts):
    """Decode a stream by the fast way."""
    decoder = SSEDecoder()
    edges = [0, *sorted(cuts), len(stream)]
    return [data for a, b in pairwise(edges) for data in decoder.payloads(stream[a:b])]


def reference(stream):
    """Decode by the letter of the rule: line by line, field by field."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, data, kind = [], None, b""
    for line in text.split(b"\n")[:-1]:
        if not line:
            if data is not None:
                events.append(ServerEvent(data.removesuffix(b"\n"), kind or b"message"))
            data, kind = None, b""
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data = (data or b"") + value + b"\n"
        elif name == b"event":
            kind = value
    return events


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        # The specification's own examples.
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [(b"YHOO\n+2\n10", b"message")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [(b"first event", b"message"), (b"second event", b"message"), (b" third event", b"message")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [(b"", b"message"), (b"\n", b"message")]),
        (b"data:test\n\ndata: test\n\n", [(b"test", b"message"), (b"test", b"message")]),
        # What servers were seen to send.
        (b"event: a\r\ndata: 1\r\n\r\n", [(b"1", b"a")]),
        (b"event: a\rdata: 1\r\r", [(b"1", b"a")]),
        (b"data: 1\nevent: late\n\n", [(b"1", b"late")]),
        (b"\xef\xbb\xbfdata: 1\n\n", [(b"1", b"message")]),
        (b"data: \xef\xbb\xbf\n\n", [(b"\xef\xbb\xbf", b"message")]),
        (b"retry: 3000\n\nid: 1\nevent: x\ndata: y\n\n", [(b"y", b"x")]),
        (b"data: a\nevent: x\ndata: b\n\n", [(b"a\nb", b"x")]),
        (b"\n\n\nevent: x\ndata: y\n\n\n\n", [(b"y", b"x")]),
        (b"data: unfinished\n", []),
        ("data: a\u2028b\x85c\x0bd\n\n".encode(), [("a\u2028b\x85c\x0bd".encode(), b"message")]),
    ],
)
def test_events_are_what_the_rule_says(stream, expected):
    """Both ways of decoding agree, byte by byte too."""
    assert decode(stream) == expected
    assert payloads(stream) == [data for data, _ in expected]
    assert decode(stream, *range(len(stream))) == expected


LINES = st.sampled_from(
    [
        b"data: x",
        b"data:x",
        b"data",
        b"event: a",
        b"event: response.output_text.delta",
        b": c",
        b"id: 1",
        b"retry: 5",
        b"",
        b"",
        b"nonsense",
        "data: ż\u2028🦊".encode(),
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.builds(
    lambda bom, lines: bom + b"".join(line + end for line, end in lines),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(LINES, ENDS), max_size=30),
)


@given(STREAMS, st.lists(st.integers(0, 400), max_size=12))
def test_any_chunking_gives_the_same_events(stream, cuts):
    """Wherever the network cuts, inside a character or a line end, the events are those of the rule."""
    cuts = [min(cut, len(stream)) for cut in cuts]
    expected = reference(stream)
    assert decode(stream, *cuts) == expected
    assert payloads(stream, *cuts) == [event.data for event in expected]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_any_bytes_are_decoded_without_an_exception(stream, cuts):
    """What a server sends is hostile input."""
    assert decode(stream, *[min(cut, len(stream)) for cut in cuts]) == reference(stream)


def test_the_pace_of_a_long_event_does_not_fall():
    """Sixteen megabytes in small chunks are joined once, not once a chunk."""
    decoder = SSEDecoder()
    chunk = b"x" * 16_384
    events = decoder.payloads(b"event: image\ndata: ")
    for _ in range(1_000):
        events += decoder.payloads(chunk)
    assert events == []
    assert decoder.payloads(b"\n\n") == [chunk * 1_000]


def test_an_event_without_end_does_not_fill_the_memory():
    """There is a bound, and it is an error."""
    decoder = SSEDecoder(max_event_bytes=1_000)
    decoder.payloads(b"data: " + b"x" * 900)
    with pytest.raises(MalformedStream, match="1,000"):
        decoder.payloads(b"x" * 100)


def test_id_and_retry_are_kept():
    """They are part of the rule, though nothing here reconnects."""
    decoder = SSEDecoder()
    decoder.feed(b"id: 7\nretry: 3000\ndata: x\n\n")
    assert (decoder.last_event_id, decoder.retry) == (b"7", 3000)
