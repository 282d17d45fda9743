"""Conversations made short on the embedded backend, and the blobs that clients carry for it."""

import pytest

from codex_nb.local import LocalBackend, Script, Turn
from tests.local.raw import RESPONSES, body, events, missing_model, text_of
from tests.requirements_gate import require

BETA = {"x-codex-beta-features": "remote_compaction_v2"}
TRIGGER = {"type": "compaction_trigger"}
COMPACT = RESPONSES + "/compact"


def said(role, text):
    """Return a message."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


HISTORY = [said("user", "My name is Ada."), said("assistant", "Hello Ada."), said("user", "I live in Kraków.")]


def post(raw, backend, items, path=RESPONSES, headers=None, **changes):
    """Send items."""
    return raw.http.post(backend.url + path, json=body(input=items, **changes), headers=headers)


def short_form(raw, backend, items, **changes):
    """Make a conversation short and return the one item of the answer."""
    found = events(post(raw, backend, [*items, TRIGGER], headers=BETA, **changes).text)
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert found[-1]["type"] == "response.completed"
    assert [item["type"] for item in done] == ["compaction"]
    return done[0]


def test_a_conversation_becomes_one_opaque_item(raw, backend):
    """The answer is one compaction item, the same each time, and nothing of the conversation shows in it."""
    item = short_form(raw, backend, HISTORY)
    assert item["id"].startswith("cmp_")
    assert "Ada" not in item["encrypted_content"]
    assert item["encrypted_content"] == short_form(raw, backend, HISTORY)["encrypted_content"]
    assert item["encrypted_content"] != short_form(raw, backend, HISTORY[:1])["encrypted_content"]


@pytest.mark.parametrize("kind", ["compaction", "compaction_summary"])
def test_the_engine_remembers_what_a_short_form_holds(raw, kind):
    """Sent back, under either name, it is spelt out for the engine; in another process too."""
    heard = []
    with LocalBackend(Script()) as first:
        item = short_form(raw, first, HISTORY) | {"type": kind}
    with LocalBackend(Script(reply=lambda ask: heard.append(list(ask.messages())) or Turn(text="ok"))) as second:
        assert text_of(post(raw, second, [HISTORY[0], item, said("user", "Who am I?")]).text) == "ok"
    roles, texts = zip(*heard[0], strict=True)
    assert roles == ("user", "developer", "user")
    assert "Hello Ada." in texts[1]


def test_a_short_form_of_a_short_form(raw, backend):
    """What was made short before is in the next one."""
    again = short_form(raw, backend, [short_form(raw, backend, HISTORY), said("user", "Go on.")])
    assert "Hello Ada." in backend.state.blobs.open(again["encrypted_content"])["summary"]


def test_the_trigger_needs_its_header_and_its_place(raw, backend):
    """Without the feature, or before the end, it is no valid item."""
    for items, headers in (([*HISTORY, TRIGGER], {}), ([TRIGGER, *HISTORY], BETA), ([TRIGGER, TRIGGER], BETA)):
        reply = post(raw, backend, items, headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_value")


def test_scripted_turns_are_played_as_they_are(raw, backend):
    """A script may answer the wish with anything."""
    backend.add(Turn(text="No."))
    assert text_of(post(raw, backend, [*HISTORY, TRIGGER], headers=BETA).text) == "No."


def test_the_older_endpoint_is_gone_unless_it_is_wanted(raw, backend):
    """Not found by default; switched on it gives the kept messages and one summary."""
    reply = post(raw, backend, HISTORY, path=COMPACT, stream=None, store=None)
    assert (reply.status_code, reply.json()) == (404, {"detail": "Not Found"})
    backend.state.compact_v1 = True
    whole = post(raw, backend, HISTORY, path=COMPACT, stream=None, store=None).json()
    assert whole["object"] == "response.compaction"
    assert [item["type"] for item in whole["output"]] == ["message", "message", "compaction_summary"]
    assert whole["output"][:2] == [HISTORY[0], HISTORY[2]]
    assert whole["usage"]["total_tokens"] > 0
    assert post(raw, backend, [*whole["output"], said("user", "x")]).status_code == 200
    assert raw.http.post(backend.url + COMPACT, json=[]).status_code == 400


def reasoning(raw, backend):
    """Return a reasoning item of an answer."""
    backend.add(Turn(reasoning="Thinking.", text="x"))
    found = events(raw.post(backend).text)
    return next(
        e["item"] for e in found if e["type"] == "response.output_item.done" and e["item"]["type"] == "reasoning"
    )


def test_reasoning_goes_back_unchanged_or_not_at_all(raw, backend):
    """A blob that was made here is taken, a changed one is not; a foreign one only where scripts play."""
    item = reasoning(raw, backend)
    blob = item["encrypted_content"]
    assert post(raw, backend, [item, HISTORY[0]]).status_code == 200
    for changed in (blob[:-4] + "AAA=", blob[:20], blob + "x", blob.replace("-", "\u00e9")):
        reply = post(raw, backend, [item | {"encrypted_content": changed}, HISTORY[0]])
        expected = 400 if changed.startswith("gAAAAABlocal-") else 200
        assert reply.status_code == expected
        if expected == 400:
            assert reply.json()["error"]["code"] == "invalid_encrypted_content"
    foreign = [{"type": "compaction", "encrypted_content": "gAAAAABfromElsewhere=="}, HISTORY[0]]
    assert post(raw, backend, foreign).status_code == 200
    backend.state.blobs.strict = True
    reply = post(raw, backend, foreign)
    assert reply.json()["error"]["code"] == "invalid_encrypted_content"
    assert "gAAA...re==" in reply.json()["error"]["message"]
    assert post(raw, backend, [item, HISTORY[0]]).status_code == 200
    assert post(raw, backend, [item | {"encrypted_content": 3}, HISTORY[0]]).status_code == 400


def test_a_turn_has_a_state(raw, backend):
    """The first answer of a turn gives a token; whoever sends it back gets no other."""
    first = raw.post(backend).headers["x-codex-turn-state"]
    assert first != raw.post(backend).headers["x-codex-turn-state"]
    again = post(raw, backend, HISTORY, headers={"x-codex-turn-state": first})
    assert "x-codex-turn-state" not in again.headers
    assert backend.requests[-1].headers["x-codex-turn-state"] == first
    public = raw.http.post(backend.url + "/v1/responses", json={"model": "gpt-5.5", "input": "x"})
    assert "x-codex-turn-state" not in public.headers


@pytest.mark.model
def test_a_model_sums_up_and_remembers(raw):
    """A real summary goes out sealed; asked later, with only the summary left, the model knows the name."""
    require("model", missing_model())
    with LocalBackend() as backend:
        model = backend.state.models()[0]
        items = [said("user", "My dog is called Rex."), said("assistant", "Rex is a nice name for a dog.")]
        item = short_form(raw, backend, items, model=model)
        assert "Rex" in backend.state.blobs.open(item["encrypted_content"])["summary"]
        reply = post(raw, backend, [item, said("user", "What is the name of my dog?")], model=model)
        assert "Rex" in text_of(reply.text)
        odd = [item | {"encrypted_content": "gAAAAABodd"}, said("user", "x")]
        assert post(raw, backend, odd, model=model).status_code == 400
