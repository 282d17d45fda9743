"""What an answer shall be: the little language, other forms of a schema, and the table that comes of records."""

import contextlib
import dataclasses
import json

import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from codex_nb.chat.records import frame_of, rows_so_far, shown_rows
from codex_nb.chat.schema import output_schema
from codex_nb.errors import InvalidOption
from codex_nb.wire.schema import strict_schema


def read(schema, value):
    """Return ``value`` as the schema's type reads it."""
    wanted = schema.wanted
    adapter = wanted if isinstance(wanted, pydantic.TypeAdapter) else pydantic.TypeAdapter(wanted)
    return adapter.validate_python(value)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("[name: str, year: int, price: float?]", [{"name": "a", "year": 1, "price": None}]),
        ("{name: str, tags: [str]}", {"name": "a", "tags": ["x", "y"]}),
        ("name: str, size: small|large", {"name": "a", "size": "small"}),
        ("[day: date, at: datetime?, ok: bool,]", [{"day": "2026-11-21", "at": None, "ok": True}]),
        ("a: {b: {c: int}}, d: [e: int]", {"a": {"b": {"c": 1}}, "d": [{"e": 2}]}),
        ("[str]", ["a", "b"]),
        ("int", 42),
        ("yes|no", "yes"),
        ("[copy: str, model_config: int, class: str]", [{"copy": "a", "model_config": 1, "class": "b"}]),
    ],
)
def test_the_little_language(line, value):
    """It reads what it describes, and says so by a strict schema."""
    schema = output_schema(line)
    found = read(schema, value)
    assert pydantic.TypeAdapter(schema.wanted).dump_python(found, mode="json") == value
    strict_schema(pydantic.TypeAdapter(schema.wanted).json_schema())


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "empty"),
        ("[", "missing at its end"),
        ("[name]", "no type"),
        ("[name: strr]", "no type"),
        ("[a: int, a: int]", "no new name"),
        ("a: int]", "too much"),
        ("[a: int", "']' is missing"),
        ("[a int]", "no type"),
        ("{a: int, b}", "':' is missing"),
    ],
)
def test_a_line_that_cannot_be_read_says_where(line, problem):
    """In one sentence, with an example or the list of types."""
    with pytest.raises(InvalidOption, match="cannot be read") as caught:
        output_schema(line)
    assert problem in caught.value.message
    assert caught.value.hint


@given(st.text(alphabet="ab:,?|[]{} int", max_size=30))
def test_any_line_is_a_schema_or_one_kind_of_error(line):
    """Nothing else comes of it."""
    with contextlib.suppress(InvalidOption):
        output_schema(line)


class City(pydantic.BaseModel):
    """A row."""

    name: str
    population: int | None


@dataclasses.dataclass
class Point:
    """A row, too."""

    x: int
    label: str


class Entry(TypedDict):
    """And another one."""

    word: str
    count: int


@pytest.mark.parametrize(
    ("kind", "rows", "dtypes"),
    [
        (list[City], [{"name": "a", "population": None}], ["str", "Int64"]),
        (list[Point], [{"x": 1, "label": "a"}], ["Int64", "str"]),
        (list[Entry], [{"word": "a", "count": 3}], ["str", "Int64"]),
    ],
)
def test_types_of_python_are_schemas(kind, rows, dtypes):
    """A list of records is a table; one record is a value."""
    schema = output_schema(kind)
    frame = frame_of(schema, read(schema, rows))
    assert frame.to_dict("records") == pd.DataFrame(rows).convert_dtypes().to_dict("records")
    text = str(pd.Series(["x"]).dtype)
    assert [str(dtype) for dtype in frame.dtypes] == [text if name == "str" else name for name in dtypes]
    assert output_schema(City).record is None


def test_an_empty_table_has_the_dtypes_of_a_full_one():
    """Whatever the columns are."""
    schema = output_schema("[a: str, b: int, c: float?, d: bool, e: date, f: x|y, g: [int], h: datetime]")
    row = {"a": "a", "b": 1, "c": 1.5, "d": True, "e": "2026-01-02", "f": "y", "g": [1], "h": "2026-01-02T03:04:05"}
    full, empty = (frame_of(schema, read(schema, rows)) for rows in ([row], []))
    assert list(full.dtypes) == list(empty.dtypes)
    assert list(full.f.cat.categories) == ["x", "y"]
    assert str(full.e.dtype) == "datetime64[us]"


def test_times_of_several_zones_are_all_there():
    """In UTC, in a column of the documented dtype; a frame with a zone gets its own."""
    said = ["2026-01-02T03:00:00+01:00", "2026-01-02T03:00:00Z", "2026-01-02T03:00:00", None]
    rows = [{"at": each} for each in said]
    schema = output_schema("[at: datetime?]")
    plain = frame_of(schema, read(schema, rows))["at"]
    assert str(plain.dtype) == "datetime64[us]"
    assert [one.hour for one in plain[:3]] == [2, 3, 3]
    schema = output_schema(pd.DataFrame({"at": pd.to_datetime(["2026-07-01"]).tz_localize("Europe/Berlin")}))
    theirs = frame_of(schema, read(schema, rows))["at"]
    assert theirs.dtype == schema.like["at"].dtype
    assert [one.hour for one in theirs[:3]] == [3, 4, 4]


def test_a_frame_asks_for_rows_of_its_columns():
    """Names and dtypes stay; a missing value keeps a dtype that has none from it."""
    like = pd.DataFrame(
        {"a b": [1], "x": pd.Categorical(["u"]), "t": pd.to_datetime(["2020-01-01"]), "s": ["q"], "n": [1]}
    )
    schema = output_schema(like)
    rows = [{"a b": 3, "x": "u", "t": "2020-01-01T00:00:00", "s": None, "n": None}]
    frame = frame_of(schema, read(schema, rows))
    assert list(frame.columns) == list(like.columns)
    assert list(frame.dtypes[:4]) == list(like.dtypes[:4])
    assert str(frame.n.dtype) == "Int64"
    with pytest.raises(InvalidOption, match="columns"):
        output_schema(pd.DataFrame())


def test_a_json_schema_is_checked_by_its_own_rules():
    """The answer is plain JSON, and what does not fit is an error."""
    wanted = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 3}},
        "required": ["n"],
        "additionalProperties": False,
    }
    schema = output_schema(wanted)
    assert read(schema, {"n": 3}) == {"n": 3}
    with pytest.raises(pydantic.ValidationError, match="minimum"):
        read(schema, {"n": 2})
    with pytest.raises(InvalidOption, match="no JSON schema"):
        output_schema({"type": "nonsense"})


ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.text(max_size=8), min_size=1))


@given(ROWS, st.floats(0, 1))
def test_rows_appear_while_they_stream(rows, part):
    """Of any beginning of the text only whole values are shown, in their places."""
    text = json.dumps({"value": rows})
    found = rows_so_far(text[: round(len(text) * part)])
    for seen, row in zip(found, rows, strict=False):
        assert seen.items() <= row.items()
    assert rows_so_far(text) == rows
    shown_rows(text)


def test_a_cell_of_the_table_is_text():
    """No cell ends another, and none is markup."""
    shown = shown_rows(json.dumps([{"a|b": "x|y <script>", "n": 1}] * 60))
    assert "<script" not in shown
    assert "… and 10 more" in shown
    lines = shown.splitlines()
    assert len(lines) == 54
    assert {line.count("|") for line in lines[:52]} == {3}
