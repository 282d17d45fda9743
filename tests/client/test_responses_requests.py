"""What goes out: efforts, tiers, items of earlier answers, turns, and models that want it said in another way."""

import numpy as np
import pandas as pd
import pytest

from codex_nb import errors
from codex_nb.local import Fault, FunctionCall, Script, Turn
from codex_nb.local.catalogue import row
from tests.client.both import got, tell

TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}


def sent(face, backend, *, model="gpt-5.4", **fields):
    """Create; return the request that asked for the answer."""
    fields.setdefault("input", "x")
    face.run(backend, lambda one: one.responses.create(**fields), model=model)
    return backend.requests[-1]


@pytest.mark.parametrize("given", [None, 5, b"text", {"role": "user", "content": "x"}, [None], ["x", 5], [("a", "b")]])
def test_an_input_that_is_none_is_refused(make_backend, face, given):
    """Nothing is sent."""
    backend = make_backend(Script())
    with pytest.raises(errors.InvalidOption, match="input is"):
        face.run(backend, lambda one: one.responses.create(input=given))
    assert backend.requests == []


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("high", "high"),
        ("ultra", "max"),
        ("3", 3),
        ("2.5", 2.5),
        (7, 7),
        (3.0, 3),
        ("of_the_future", "of_the_future"),
    ],
)
def test_efforts_are_words_or_numbers(make_backend, face, given, wire):
    """A number goes as a JSON number, the deepest level by the service's name."""
    effort = sent(face, make_backend(Script()), reasoning={"effort": given}).body["reasoning"]["effort"]
    assert (effort, type(effort)) == (wire, type(wire))


@pytest.mark.parametrize(
    ("given", "wire"),
    [("priority", "priority"), ("fast", "priority"), ("flex", "flex"), ("default", None), ("auto", None)],
)
def test_the_usual_tier_is_not_said(make_backend, face, given, wire):
    """The backend refuses it by name."""
    assert sent(face, make_backend(Script()), service_tier=given).body.get("service_tier") == wire


def test_summaries_are_asked_for_where_they_can_be(make_backend, face):
    """The list of models says where; it is asked once."""
    rows = [row("old", "Old", "", supports_reasoning_summary_parameter=False), row("new", "New", "")]
    backend = make_backend(Script(rows=rows))

    async def story(one):
        for model in ("old", "new"):
            await got(one.responses.create(input="x", model=model, reasoning={"effort": "low", "summary": "auto"}))
        await got(one.responses.create(input="x", model="new", reasoning={"summary": "none"}))

    tell(face, backend, story)
    assert [request.path for request in backend.requests if request.method == "GET"] == ["/backend-api/codex/models"]
    bodies = [request.body for request in backend.requests if request.method == "POST"]
    assert [body.get("reasoning") for body in bodies] == [
        {"effort": "low"},
        {"effort": "low", "summary": "auto"},
        None,
    ]


LITE = [row("lite", "Lite", "", use_responses_lite=True), row("gpt-5.4", "Full", "")]


def test_lite_models_read_their_tools_from_the_input(make_backend, face):
    """One call at a time, the same tools under the same name, and a header that says so."""
    backend = make_backend(Script(rows=LITE))
    first = sent(face, backend, model="lite", tools=[TOOL], parallel_tool_calls=True, reasoning={"effort": "low"})
    again = sent(face, backend, model="lite", tools=[TOOL], input="y")
    assert first.headers["x-openai-internal-codex-responses-lite"] == "true"
    assert "tools" not in first.body
    item = first.body["input"][0]
    assert (item["type"], item["role"], item["tools"]) == ("additional_tools", "developer", [TOOL])
    assert item["id"].startswith("at_")
    assert item == again.body["input"][0]
    assert first.body["parallel_tool_calls"] is False
    assert first.body["reasoning"] == {"context": "all_turns", "effort": "low"}
    plain = sent(face, backend, tools=[TOOL])
    assert plain.body["tools"] == [TOOL]
    assert "x-openai-internal-codex-responses-lite" not in plain.headers


def test_the_first_model_of_the_list_is_asked_in_its_own_way(make_backend, face):
    """Where none is named the list is known anyway."""
    request = sent(face, make_backend(Script(rows=LITE)), model=None)
    assert request.headers["x-openai-internal-codex-responses-lite"] == "true"
    assert request.body["input"][0]["type"] == "message"


def test_a_list_that_fails_does_not_stop_the_request(make_backend, face):
    """It is asked as usual; what is wrong with the account the request itself tells."""
    backend = make_backend(Script(faults=[Fault.reply(500, "no").on("*/models")]))
    assert sent(face, backend, tools=[TOOL]).body["tools"] == [TOOL]


def test_another_server_gets_what_was_said(make_backend, face):
    """The Codex backend's manners are its own."""
    backend = make_backend(Script(rows=LITE))
    items = [{"type": "message", "id": "mine", "role": "system", "content": "x"}]
    fields = {"input": items, "tools": [TOOL], "service_tier": "auto", "reasoning": {"effort": "3"}}
    face.run(f"{backend.url}/v1", lambda one: one.responses.create(**fields), model="lite")
    (request,) = backend.requests
    assert request.body["input"] == items
    assert request.body["tools"] == [TOOL]
    assert (request.body["service_tier"], request.body["reasoning"]) == ("auto", {"effort": "3"})


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "original"}


@pytest.mark.parametrize(
    "content",
    [
        "text",
        [{"type": "input_text", "text": "What is it?"}, IMAGE],
        [{"type": "input_file", "file_id": "sediment://file_1"}],
        [{"type": "of_the_future", "x": None}],
    ],
)
def test_contents_go_over_as_they_are(make_backend, face, content):
    """Texts, images, files, and what is not known here."""
    message = {"role": "user", "content": content}
    assert sent(face, make_backend(Script()), input=[message]).body["input"] == [{"type": "message", **message}]


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ({"type": "reasoning", "id": "rs_1", "summary": []}, {"type": "reasoning", "id": "rs_1", "summary": []}),
        ({"type": "reasoning", "id": "other", "summary": []}, {"type": "reasoning", "summary": []}),
        ({"type": "message", "id": "msg_1", "role": "user"}, {"type": "message", "id": "msg_1", "role": "user"}),
        ({"type": "message", "id": None, "role": "user"}, {"type": "message", "role": "user"}),
        ({"type": "message", "role": "system"}, {"type": "message", "role": "developer"}),
        (
            {"type": "of_the_future", "id": "x", "n": None},
            {"type": "of_the_future", "id": "x", "n": None},
        ),
        ({"type": "compaction_summary", "id": "cmp_01"}, {"type": "compaction_summary", "id": "cmp_01"}),
        (
            {"type": "message", "role": "assistant", "phase": "commentary", "content": []},
            {"type": "message", "role": "assistant", "phase": "commentary", "content": []},
        ),
    ],
)
def test_items_keep_what_the_backend_knows_them_by(make_backend, face, given, wire):
    """An id of another origin is left out; items of unknown types are not touched."""
    assert sent(face, make_backend(Script()), input=["x", given]).body["input"][1] == wire


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"reasoning": "high"}, "effort"),
        ({"text": "low"}, "verbosity"),
        ({"extra_body": [1]}, "extra_body={"),
        ({"tools": TOOL}, "[tool]"),
        ({"tools": dict}, "[tool]"),
    ],
)
def test_a_field_of_another_form_is_a_mistake_with_a_hint(make_backend, face, fields, hint):
    """Nothing is sent."""
    backend = make_backend(Script())
    with pytest.raises(errors.InvalidOption) as caught:
        sent(face, backend, **fields)
    assert hint in caught.value.hint
    assert backend.requests == []


def test_extra_body_comes_last(make_backend, face):
    """Over everything that was made of the other fields."""
    request = sent(face, make_backend(Script()), text={"verbosity": "low"}, extra_body={"text": {"x": 1}, "new": None})
    assert request.body["text"] == {"x": 1}
    assert "new" in request.body


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.array([1, 2]), [1, 2]),
        (pd.Series(["a"]), ["a"]),
        (10**30, 10**30),
        ("\ud800", "?"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_out_of_tables_go_as_plain_ones(make_backend, face, given, wire):
    """Numbers and arrays of numpy, a column, half a character."""
    assert sent(face, make_backend(Script()), extra_body={"new": given}).body["new"] == wire


ENDLESS = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize("value", [b"secret", {1}, float("nan"), np.array([np.inf]), ENDLESS], ids=repr)
def test_what_json_has_no_form_for_is_not_sent(make_backend, face, value):
    """It is told by its type, not by what it holds."""
    backend = make_backend(Script())
    with pytest.raises(errors.InvalidOption, match="JSON has no form for") as caught:
        sent(face, backend, extra_body={"new": value})
    assert "secret" not in f"{caught.value} {caught.value.hint}"
    assert "plain values" in caught.value.hint
    assert backend.requests == []


STATE = "x-codex-turn-state"


def calling(call_id, state, **options):
    """Return a turn that calls a tool, and names its turn."""
    return Turn(calls=[FunctionCall("f", "{}", call_id)], headers={STATE: state} if state else {}, **options)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_turn_is_known_again_until_it_ends(make_backend, face, streamed):
    """The first word for it is said in each request that goes on with its calls, and never after a new message."""
    turns = [calling("c1", "first"), calling("c2", "later"), Turn(text="done"), calling("c3", "second"), Turn(text="x")]
    backend = make_backend(Script(turns=turns))

    async def story(one):
        async def ask():
            if streamed:
                return await got(one.responses.stream(input=history, tools=[TOOL]).final())
            return await got(one.responses.create(input=history, tools=[TOOL]))

        history = []
        for message in ("one", "two"):
            history.append(message)
            while history[-1] == message or history[-1]["type"] == "function_call_output":
                output = (await ask()).output
                history += [item.raw for item in output]
                history += [
                    {"type": "function_call_output", "call_id": item.call_id, "output": "1"}
                    for item in output
                    if item.type == "function_call"
                ]

    tell(face, backend, story)
    said = [request.headers.get(STATE) for request in backend.requests if request.method == "POST"]
    assert said == [None, "first", "first", None, "second"]


def test_a_turn_can_be_named_in_the_stream(make_backend, face):
    """By an event, as other servers send headers."""
    raw = (
        b'data: {"type":"response.metadata","headers":{"X-Codex-Turn-State":"told"}}\n\n'
        b'data: {"type":"response.output_item.done","output_index":0,"item":'
        b'{"type":"custom_tool_call","call_id":"c","name":"n","input":"x"}}\n\n'
        b'data: {"type":"response.completed","response":{"id":"r"}}\n\n'
    )
    backend = make_backend(Script(turns=[Turn(raw=raw), Turn(text="done")]))

    async def story(one):
        first = await got(one.responses.create(input="x"))
        output = {"type": "custom_tool_call_output", "call_id": "c", "output": "1"}
        await got(one.responses.create(input=["x", *first.output, output]))

    tell(face, backend, story)
    assert backend.requests[-1].headers[STATE] == "told"


def test_a_turn_that_broke_off_is_not_known(make_backend, face):
    """Its calls were never whole."""
    backend = make_backend(Script(turns=[calling("c1", "first", incomplete="max_output_tokens"), Turn(text="x")]))
    backend.inject(Fault.cut_after(6))
    output = {"type": "function_call_output", "call_id": "c1", "output": "1"}

    async def story(one):
        with pytest.raises(errors.StreamInterrupted):
            await got(one.responses.create(input="x"))
        call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
        await got(one.responses.create(input=["x", call, output]))

    tell(face, backend, story)
    assert STATE not in backend.requests[-1].headers


def test_sessions_do_not_share_turns(make_backend, face):
    """A word belongs to the session that got it."""
    backend = make_backend(Script(turns=[calling("c1", "first"), Turn(text="x")]))
    first = face.run(backend, lambda one: one.responses.create(input="x"))
    output = {"type": "function_call_output", "call_id": "c1", "output": "1"}
    assert STATE not in sent(face, backend, input=["x", *first.output, output]).headers
