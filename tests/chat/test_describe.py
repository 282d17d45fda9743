"""Descriptions of objects: what they say, how long they are, and what they keep back."""

import dataclasses
import gc

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb import private, tool
from codex_nb.chat.describe import describe
from codex_nb.chat.tokens import estimate

SALES = pd.DataFrame(
    {
        "region": ["north", "south", "south", None] * 300,
        "units": range(1200),
        "price": [1.5, float("nan"), 2.25, 1e6] * 300,
        "when": pd.date_range("2026-01-01", periods=1200, freq="h"),
        "ok": [True, False] * 600,
        "email": [f"someone{n}@example.org" for n in range(1200)],
    }
)


def said(value, tokens=2_000):
    """Return kind and text of a description."""
    description = describe(value)
    return f"{description.kind}\n{description.text(tokens)}"


def test_a_frame_tells_its_shape_types_gaps_ranges_levels_and_rows():
    """What one would look at first."""
    text = said(SALES)
    assert text.startswith("pandas DataFrame, 1200 rows x 6 columns\n")
    assert "- region: str, 300 nulls, 2 distinct: south (600); north (300)" in text
    assert "- units: int64, no nulls, 0 … 1199, mean 599.5" in text
    assert "- price: float64, 300 nulls, 1.5 … 1e+06" in text
    assert "- when: datetime64[us], no nulls, 2026-01-01 00:00:00 … 2026-02-19 23:00:00" in text
    assert "- ok: bool, no nulls, 2 distinct" in text
    assert "- email: str, no nulls, 1200 distinct, none twice, such as someone0@example.org" in text
    assert "12 of 1200 rows, from first to last, as CSV:\nregion,units,price" in text
    assert "\nnorth,0,1.5,2026-01-01 00:00:00,True,someone0@example.org" in text
    assert text.endswith("someone1199@example.org")


@pytest.mark.parametrize(
    "make",
    [pd.DataFrame, pl.DataFrame, pa.table, lambda columns: pl.DataFrame(columns).lazy(), lambda c: pd.Series(c["a"])],
    ids=["pandas", "polars", "pyarrow", "lazy", "series"],
)
def test_frames_of_every_library_are_described_alike(make):
    """Through narwhals; what is not computed yet is not computed for it."""
    text = said(make({"a": [1, 2, None], "email": ["x@y.org", None, "z@y.org"]}))
    assert text.splitlines()[0].split(",")[0] in {
        "pandas DataFrame",
        "polars DataFrame",
        "pyarrow Table",
        "polars LazyFrame",
        "pandas Series",
    }
    assert "not computed yet" in text or ("1 null, 1 … 2, mean 1.5" in text and "All rows, as CSV:" in text)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
def test_a_private_column_shows_its_type_and_gaps_alone(make):
    """No range, no level, no row; None stays empty."""
    frame = make({"name": ["Ann", "Bob"], "Email": ["ann@example.org", None], "salary": [51234, 61234]})
    with private("email", "salary"):
        text = said(frame)
    assert "example.org" not in text
    assert "1234" not in text
    assert text.count("private: its values are not shown") == 2
    assert "1 null" in text
    assert "Ann,<private " in text
    assert "ann@example.org" in said(frame)


def test_private_names_hold_in_indexes_keys_fields_and_cells():
    """Wherever a value has a name."""
    frame = SALES.set_index(["email", "region"])[["units"]].head(3)
    nested = pd.DataFrame({"row": [{"email": "a@example.org", "n": 1}]})
    Person = dataclasses.make_dataclass("Person", ["name", "email"])  # noqa: N806 - a class
    records = np.array([(1, "a@example.org")], dtype=[("n", int), ("email", "U20")])
    values = (
        frame,
        nested,
        {"email": "a@example.org"},
        Person("Ann", "a@example.org"),
        records,
        SALES["email"],
        [frame],
    )
    with private("email"):
        for value in values:
            assert "example.org" not in said(value)
    assert "example.org" in said(nested)


def test_secrets_in_values_are_hidden_in_every_kind_of_object():
    """A key in a frame, a text, a dict, an array, source, an exception, a repr."""
    key = "sk-abcdefghijklmnop1234"

    class Odd:
        def __repr__(self):
            return f"Odd({key})"

        def _repr_llm_(self):
            return f"mine is {key}"

    error = ValueError(f"bad key {key}")
    for value in (pd.DataFrame({"a": [key]}), key, {"a": [key]}, np.array([key]), error, Odd(), [Odd()], key.encode()):
        assert "abcdefghijklmnop" not in said(value)


def test_an_objects_own_words_win():
    """``_repr_llm_`` or ``__llm__``; one that fails is as if it was not there."""

    class Own(dict):
        def _repr_llm_(self):
            return "words for a model"

    class Other:
        def __llm__(self):
            return "more words"

    class Broken(dict):
        def _repr_llm_(self):
            raise RuntimeError("never mind")

    assert said(Own(a=1)).endswith("words for a model")
    assert said(Other()).endswith("more words")
    assert said(Broken(a=1)).endswith("{'a': 1}")
    assert said(Own).startswith("class Own")


def test_arrays_tell_shape_type_range_and_edges():
    """NaN and infinities are counted, not averaged."""
    array = np.arange(1_000_000.0).reshape(1000, 1000)
    array[0, 0] = np.nan
    text = said(array, 400)
    assert "numpy ndarray, 1000 x 1000, float64" in text
    assert "1 … 999999, mean 500000, standard deviation 288675, 1 not finite" in text
    assert estimate(text) < 450
    assert "one value" in said(np.array(3))
    assert "0 x 2" in said(np.zeros((0, 2)))
    assert "5 values true of 10" in said(np.arange(10) < 5)


def function_of_a_file(x: int) -> int:
    """Double it."""
    return 2 * x


class ClassOfAFile:
    """A class."""

    def method(self):
        """A method."""


def test_functions_and_classes_are_their_source():
    """Also behind `codex_nb.tool`; what has no source says its signature and docstring."""
    assert "return 2 * x" in said(function_of_a_file)
    assert "return 2 * x" in said(tool(function_of_a_file))
    assert "def method(self)" in said(ClassOfAFile)
    assert said(len).startswith("function len of builtins\nlen(obj, /)")
    assert said(gc).startswith("module gc\n")


def test_exceptions_tell_where_and_why():
    """The cause too; frames of libraries only at the end."""

    def fails():
        try:
            return SALES["prise"]
        except KeyError as error:
            raise RuntimeError("no such column") from error

    with pytest.raises(RuntimeError) as caught:
        fails()
    text = said(caught.value)
    assert text.startswith("exception RuntimeError\nRuntimeError: no such column\n")
    assert 'return SALES["prise"]' in text
    assert "KeyError: 'prise'" in text
    assert "site-packages" not in text


def test_containers_are_bounded_in_every_direction():
    """Depth, items, length of texts; a set has an order, and what holds itself ends."""
    deep = []
    for _ in range(100):
        deep = [deep]
    ring = []
    ring.append(ring)
    value = {"many": list(range(10_000)), "deep": deep, "long": "x" * 100_000, "ring": ring, "frame": SALES}
    assert estimate(said(value, 300)) <= 330
    text = said(value)
    assert "more" in text
    assert "(itself)" in text
    assert "<DataFrame 1200 x 6>" in text
    assert said({"b", "a"}) == said({"a", "b"})


def test_a_plain_object_shows_its_fields_and_no_address():
    """So the same object reads the same in another kernel."""

    class Plain:
        def __init__(self):
            self.size = 3
            self._hidden = 4

    assert said(Plain()) == "Plain\nPlain(size=3)"
    assert " at 0x" not in said(object())


def test_what_cannot_be_looked_at_is_named():
    """An object that fails in every way is no reason not to ask; its repr is not trusted with what is private."""

    class Hostile(dict):
        def items(self):
            raise RuntimeError("no")

        def __repr__(self):
            raise RuntimeError("no")

    assert "cannot be described: RuntimeError" in said(Hostile(a=1))
    assert said(Hostile(a=1)).startswith("Hostile")

    class Failing:
        def __repr__(self):
            raise RuntimeError("no")

    assert "its repr fails with RuntimeError" in said(Failing())

    class Guarded:
        def __getattr__(self, name):
            raise KeyError(name)

    assert said(Guarded()).startswith("Guarded")


@pytest.mark.parametrize(
    "value", [SALES, SALES.T, "words and words " * 5_000, {"a": [list(range(99))] * 99}, np.eye(99)]
)
def test_a_description_keeps_to_its_tokens(value):
    """Whatever the object, with less detail for less room."""
    description = describe(value)
    for tokens in (60, 150, 400, 1_000, 3_000):
        assert estimate(description.text(tokens)) <= tokens + 12


def test_the_same_object_gives_the_same_bytes():
    """Prompt caches look at bytes."""
    assert said(SALES) == said(SALES.copy())
    assert said(SALES, 200) == said(SALES.copy(), 200)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner) | st.frozensets(st.text()),
)


@given(anything, st.integers(40, 400))
def test_any_value_has_a_bounded_description(value, tokens):
    """No value fails, none is too long, each one twice is the same."""
    text = describe(value).text(tokens)
    assert estimate(text) <= tokens + 12
    assert describe(value).text(tokens) == text


@given(st.dictionaries(st.text(min_size=1), st.lists(st.none() | st.integers() | st.text(), min_size=3, max_size=3)))
def test_any_frame_has_a_description(columns):
    """Whatever its columns are called, and of mixed types."""
    frame = pd.DataFrame(columns)
    assert describe(frame).kind.startswith(f"pandas DataFrame, {len(frame)} rows x {len(columns)} column")
    assert "cannot be described" not in describe(frame).text(1_000)


def test_frames_that_other_libraries_do_not_take_are_described_too():
    """Columns of one name, names that are no texts, levels of columns, no columns at all."""
    assert "- a: int64" in said(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert "- 0: int64" in said(pd.DataFrame([[1, 2]]))
    assert "units" in said(SALES.groupby("region").agg({"units": ["min", "max"]}))
    assert said(pd.DataFrame()).startswith("pandas DataFrame, 0 rows x 0 columns")
    assert "object" in said(pd.DataFrame({"o": [[1], {"a": 2}, None]}))
