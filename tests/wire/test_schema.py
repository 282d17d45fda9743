"""Schemas in strict form: they keep their meaning, and say only what the service takes."""

import dataclasses
import datetime as dt
import enum
import json
from decimal import Decimal
from typing import Annotated, Literal, Optional, Union

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, Field, TypeAdapter, create_model

from codex_nb.errors import UnsupportedParameter
from codex_nb.wire.schema import check_strict, strict_schema

NOT_TAKEN = {"default", "allOf", "oneOf", "discriminator", "prefixItems", "minLength", "uniqueItems", "examples"}


def schemas(node):
    """Give every schema in ``node``."""
    yield node
    for each in [*node.get("properties", {}).values(), *node.get("$defs", {}).values(), *node.get("anyOf", [])]:
        yield from schemas(each)
    if "items" in node:
        yield from schemas(node["items"])


def assert_strict(schema):
    """Nothing in it is open, optional or unknown to the service."""
    for node in schemas(schema):
        assert not NOT_TAKEN & node.keys()
        if "$ref" in node:
            assert node.keys() == {"$ref"}
            assert node["$ref"].removeprefix("#/$defs/") in schema["$defs"]
        else:
            assert "type" in node or "anyOf" in node
        if "object" in node.get("type", ""):
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
    check_strict(schema, parameter="tools", name="f")


class Colour(enum.Enum):
    """Two."""

    RED = "red"
    TWO = 2


class Leaf(BaseModel):
    """A leaf."""

    n: int = Field(3, ge=1, description="how many")


class Tree(BaseModel):
    """What holds itself in every way."""

    leaf: Leaf = Field(Leaf(), description="the first leaf")
    kids: list["Tree"] = []
    best: Optional["Tree"] = Field(None, description="the best of them")
    colour: Colour = Colour.RED
    day: dt.date
    page: AnyUrl
    price: Decimal
    pair: tuple[int, str]
    several: set[int]
    short: Annotated[str, Field(max_length=5)]
    kind: Literal["a", 7, None]  # noqa: PYI061 - null in an enum


@dataclasses.dataclass
class Point:
    """Two numbers."""

    x: float
    y: float = 0.0


FULL = Tree(
    kids=[],
    day=dt.date(2026, 1, 2),
    page="https://a.b/c",
    price=Decimal("1.50"),
    pair=(1, "x"),
    several={1, 2},
    short="ab",
    kind=7,
)


def test_a_rich_recursive_model_is_strict_and_takes_its_instances():
    """Defaults, descriptions beside references, enums, tuples, dates and itself."""
    schema = strict_schema(Tree.model_json_schema())
    assert_strict(schema)
    whole = FULL.model_copy(update={"kids": [FULL], "best": FULL})
    jsonschema.validate(json.loads(whole.model_dump_json()), schema)


def test_words_beside_a_reference_stay():
    """The reference is written out for them; alone it stays a reference."""
    schema = strict_schema(Tree.model_json_schema())
    assert schema["properties"]["leaf"]["description"] == "the first leaf"
    assert schema["properties"]["leaf"]["properties"]["n"]["minimum"] == 1
    assert schema["properties"]["kids"]["items"] == {"$ref": "#/$defs/Tree"}


def test_what_the_service_can_not_check_is_told():
    """In the description, where the model reads it."""

    class Row(BaseModel):
        name: Annotated[str, Field(min_length=2, max_length=9, description="A name.")]
        page: AnyUrl
        mail: Annotated[str, Field(json_schema_extra={"format": "email"})]
        code: Annotated[str, Field(pattern=r"^[a-z]+$")]

    row = strict_schema(Row.model_json_schema())["properties"]
    assert row["name"]["description"] == "A name. (minLength: 2, maxLength: 9)"
    assert "uri" in row["page"]["description"]
    assert "format" not in row["page"]
    assert row["mail"]["format"] == "email"
    assert row["code"]["pattern"] == "^[a-z]+$"


def test_patterns_that_look_around_are_told():
    """The service's engine has none of these."""
    schema = strict_schema({"type": "string", "pattern": "^(?!x)y"})
    assert schema == {"type": "string", "description": "(pattern: ^(?!x)y)"}


@pytest.mark.parametrize(
    ("asked", "strict"),
    [
        ({"allOf": [{"type": "string"}], "title": "T"}, {"type": "string", "title": "T"}),
        ({"const": 1}, {"const": 1, "type": "integer"}),
        ({"enum": ["a", None, True]}, {"enum": ["a", None, True], "type": ["string", "null", "boolean"]}),
        (
            {"oneOf": [{"type": "string"}, {"type": "null"}], "discriminator": {}},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}], "items": False},
            {"type": "array", "items": {"type": "string"}},
        ),
        (
            {"allOf": [{"properties": {"a": {"type": "null"}}}, {"properties": {"b": {"type": "null"}}}]},
            {
                "type": "object",
                "properties": {"a": {"type": "null"}, "b": {"type": "null"}},
                "required": ["a", "b"],
                "additionalProperties": False,
            },
        ),
        (
            {"type": "object", "properties": {}},
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        ),
    ],
)
def test_other_forms_become_the_one_that_is_taken(asked, strict):
    """One by one."""
    assert strict_schema(asked) == strict


def test_the_given_schema_is_left_alone():
    """A schema of the caller's is theirs."""
    before = json.dumps(theirs := Tree.model_json_schema())
    strict_schema(theirs)
    assert json.dumps(theirs) == before


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "may be anything"),
        (True, "may be anything"),
        ({"type": "object"}, "free keys"),
        (TypeAdapter(dict[str, int]).json_schema(), "free keys"),
        ({"type": "array"}, "may be anything"),
        ({"type": "array", "items": False}, "list of nothing"),
        ({"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {}}}}, "#/properties/a has"),
        ({"$ref": "#/$defs/Gone"}, "is not there"),
        ({"$ref": "https://elsewhere/x"}, "is not there"),
        ({"oneOf": [{"type": "null"}], "anyOf": [{"type": "null"}]}, "both"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "differ in type"),
        (
            {"allOf": [{"properties": {"a": {"type": "null"}}}, {"properties": {"a": {"type": "string"}}}]},
            "differ in properties",
        ),
        ({"$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}, {"type": "string"}]}}, "$ref": "#/$defs/A"}, "holds itself"),
    ],
)
def test_what_has_no_strict_form_is_refused(asked, why):
    """With the place, before anything is sent."""
    with pytest.raises(UnsupportedParameter, match=why) as caught:
        strict_schema(asked if isinstance(asked, dict) else {"properties": {"x": asked}}, parameter="tools")
    assert caught.value.parameter == "tools"
    assert caught.value.hint


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False},
        {"type": "object", "properties": {"a": {"items": {"type": "object"}}}, "required": ["a"]}
        | {"additionalProperties": False},
    ],
)
def test_a_schema_that_only_says_strict_is_found_out(schema):
    """The service would refuse it, after the whole prompt went over."""
    with pytest.raises(UnsupportedParameter, match="get_weather says strict") as caught:
        check_strict(schema, parameter="tools", name="get_weather")
    assert caught.value.parameter == "tools"


def model_of(*kinds):
    """Return a model with fields of these kinds."""
    return create_model("Made", **{f"f{n}": (kind, ...) for n, kind in enumerate(kinds)})


def together(pairs):
    """Return a model with these kinds, and its value."""
    return model_of(*(kind for kind, _ in pairs)), {f"f{n}": value for n, (_, value) in enumerate(pairs)}


# A type, and a JSON value of it.
SIMPLE = st.one_of(
    st.tuples(st.just(str), st.text()),
    st.tuples(st.just(int), st.integers()),
    st.tuples(st.just(bool), st.booleans()),
    st.tuples(st.just(float), st.floats(allow_nan=False, allow_infinity=False)),
    st.just((None, None)),
    st.tuples(st.just(Colour), st.sampled_from(["red", 2])),
    st.tuples(st.just(Leaf), st.integers(1).map(lambda n: {"n": n})),
    st.tuples(st.just(Point), st.just({"x": 1.5, "y": 0.0})),
    st.tuples(st.just(dt.date), st.dates().map(str)),
    st.tuples(st.just(Literal["x", 3]), st.sampled_from(["x", 3])),
)
TYPED = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map(lambda one: (list[one[0]], [one[1]] * 2)),
        st.tuples(inner, inner).map(lambda two: (Union[two[0][0], two[1][0]], two[1][1])),  # noqa: UP007
        st.tuples(inner, inner).map(lambda two: (tuple[two[0][0], two[1][0]], [two[0][1], two[1][1]])),
        inner.map(lambda one: (Optional[one[0]], None)),  # noqa: UP045 - None | None is no type
        inner.map(lambda one: (Annotated[one[0], Field(description="said")], one[1])),
        st.lists(inner, max_size=3).map(together),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(TYPED, min_size=1, max_size=3))
def test_random_models_keep_their_meaning(pairs):
    """Every complete instance is valid; an incomplete or a larger one is not."""
    model, payload = together(pairs)
    schema = strict_schema(model.model_json_schema())
    assert_strict(schema)
    model.model_validate_json(json.dumps(payload))
    jsonschema.validate(payload, schema)
    for wrong in ({}, payload | {"more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
