"""Schemas of answers: what strict mode refuses, and that the default answer satisfies every schema it takes."""

import json

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codex_nb.local import schemas
from tests.local.raw import RESPONSES, body, text_of


def strict(**properties):
    """Return an object schema as strict mode wants it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def form(schema, **changes):
    """Return a text option that asks for a schema."""
    whole = {"type": "json_schema", "name": "thing", "schema": schema, "strict": True}
    return {"format": whole | changes}


TEXT = {"type": "string"}
NODE = strict(value={"type": "integer"}, next={"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]})
TAKEN = {
    "simple": strict(name=TEXT, age={"type": "integer"}, tags={"type": "array", "items": TEXT}),
    "nothing": strict(),
    "union": strict(a={"type": ["string", "null"]}, b={"anyOf": [strict(x=TEXT), {"type": "null"}]}),
    "choice": strict(a={"enum": ["red", "blue"]}, b={"const": 7}, c={"type": "boolean"}, d={"type": "null"}),
    "bounds": strict(
        a={"type": "integer", "minimum": 5, "maximum": 9, "multipleOf": 4},
        b={"type": "number", "exclusiveMinimum": 2, "exclusiveMaximum": 3},
        c={"type": "integer", "exclusiveMaximum": -3},
        d={"type": "array", "items": TEXT, "minItems": 3, "maxItems": 4},
        e={"type": "array", "items": TEXT, "maxItems": 0},
        f={"type": "string", "minLength": 9, "maxLength": 10},
    ),
    "formats": strict(**{name: {"type": "string", "format": name} for name in schemas.FORMATS}),
    "shared": strict(a={"$ref": "#/$defs/pair"}, b={"$ref": "#/$defs/pair"})
    | {"$defs": {"pair": strict(l=TEXT, r=TEXT)}},
    "recursive": strict(head={"$ref": "#/$defs/node"}) | {"$defs": {"node": NODE}},
    "tree": strict(name=TEXT, children={"type": "array", "items": {"$ref": "#"}}),
    "joined": strict(a={"allOf": [{"$ref": "#/$defs/t"}], "description": "x"}) | {"$defs": {"t": {"enum": [3]}}},
}


@pytest.mark.parametrize("name", TAKEN)
def test_the_default_answer_satisfies_the_schema(raw, backend, name):
    """References, unions, bounds, formats and recursion included."""
    answer = ask(raw, backend, TAKEN[name])
    jsonschema.Draft202012Validator(
        TAKEN[name], format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(answer)


def ask(raw, backend, schema, **changes):
    """Ask for an answer of a schema, and return it read."""
    reply = raw.http.post(backend.url + RESPONSES, json=body() | {"text": form(schema, **changes)})
    assert reply.status_code == 200, reply.text
    return json.loads(text_of(reply.text))


REFUSED = {
    "open object": ({"type": "object", "properties": {}, "required": []}, "'additionalProperties' is required"),
    "optional field": (strict(a=TEXT) | {"required": []}, "Missing 'a'"),
    "unknown required": (strict(a=TEXT) | {"required": ["a", "b"]}, "Extra required key 'b'"),
    "no object": ({"type": "array", "items": TEXT}, "got 'type: \"array\"'"),
    "no type": ({"anyOf": [strict()]}, "got 'type: \"None\"'"),
    "nested": (strict(a={"type": "object", "properties": {}}), "In context=('properties', 'a')"),
    "in an array": (strict(a={"type": "array", "items": {"type": "object"}}), "'items')"),
    "in a union": (strict(a={"anyOf": [TEXT, {"type": "object"}]}), "'anyOf', '1')"),
    "in a definition": (strict() | {"$defs": {"x": {"type": "object"}}}, "'$defs', 'x')"),
    "array without items": (strict(a={"type": "array"}), "missing items"),
    "text for a schema": (strict(a="string"), "is not of type 'object'"),
    "no schema": ("x", "must be a JSON object"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_strict_mode_refuses(raw, backend, name):
    """An error object with the place; without strict the same is taken."""
    schema, said = REFUSED[name]
    reply = raw.http.post(backend.url + RESPONSES, json=body() | {"text": form(schema)})
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (400, "invalid_json_schema", "text.format.schema")
    assert error["message"].startswith("Invalid schema for response_format 'thing': ")
    assert said in error["message"]
    if isinstance(schema, dict):
        ask(raw, backend, schema, strict=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["object", "array", "string", "#", "#/$defs/a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "$ref", "$defs", "anyOf", "allOf", "required", "minItems", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["type", "properties", "items", "$ref", "anyOf", "enum", "minimum"]), JSON))
@example({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}})
@example({"allOf": [{"$ref": "#"}, {"$ref": "#"}]})
@example({"type": "array", "items": {"$ref": "#"}, "minItems": 1_000_000_000})
def test_no_schema_breaks_it(schema):
    """Whatever is sent as a schema is judged and answered."""
    assert isinstance(schemas.objection(schema), str)
    json.dumps(schemas.example(schema))
