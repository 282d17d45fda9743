"""Types as formats: what goes out takes every value, what comes back is that value."""

import enum
import json

import jsonschema
import pytest
from hypothesis import given, settings
from pydantic import BaseModel, Field, RootModel, TypeAdapter

from codex_nb import errors
from codex_nb.client._formats import Format
from tests.wire.test_schema import TYPED, Tree, assert_strict


@settings(deadline=None, max_examples=60)
@given(TYPED)
def test_any_value_of_any_type_comes_back(typed):
    """Objects as they are, everything else in one."""
    kind, payload = typed
    form = Format(kind)
    assert_strict(form.schema)
    assert form.schema["type"] == "object"
    sent = {"value": payload} if form.wrapped else payload
    jsonschema.validate(sent, form.schema)
    assert form.read(json.dumps(sent)) == TypeAdapter(kind).validate_json(json.dumps(payload))


class Box(BaseModel):
    """A field under another name on the wire, and a value that only JSON takes as text."""

    inner: "list[Box]" = Field(alias="in-side", default=[])
    raw: bytes = b""

    model_config = {"strict": True}


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        (Box, '{"in-side": [{"in-side": [], "raw": "x"}], "raw": ""}', "Box"),
        (list[Box], '{"value": [{"in-side": [], "raw": "x"}]}', "list_Box"),
        (RootModel[list[Tree]], '{"value": []}', "RootModel_list_Tree"),
        (enum.Enum("Colour", {"RED": "red"}), '{"value": "red"}', "Colour"),
        (set[int], '{"value": [1, 2]}', "set_int"),
    ],
)
def test_aliases_and_strict_models_read_as_json(kind, text, name):
    """A value is taken out of its object as JSON, not as Python objects, which strict models would refuse."""
    form = Format(kind)
    assert form.name == name
    wanted = json.loads(text)
    wanted = wanted["value"] if form.wrapped else wanted
    assert form.read(text) == TypeAdapter(kind).validate_json(json.dumps(wanted))


@pytest.mark.parametrize("text", ["", "null", "[]", '{"valu": 1}', '{"value": "x"}', "7.5", '{"value": {}}', "\ud800"])
def test_what_is_not_the_value_is_told(text):
    """In either form."""
    with pytest.raises(errors.InvalidAnswer):
        Format(int).read(text)


def test_names_are_what_the_service_takes():
    """Letters, digits, and not too many."""
    long = type("N" * 99, (BaseModel,), {})
    assert Format(long).name == "N" * 64
    assert Format(type("Größe", (BaseModel,), {})).name == "Gr_e"
    assert Format(type("ŻŹĆ", (BaseModel,), {})).name == "answer"
