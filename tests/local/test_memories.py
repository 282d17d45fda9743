"""Traces of work summed up on the embedded backend."""

import pytest

PATH = "/backend-api/codex/memories/trace_summarize"
TRACES = [
    {"id": "t1", "metadata": {}, "items": [{"type": "message", "role": "user", "content": "Freeze the clock."}]},
    {"id": "t2", "items": [{"type": "function_call", "name": "run", "arguments": "{}"}, "loose", 3, None]},
    {"id": "t3", "items": []},
]


def post(raw, backend, **changes):
    """Send traces."""
    return raw.http.post(backend.url + PATH, json={"model": "gpt-5.5", "traces": TRACES} | changes)


def test_it_needs_a_larger_plan(raw, backend):
    """403 on plus, an answer on pro."""
    assert post(raw, backend).status_code == 403
    backend.state.account.plan = "pro"
    assert post(raw, backend).status_code == 200


def test_each_trace_has_two_texts(raw, backend):
    """In order, whatever the items are."""
    backend.state.account.plan = "enterprise"
    output = post(raw, backend).json()["output"]
    assert [set(each) for each in output] == [{"trace_summary", "memory_summary"}] * 3
    assert "Freeze the clock." in output[0]["trace_summary"]
    assert "loose" in output[1]["trace_summary"]
    assert output[2]["trace_summary"].startswith("0 messages")
    assert post(raw, backend, traces=[]).json() == {"output": []}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"traces": {}}, "expected an array"),
        ({"traces": [{"id": "a"}]}, "traces[0]"),
        ({"traces": [TRACES[0], 3]}, "traces[1]"),
        ({"model": "gpt-1"}, "not supported"),
    ],
)
def test_refusals_name_what_is_wrong(raw, backend, changes, said):
    """Never a crash."""
    backend.state.account.plan = "pro"
    reply = post(raw, backend, **changes)
    assert reply.status_code == 400
    assert said in reply.text
