"""Tools, the choice among them, and images, as the embedded backend takes and refuses them."""

import base64
import json

import pytest

from codex_nb.local import CustomCall, FunctionCall, LocalBackend, Script, Turn
from codex_nb.local.catalogue import row
from tests.local.raw import RESPONSES, body, events, text_of

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
    "strict": True,
}
NOTE = {"type": "custom", "name": "note", "format": {"type": "text"}}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def post(raw, backend, **changes):
    """Ask on the Codex path with more fields."""
    return raw.http.post(backend.url + RESPONSES, json=body() | changes)


def calls(reply):
    """Return the items of an answer that call a tool."""
    done = [event["item"] for event in events(reply.text) if event["type"] == "response.output_item.done"]
    return [item for item in done if item["type"] in {"function_call", "custom_tool_call"}]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", []),
        ("none", []),
        ("required", [("get_weather", '{"city": "text", "unit": "c"}')]),
        ({"type": "function", "name": "get_weather"}, [("get_weather", '{"city": "text", "unit": "c"}')]),
        ({"type": "custom", "name": "note"}, [("note", "Hi")]),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, []),
    ],
)
def test_a_tool_that_must_be_called_is_called(raw, backend, choice, expected):
    """The default answer follows the choice; its arguments satisfy the schema."""
    found = calls(post(raw, backend, tools=[WEATHER, NOTE], tool_choice=choice))
    assert [(item["name"], item.get("arguments", item.get("input"))) for item in found] == expected


def test_scripted_calls_come_side_by_side_and_are_answered(raw, backend):
    """Two functions and a custom tool in one answer; their outputs are taken in the next request."""
    backend.add(Turn(calls=[FunctionCall("get_weather"), FunctionCall("get_weather"), CustomCall("note", "x")]))
    found = calls(post(raw, backend, tools=[WEATHER, NOTE], tool_choice="auto", parallel_tool_calls=True))
    assert len({item["call_id"] for item in found}) == 3
    kinds = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
    outputs = [{"type": kinds[item["type"]], "call_id": item["call_id"], "output": "5"} for item in found]
    given = body()["input"] + found + outputs
    assert post(raw, backend, input=given).status_code == 200
    assert post(raw, backend, input=given[:-1]).status_code == 400


@pytest.mark.parametrize(
    ("changes", "param", "said"),
    [
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "other"}},
            "tool_choice",
            "'other' not found",
        ),
        ({"tools": [WEATHER], "tool_choice": {"type": "custom", "name": "get_weather"}}, "tool_choice", "not found"),
        ({"tools": [WEATHER], "tool_choice": "any"}, "tool_choice", "Supported values"),
        ({"tools": [WEATHER], "tool_choice": 3}, "tool_choice", "Supported values"),
        ({"tools": [], "tool_choice": "required"}, "tool_choice", "must be specified with"),
        ({"tools": [{"type": "function"}], "tool_choice": "auto"}, "tools[0].name", "Missing"),
        ({"tools": [WEATHER, {"name": "x"}], "tool_choice": "auto"}, "tools[1].type", "Missing"),
        (
            {"tools": [WEATHER | {"parameters": {"type": "object"}}], "tool_choice": "auto"},
            "tools[0].parameters",
            "Invalid schema for function 'get_weather'",
        ),
        ({"tools": [WEATHER | {"parameters": None}], "tool_choice": "auto"}, "tools[0].parameters", "JSON object"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type", "xml"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema", "Missing"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name", "Missing"),
    ],
)
def test_refusals_name_the_place(raw, backend, changes, param, said):
    """An error object, before any answer."""
    reply = post(raw, backend, **changes)
    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (400, param)
    assert said in error["message"]


def image(url, **more):
    """Return input that shows an image."""
    return [{"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": url, **more}]}]


@pytest.mark.parametrize("url", ["https://example.com/a.png", f"data:image/png;base64,{PNG}"])
def test_images_are_taken_by_models_that_see(raw, backend, url):
    """By address or with their data; a model for text alone refuses."""
    assert post(raw, backend, input=image(url)).status_code == 200
    with LocalBackend(Script(rows=[row("blind", "Blind", "Text only.", input_modalities=["text"])])) as blind:
        reply = post(raw, blind, input=image(url), model="blind")
        assert reply.status_code == 400
        assert "does not support image" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,AAAA", "data:text/plain;base64,AAAA", "cat.png", "data:,", 3, None]
)
def test_what_is_no_image(raw, backend, url):
    """The words that official clients look for."""
    reply = post(raw, backend, input=image(url))
    assert reply.status_code == 400
    assert "The image data you provided does not represent a valid image" in reply.json()["error"]["message"]
    output = {"type": "function_call_output", "call_id": "c", "output": image(url)[0]["content"]}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    assert post(raw, backend, input=[call, output]).status_code == 400


def test_the_serving_model_may_be_another(raw, backend):
    """Header and response name the one that really served."""
    backend.add(Turn(text="x", model="gpt-5.4"))
    reply = post(raw, backend, model="gpt-5.5")
    assert reply.headers["openai-model"] == "gpt-5.4"
    assert events(reply.text)[-1]["response"]["model"] == "gpt-5.4"


def test_a_scripted_answer_to_a_schema(raw, backend):
    """A turn's own JSON goes out as it is."""
    form = {"type": "json_schema", "name": "w", "schema": WEATHER["parameters"], "strict": True}
    backend.add(Turn(text='{"city":"Oslo","unit":"c"}'))
    assert json.loads(text_of(post(raw, backend, text={"format": form}).text)) == {"city": "Oslo", "unit": "c"}
