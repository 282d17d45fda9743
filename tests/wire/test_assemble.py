"""Events in, a response out."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.types.responses import Response
from codex_nb.wire.assemble import Assembly
from codex_nb.wire.sse import SSEDecoder

FIXTURES = Path(__file__).parents[1] / "fixtures"


def assemble(name):
    """Put a recorded stream together."""
    assembly = Assembly()
    for data in SSEDecoder().payloads((FIXTURES / name).read_bytes()):
        if data.startswith(b"{"):
            assembly.add(json.loads(data))
    return assembly


@pytest.mark.parametrize(
    ("name", "status", "text", "items"),
    [
        ("text.sse", "completed", "Hello, loopback! Zażółć 🦊.", ["message"]),
        ("text_minimal_completed.sse", "completed", "Short answer.", ["message"]),
        ("text_output_in_completed.sse", "completed", "Populated output.", ["message"]),
        ("reasoning.sse", "completed", "The answer is 42.", ["reasoning", "message"]),
        ("tool_call.sse", "completed", "", ["reasoning", "function_call", "function_call"]),
        ("custom_tool_call.sse", "completed", "", ["custom_tool_call"]),
        ("web_search.sse", "completed", "RFC 1122 defines it.", ["web_search_call", "message"]),
        ("image_generation.sse", "completed", "", ["image_generation_call"]),
        ("compact_v2.sse", "completed", "", ["compaction"]),
        ("incomplete.sse", "incomplete", "This answer is cut", ["message"]),
        ("failed_rate_limit.sse", "failed", "Partial", ["message"]),
        ("error_event_nested.sse", "failed", "", []),
        ("no_terminal.sse", "in_progress", "Stops cleanly between events.", ["message"]),
    ],
)
def test_recorded_streams_become_whole_responses(name, status, text, items):
    """Items come from where they are final; text is neither lost nor doubled."""
    response = Response.model_validate(assemble(name).response())
    assert (response.status, response.output_text, [item.type for item in response.output]) == (status, text, items)


def test_text_that_came_in_deltas_alone_is_an_item():
    """Some servers never send the finished item."""
    assembly = Assembly()
    for delta in ("He", "llo"):
        assembly.add({"type": "response.output_text.delta", "delta": delta})
    assembly.add({"type": "response.completed", "response": {"id": "r"}})
    assert Response.model_validate(assembly.response()).output_text == "Hello"


def test_the_older_form_of_a_delta_is_read():
    """It carries an object."""
    assembly = Assembly()
    assembly.add({"type": "response.content_part.delta", "delta": {"text": "old"}})
    assert assembly.text == "old"


KINDS = [
    "response.output_text.delta",
    "response.output_item.added",
    "response.output_item.done",
    "response.created",
    "response.metadata",
    "response.completed",
    "response.failed",
    "error",
    "codex.rate_limits",
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["delta", "item", "output_index", "response", "headers", "error", "code", "message"]
EVENTS = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5),
)


@given(st.lists(EVENTS, max_size=8))
def test_fields_of_any_shape_are_passed_over(events):
    """A server's payload is hostile input; it can make a strange response, but no exception."""
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    assert isinstance(assembly.text, str)
    assert isinstance(assembly.response()["output"], list)
