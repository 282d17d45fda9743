"""Tools of a request, and what the model's calls become."""

import json

import pytest
from pydantic import BaseModel, Field

from codex_nb import errors, pydantic_function_tool
from codex_nb.local import CustomCall, FunctionCall, Script, Turn
from codex_nb.local.pieces import Item
from tests.client.both import got, tell


class Weather(BaseModel):
    """Look up the weather."""

    city: str
    days: int = Field(1, description="how many")


def sent(backend):
    """Return the body of the last request."""
    return backend.requests[-1].body


def ask(face, backend, **fields):
    """Create; return the response."""
    return face.run(backend, lambda one: one.responses.create(input="x", **fields))


PLAIN = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}
NESTED = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("tool", "wire"),
    [
        (PLAIN, PLAIN),
        (NESTED, {"type": "function", "name": "f", "parameters": {}}),
        ({"type": "web_search", "external_web_access": True}, {"type": "web_search", "external_web_access": True}),
        (
            {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"}},
            {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"}},
        ),
        ({"type": "of_the_future", "x": [1]}, {"type": "of_the_future", "x": [1]}),
    ],
)
def test_tools_of_every_kind_go_over(make_backend, face, tool, wire):
    """A dict as it is, the nested form of Chat Completions flat; there is always a choice."""
    backend = make_backend(Script())
    ask(face, backend, tools=[tool])
    assert sent(backend)["tools"] == [wire]
    assert sent(backend)["tool_choice"] == "auto"


@pytest.mark.parametrize("form", [Weather, pydantic_function_tool(Weather)], ids=["model", "helper"])
def test_a_model_is_a_strict_function(make_backend, face, form):
    """Named and described by its class."""
    backend = make_backend(Script())
    ask(face, backend, tools=[form])
    (tool,) = sent(backend)["tools"]
    assert (tool["type"], tool["name"], tool["description"], tool["strict"]) == (
        "function",
        "Weather",
        "Look up the weather.",
        True,
    )
    assert tool["parameters"]["required"] == ["city", "days"]


def test_a_tool_can_have_another_name():
    """And other words."""
    tool = pydantic_function_tool(Weather, name="look", description="Look.")
    assert (tool["name"], tool["description"]) == ("look", "Look.")


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "f"}, {"type": "function", "name": "f"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]},
        ),
    ],
)
def test_every_choice_goes_over(make_backend, face, choice, wire):
    """Words and objects."""
    backend = make_backend(Script())
    ask(face, backend, tools=[PLAIN], tool_choice=choice, parallel_tool_calls=False)
    assert sent(backend)["tool_choice"] == wire
    assert sent(backend)["parallel_tool_calls"] is False


def test_a_schema_that_is_not_strict_is_found_before_sending(make_backend, face):
    """The place is named."""
    backend = make_backend(Script())
    with pytest.raises(errors.UnsupportedParameter, match="f says strict") as caught:
        ask(face, backend, tools=[PLAIN | {"strict": True}])
    assert caught.value.parameter == "tools"
    with pytest.raises(errors.InvalidOption, match="type function"):
        ask(face, backend, tools=[ask])
    assert backend.requests == []


def test_parallel_calls_are_answered_and_go_back_whole(make_backend, face):
    """The reasoning with its encrypted form, each call as received, then an output each."""
    calls = [FunctionCall("f", '{"a": 1}'), FunctionCall("f", '{"a": 2}'), CustomCall("c", "free text")]
    backend = make_backend(Script(turns=[Turn(reasoning="Hm.", calls=calls), Turn(text="done")]))

    async def story(one):
        first = await got(one.responses.create(input="x", tools=[PLAIN]))
        outputs = [{"type": f"{item.type}_output", "call_id": item.call_id, "output": "3"} for item in first.output[1:]]
        second = await got(one.responses.create(input=["x", *first.output, *outputs], tools=[PLAIN]))
        return first, second.output_text

    first, text = tell(face, backend, story)
    assert text == "done"
    assert [json.loads(item.arguments)["a"] for item in first.output[1:3]] == [1, 2]
    assert first.output[3].input == "free text"
    body = sent(backend)["input"]
    assert [item["type"] for item in body] == [
        "message",
        "reasoning",
        "function_call",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "function_call_output",
        "custom_tool_call_output",
    ]
    assert body[1]["encrypted_content"]
    assert body[2]["status"] == "completed"


def parse(face, backend, *, streamed=False, **fields):
    """Parse with tools; return the response."""
    if streamed:
        return face.run(backend, lambda one: one.responses.stream(input="x", text_format=int, **fields).final())
    return face.run(backend, lambda one: one.responses.parse(input="x", text_format=int, **fields))


@pytest.mark.parametrize("streamed", [False, True])
def test_arguments_of_strict_tools_are_read(make_backend, face, streamed):
    """As the model, as JSON where there is only a schema, and not at all where nothing is promised."""
    strict = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    tools = [
        Weather,
        {"type": "function", "name": "g", "strict": True, "parameters": strict},
        PLAIN,
        {"type": "namespace", "name": "maps", "tools": [pydantic_function_tool(Weather, name="near")]},
    ]
    calls = [
        FunctionCall("Weather", '{"city": "Oslo", "days": 2}'),
        FunctionCall("g", '{"b": [1]}'),
        FunctionCall("f", '{"a": 1}'),
        FunctionCall("near", '{"city": "Rome", "days": 1}', namespace="maps"),
    ]
    backend = make_backend(Script(turns=[Turn(calls=calls)]))
    response = parse(face, backend, streamed=streamed, tools=tools)
    assert [item.parsed_arguments for item in response.output] == [
        Weather(city="Oslo", days=2),
        {"b": [1]},
        None,
        Weather(city="Rome", days=1),
    ]
    assert response.output_parsed is None


@pytest.mark.parametrize(
    ("arguments", "match"), [('{"city": 5, "days": 1}', r"city \(string_type\)"), ("{", "no JSON")]
)
def test_arguments_that_do_not_validate_are_an_error(make_backend, face, arguments, match):
    """It names the tool and holds the response."""
    backend = make_backend(Script(turns=[Turn(calls=[FunctionCall("Weather", arguments)])]))
    with pytest.raises(errors.ToolError, match=match) as caught:
        parse(face, backend, tools=[Weather])
    assert caught.value.tool == "Weather"
    assert caught.value.response.output[0].arguments == arguments


def test_parse_without_a_format_reads_the_calls(make_backend, face):
    """As openai-python does."""
    backend = make_backend(Script(turns=[Turn(calls=[FunctionCall("Weather", '{"city": "Oslo", "days": 2}')])]))
    response = face.run(backend, lambda one: one.responses.parse(input="x", tools=[Weather]))
    assert response.output[0].parsed_arguments.city == "Oslo"
    assert "text" not in sent(backend)


def test_a_web_search_comes_as_an_item(make_backend, face):
    """With what was searched for."""
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
    backend = make_backend(Script(turns=[Turn(calls=[Item(item)], text="x")]))
    found = ask(face, backend, tools=[{"type": "web_search"}]).output
    assert next(one for one in found if one.type == "web_search_call").action["query"] == "q"
