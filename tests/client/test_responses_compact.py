"""Conversations made short."""

import json
from pathlib import Path

import pytest

from codex_nb import errors
from codex_nb.local import Script, Turn
from codex_nb.local.pieces import Item
from codex_nb.types.responses import CompactedResponse, Compaction
from tests.client.both import got, tell

FIXTURES = Path(__file__).parents[1] / "fixtures"
HISTORY = [
    {"type": "message", "role": "developer", "content": "Be brief."},
    {"role": "user", "content": "Fix the date test."},
    {"type": "reasoning", "summary": [], "encrypted_content": "x"},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "1"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]},
    {"type": "compaction", "id": "cmp_0", "encrypted_content": "older"},
    "And the other one?",
]


def compact(face, backend, **fields):
    """Compact the history; return what comes."""
    return face.run(backend, lambda one: one.responses.compact(input=HISTORY, **fields))


def test_a_conversation_is_made_short(make_backend, face):
    """The usual request with a last item; what was said to the model stays, one opaque item stands for the rest."""
    backend = make_backend(Script(turns=[Turn.from_file(FIXTURES / "compact_v2.sse")]))
    short = compact(face, backend, instructions="Be kind.", reasoning={"effort": "low"})
    assert isinstance(short, CompactedResponse)
    assert (short.object, short.usage.input_tokens, short.model) == ("response.compaction", 5120, "gpt-6.1-sol")
    assert [item.type for item in short.output] == ["message", "message", "message", "compaction"]
    assert [item.role for item in short.output[:3]] == ["developer", "user", "user"]
    assert isinstance(short.output[3], Compaction)
    assert short.output[3].encrypted_content == "gAAAAABexample-opaque-compaction-blob=="
    request = backend.requests[-1]
    assert request.path.endswith("/codex/responses")
    assert request.body["input"][-1] == {"type": "compaction_trigger"}
    assert len(request.body["input"]) == len(HISTORY) + 1
    assert (request.body["instructions"], request.body["reasoning"]) == ("Be kind.", {"effort": "low"})
    assert request.headers["x-codex-beta-features"] == "remote_compaction_v2"
    metadata = json.loads(request.headers["x-codex-turn-metadata"])
    assert metadata["request_kind"] == "compaction"
    assert metadata["compaction"]["implementation"] == "responses_compaction_v2"


@pytest.mark.parametrize("kind", ["compaction", "compaction_summary"])
def test_it_goes_back_in_place_of_the_conversation(make_backend, face, kind):
    """Under the name that it came with: the older one replays too."""
    item = {"type": kind, "id": "cmp_1", "encrypted_content": "opaque", "comp_hash": "h"}
    backend = make_backend(Script(turns=[Turn(calls=[Item(item)]), Turn(text="x")]))

    async def story(one):
        short = await got(one.responses.compact(input=HISTORY))
        await got(one.responses.create(input=[*short.output, "and now?"]))

    tell(face, backend, story)
    sent = backend.requests[-1].body["input"]
    assert [each["type"] for each in sent] == ["message", "message", "message", kind, "message"]
    assert sent[1]["content"] == [{"type": "input_text", "text": "Fix the date test."}]
    assert {name: sent[3][name] for name in item} == item


BLOB = Item({"type": "compaction", "id": "cmp_1", "encrypted_content": "x"})


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        (Turn(text="Sure."), "completed and has 0"),
        (Turn(calls=[BLOB, BLOB]), "completed and has 2"),
        (Turn(calls=[BLOB], incomplete="max_output_tokens"), "incomplete and has 1"),
    ],
)
def test_anything_but_one_short_form_is_an_error(make_backend, face, turn, says):
    """It holds the answer; the conversation is unharmed."""
    with pytest.raises(errors.InvalidAnswer, match=says) as caught:
        compact(face, make_backend(Script(turns=[turn])))
    assert caught.value.code == "no_compaction"
    assert caught.value.partial == caught.value.response.output_text
    assert "unchanged" in caught.value.hint


def test_failures_are_those_of_any_answer(make_backend, face):
    """One of them."""
    with pytest.raises(errors.ContextWindowExceeded):
        compact(face, make_backend(Script(turns=[Turn(failure="context_length_exceeded")])))


def test_a_recorded_short_form_of_the_older_kind_reads(make_backend, face):
    """As its endpoint sent it."""
    short = CompactedResponse.model_validate_json((FIXTURES / "compact_v1.json").read_text())
    backend = make_backend(Script())
    face.run(backend, lambda one: one.responses.create(input=[*short.output, "x"]))
    kinds = [item["type"] for item in backend.requests[-1].body["input"]]
    assert kinds == ["message", "compaction_summary", "message"]


def test_another_server_is_asked_at_its_own_endpoint(make_backend, face):
    """As OpenAI's is."""
    backend = make_backend(Script())
    short = face.run(f"{backend.url}/v1", lambda one: one.responses.compact(input=HISTORY, model="gpt-5.4"))
    assert [item.type for item in short.output][-2:] == ["message", "compaction_summary"]
    (request,) = backend.requests
    assert request.path == "/v1/responses/compact"
    assert request.body.keys() == {"model", "input", "instructions"}
