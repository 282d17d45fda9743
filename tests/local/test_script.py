"""Scripted answers: their events, their order, and scripts from files."""

import json

import httpx
import pytest

from codex_nb.errors import CodexError
from codex_nb.local import CustomCall, FunctionCall, LocalBackend, Script, Turn
from codex_nb.local.pieces import Failure, Item, Usage
from tests.local.raw import FIXTURES, events, text_of

CALLS = [FunctionCall("get_weather", '{"city":"Paris"}'), FunctionCall("get_weather", '{"city":"Oslo"}', "call_2")]


def play(raw, *turns):
    """Return the reply to a script's first turn."""
    with LocalBackend(Script(turns=turns)) as backend:
        return raw.post(backend)


def kinds(reply):
    """Return the event types of a reply without their prefix and without repetition."""
    found = [event["type"].removeprefix("response.") for event in events(reply.text)]
    return [kind for at, kind in enumerate(found) if at == 0 or kind != found[at - 1]]


def test_text_comes_in_the_promised_order(raw):
    """A plain answer has every event of the wire, numbered without a gap."""
    reply = play(raw, Turn(text="Hello, loopback! Zażółć 🦊."))
    assert kinds(reply) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    found = events(reply.text)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert text_of(reply.text) == "Hello, loopback! Zażółć 🦊."
    assert found[-1]["response"]["output"] == []
    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.headers["openai-model"] == "gpt-5.5"
    assert reply.headers["x-codex-nb-engine"] == "scripted"


def test_events_have_the_fields_of_recorded_ones(raw):
    """Every field of a recorded stream's events is there, but for padding."""
    recorded = events((FIXTURES / "text.sse").read_text())
    mine = {event["type"]: event for event in events(play(raw, Turn(text="Hi")).text)}
    for event in recorded:
        assert set(event) - {"obfuscation"} <= set(mine[event["type"]])


def test_reasoning_comes_before_text_by_paragraphs(raw):
    """Summary parts are added, filled and done one after the other."""
    reply = play(raw, Turn(reasoning=["First.", "Second."], text="42"))
    part = ["reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done"]
    part = [*part, "reasoning_summary_part.done"]
    assert kinds(reply)[2:12] == ["output_item.added", *part, *part, "output_item.done"]
    item = next(event["item"] for event in events(reply.text) if event["type"] == "response.output_item.done")
    assert [part["text"] for part in item["summary"]] == ["First.", "Second."]
    assert item["encrypted_content"]


def test_hidden_reasoning_has_no_summary(raw):
    """An item without summary is added and done at once."""
    reply = play(raw, Turn(hidden_reasoning=True, text="42"))
    assert kinds(reply)[2:5] == ["output_item.added", "output_item.done", "output_item.added"]


def test_parallel_calls_follow_each_other(raw):
    """Each call has its own output index, whole arguments and a call id."""
    found = events(play(raw, Turn(calls=CALLS)).text)
    items = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert [json.loads(item["arguments"])["city"] for item in items] == ["Paris", "Oslo"]
    assert items[1]["call_id"] == "call_2"
    assert items[0]["call_id"].startswith("call_")
    deltas = [event for event in found if event["type"] == "response.function_call_arguments.delta"]
    assert {event["output_index"] for event in deltas} == {0, 1}


def test_custom_call_streams_its_input(raw):
    """A custom tool gets free text."""
    found = events(play(raw, Turn(calls=[CustomCall("apply_patch", "*** Begin Patch\n")])).text)
    done = next(event for event in found if event["type"] == "response.custom_tool_call_input.done")
    assert done["input"] == "*** Begin Patch\n"


def test_commentary_and_other_items(raw):
    """A message before the answer and foreign items are items of their own."""
    search = Item({"type": "web_search_call", "id": "ws_1", "status": "completed"})
    found = events(play(raw, Turn(commentary="Looking.", text="Found.", calls=[search])).text)
    items = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert [item.get("phase", item["type"]) for item in items] == ["commentary", "final_answer", "web_search_call"]


def test_incomplete_keeps_its_text(raw):
    """An answer that ran out of room ends with its reason."""
    last = events(play(raw, Turn(text="half", incomplete="max_output_tokens")).text)[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


@pytest.mark.parametrize("failure", ["server_is_overloaded", Failure("server_is_overloaded", "Full.")])
def test_failure_comes_after_the_partial_text(raw, failure):
    """A failed answer has no finished item."""
    reply = play(raw, Turn(text="half", failure=failure))
    assert kinds(reply)[-2:] == ["output_text.delta", "failed"]
    assert events(reply.text)[-1]["response"]["error"]["code"] == "server_is_overloaded"


@pytest.mark.parametrize("name", ["text.sse", "truncated.sse", "keepalive.sse"])
def test_recorded_stream_goes_out_unchanged(raw, name):
    """A recording is sent byte for byte, in writes of any size."""
    turn = Turn.from_file(FIXTURES / name, write_size=100)
    assert play(raw, turn).content == (FIXTURES / name).read_bytes()


def test_write_size_is_kept(raw):
    """Small writes arrive as small chunks."""
    with LocalBackend(Script(turns=[Turn(text="x", write_size=3)])) as backend, raw.stream(backend) as response:
        sizes = [len(chunk) for chunk in response.iter_raw()]
    assert len(sizes) > 100


def test_usage_model_and_headers_are_scripted(raw):
    """What a turn claims is what clients are told."""
    turn = Turn(text="x", usage=Usage(24, 11, 8, 3), model="gpt-5.4", headers={"x-codex-turn-state": "sticky"})
    reply = play(raw, turn)
    final = events(reply.text)[-1]["response"]
    assert final["usage"]["input_tokens_details"]["cached_tokens"] == 8
    assert final["usage"]["output_tokens_details"]["reasoning_tokens"] == 3
    assert final["usage"]["total_tokens"] == 35
    assert final["model"] == reply.headers["openai-model"] == "gpt-5.4"
    assert reply.headers["x-codex-turn-state"] == "sticky"


def test_script_that_runs_out_names_the_question(raw):
    """Without turns the answer is deterministic and says what was asked."""
    with LocalBackend(Script.of("first")) as backend:
        assert text_of(raw.post(backend).text) == "first"
        texts = {text_of(raw.post(backend, text="How are you?").text) for _ in range(2)}
        assert len(texts) == 1
        assert "**How are you?**" in texts.pop()


def test_script_that_runs_out_follows_a_schema(raw, backend):
    """For a JSON schema the answer is a small instance of it."""
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}}},
            "kind": {"enum": ["a", "b"]},
        },
    }
    form = {"type": "json_schema", "name": "x", "schema": schema, "strict": False}
    reply = raw.http.post(
        backend.url + "/v1/responses", json={"model": "gpt-5.5", "input": "Hi", "text": {"format": form}}
    ).json()
    text = reply["output"][0]["content"][0]["text"]
    assert json.loads(text) == {"name": "text", "rows": [{"n": 1}], "kind": "a"}


def test_reply_function_makes_turns(raw):
    """A function may answer from the request, and turns may be added while it runs."""
    with LocalBackend(Script(reply=lambda ask: Turn(text=ask.last_user_text().upper()))) as backend:
        assert text_of(raw.post(backend, text="loud").text) == "LOUD"
        backend.add(Turn(text="added"))
        assert text_of(raw.post(backend, text="loud").text) == "added"


def test_script_from_json(raw, tmp_path):
    """A file holds turns, calls, recordings and faults."""
    (tmp_path / "text.sse").write_bytes((FIXTURES / "text.sse").read_bytes())
    script = {
        "turns": [
            "Hello",
            {"text": ["a", "b"], "calls": [{"name": "f", "arguments": {"x": 1}}, {"name": "g", "input": "free"}]},
            {"file": "text.sse"},
            {"text": "x", "failure": {"code": "slow_down", "message": "m"}, "usage": {"input": 5, "output": 6}},
        ],
        "faults": [{"path": "*/models", "status": 503, "body": {"error": 1}, "times": 1}],
        "budget": 1000,
    }
    (tmp_path / "s.json").write_text(json.dumps(script))
    with LocalBackend(Script.from_json(tmp_path / "s.json")) as backend:
        assert raw.get(backend, "/v1/models").json() == {"error": 1}
        assert raw.get(backend, "/v1/models").status_code == 200
        assert text_of(raw.post(backend).text) == "Hello"
        assert '"arguments":"{\\"x\\": 1}"' in raw.post(backend).text
        assert raw.post(backend).content == (FIXTURES / "text.sse").read_bytes()
        assert events(raw.post(backend).text)[-1]["response"]["error"]["code"] == "slow_down"


@pytest.mark.parametrize("text", ["{", '{"turns": [{"txt": 1}]}', '{"trns": []}', "missing.json"])
def test_broken_script_is_an_error(text):
    """A script with a misspelt key says so."""
    with pytest.raises(CodexError, match="cannot be read"):
        Script.from_json(text)


def test_delay_comes_before_the_headers(raw):
    """A delay is a silence before anything, which a client's time-out sees."""
    with LocalBackend(Script(turns=[Turn(text="x", delay=5)])) as backend, pytest.raises(httpx.ReadTimeout):
        raw.http.post(backend.url + "/v1/responses", json={"model": "gpt-5.5", "input": "x"}, timeout=0.5)
