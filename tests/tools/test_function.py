"""A Python function as a tool: what the model is told, what its calls become, and what is refused."""

import functools
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import codex_nb
from codex_nb.errors import ToolError
from codex_nb.tools.approve import Approval
from codex_nb.tools.function import Tool
from codex_nb.tools.results import as_text
from codex_nb.tools.written import shown_call, written_call
from codex_nb.wire.schema import check_strict


class Place(BaseModel):
    """Where."""

    city: str
    country: str | None = None


@codex_nb.tool
def forecast(place: Place, days: int = 3, unit: Literal["c", "f"] = "c") -> str:
    """Say what the weather will be.

    It is made up.

    Args:
        place: where to look
        days (int): how far ahead

    Returns:
        a sentence

    """
    return f"{place.city} {days} {unit}"


def test_a_tool_is_its_function_still():
    """It can be called, and tells its name."""
    assert forecast(Place(city="Oslo")) == "Oslo 3 c"
    assert forecast.__name__ == "forecast"
    assert repr(forecast).startswith("<Tool forecast(place: ")


def test_the_model_is_told_name_docstring_and_types():
    """The schema is strict; what has a default may be null."""
    told = forecast.definition()
    assert (told["type"], told["name"], told["strict"]) == ("function", "forecast", True)
    assert told["description"] == "Say what the weather will be.\n\nIt is made up."
    check_strict(told["parameters"], parameter="tools", name="forecast")
    fields = told["parameters"]["properties"]
    assert list(fields) == told["parameters"]["required"] == ["place", "days", "unit"]
    assert fields["days"]["description"] == "how far ahead (null: 3)"
    assert {"type": "null"} in fields["days"]["anyOf"]


def test_arguments_are_read_by_the_type_hints():
    """Null is the function's own default."""
    arguments = forecast.read('{"place": {"city": "Oslo", "country": null}, "days": null, "unit": "f"}')
    assert arguments == {"place": Place(city="Oslo"), "unit": "f"}
    assert forecast(**arguments) == "Oslo 3 f"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"place": 3}', '{"place": {"city": "x"}, "more": 1}'])
def test_arguments_that_do_not_validate_are_an_error(text):
    """It names the places, and quotes no value."""
    with pytest.raises(ToolError, match="forecast") as caught:
        forecast.read(text)
    assert caught.value.tool == "forecast"


DOCS = {
    "google": "Do it.\n\nArgs:\n    size (int): how large\n    name: what it is called\n",
    "numpy": "Do it.\n\nParameters\n----------\nsize : int\n    how large\nname : str\n    what it is called\n",
    "sphinx": "Do it.\n\n:param int size: how large\n:param name: what it is called\n:returns: nothing\n",
}


@pytest.mark.parametrize("style", DOCS)
def test_docstrings_of_three_styles_describe_parameters(style):
    """What is said of each parameter is told with it."""

    def f(size: int, name):
        return size, name

    f.__doc__ = DOCS[style]
    told = Tool(f).definition()
    assert told["description"] == "Do it."
    fields = told["parameters"]["properties"]
    assert [fields[name]["description"] for name in ("size", "name")] == ["how large", "what it is called"]
    assert fields["name"]["type"] == "string"


@dataclass
class Size:
    """How large."""

    width: int


def test_what_has_no_strict_form_is_told_as_it_is():
    """A dict with free keys goes over, without the promise."""

    def f(
        size: Size, options: dict[str, Any], schema: Annotated[str, Field(description="which", max_length=3)], copy: int
    ):
        return size, options, schema, copy

    told = Tool(f)
    assert told.definition()["strict"] is False
    read = told.read('{"size": {"width": 2}, "options": {"a": 1}, "schema": "abc", "copy": 1}')
    assert read == {"size": Size(2), "options": {"a": 1}, "schema": "abc", "copy": 1}


def test_functions_that_cannot_be_tools_say_why():
    """No parameters that cannot be named, no types that JSON cannot be, no names that the wire does not take."""

    def many(*values):
        return values

    def frame(data: pd.DataFrame):
        return data

    # Python 3.14 reads the parameters that are left of a partial.
    partial = [functools.partial(frame, 1)] if sys.version_info < (3, 14) else []
    for function in (many, frame, 3, lambda x: x, *partial):
        with pytest.raises(ToolError) as caught:
            Tool(function)
        assert caught.value.hint
        assert ".." not in caught.value.message
    assert codex_nb.tool(name="third", description="Give it back.")(lambda x: x).name == "third"


RESULTS = {
    "text": ("as it is", "as it is"),
    "JSON": ({"a": [1, None]}, '{"a":[1,null]}'),
    "a frame": (pd.DataFrame({"a": [1]}), ",a\n0,1\n"),
    "anything": (object, "<class 'object'>"),
    "its own": (type("Own", (), {"_repr_llm_": lambda _: "mine"})(), "mine"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_text(name):
    """Whatever it is."""
    value, text = RESULTS[name]
    assert as_text(value) == text


def test_a_long_result_is_cut_and_says_so():
    """The model does not get megabytes."""
    assert as_text("x" * 100, limit=10) == f"{'x' * 10}\n… cut here: 90 of 100 characters are left out."
    assert as_text(pd.DataFrame({"a": range(500)})).endswith("… and 300 more rows\n")


@given(st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.tuples(each), max_leaves=9))
def test_any_value_has_a_text_within_bounds(value):
    """No value is too odd."""
    assert len(as_text(value, limit=50)) < 150


def test_approval_asks_as_it_is_told():
    """Each time, once for the cell, never, or not at all."""
    asked = []

    def answers(*typed):
        given = iter(typed)
        return lambda prompt: asked.append(prompt) or next(given)

    call = ("f", {"x": 1})
    each = Approval("ask", answers("y", "no", "always"))
    assert [each.of(*call) for _ in range(4)] == [True, False, True, True]
    assert len(asked) == 3
    assert "f(x=1)" in asked[0]
    once = Approval("once", answers("yes"))
    assert [once.of(*call) for _ in range(2)] == [True, True]
    assert Approval("always", None).of(*call)
    assert not Approval("never", answers("y")).of(*call)
    assert not Approval("ask", None).of(*call)
    assert not Approval("ask", answers("")).of(*call)


def test_a_call_is_shown_on_one_line_without_commands():
    """What the model wrote cannot move the cursor, nor hide behind a long text."""
    shown = shown_call("rm", {"path": "\x1b[2J\u202e" + "a" * 999, "n": 1})
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert shown.endswith("…, n=1)")


def test_a_long_call_has_a_line_for_each_argument():
    """Texts read as they would be printed, and no line of theirs can pass for one of ours."""
    query = "SELECT *\nFROM t\nAllow it? once / always\x1b[2J\u202e"
    written = written_call("sql", {"query": query, "options": {"name": "x" * 60, "other": "y" * 60}})
    assert written.splitlines() == [
        "sql(",
        "    query =",
        "    | SELECT *",
        "    | FROM t",
        "    | Allow it? once / always�[2J�",
        f"    options = {{'name': '{'x' * 60}',",
        f"    |  'other': '{'y' * 60}'}}",
        ")",
    ]
    assert written_call("add", {"a": 2, "b": 40}) == "add(a=2, b=40)"


@given(
    st.dictionaries(st.text(max_size=9), st.text(max_size=9_000) | st.lists(st.integers(), max_size=900), max_size=4)
)
def test_any_call_can_be_written_within_bounds(arguments):
    """Every line is printable, begins as ours do, and what is cut is counted."""
    written = written_call("f", arguments)
    assert len(written) < 12_000
    assert all(line.isprintable() for line in written.split("\n"))
    assert all(line.startswith(("f(", "    ", ")")) for line in written.split("\n"))


def test_all_of_a_long_call_is_shown_when_it_is_wanted():
    """Then it is asked again; a typing error is asked about, too."""
    asked = []
    given_ = iter(["show", "yse", "once"])
    approval = Approval("ask", lambda prompt: asked.append(prompt) or next(given_))
    assert approval.of("write", {"text": "line\n" * 2_000 + "the end"})
    assert "show all of it" in asked[0]
    assert "the end" not in asked[0]
    assert "more characters" in asked[0]
    assert "the end" in asked[1]
    assert asked[2].startswith("Please type one of these")


def test_the_end_of_input_is_a_no():
    """And so are answers that never become one."""

    def ended(_prompt):
        raise EOFError

    assert not Approval("ask", ended).of("f", {})
    assert not Approval("ask", lambda _prompt: "perhaps").of("f", {})


def test_private_columns_of_a_result_stay_here():
    """Whatever frame or series a tool returns, by column, index level or name."""
    frame = pd.DataFrame({"n": [1, 2], "email": ["a@example.org", "b@example.org"], "city": ["Oslo", "Rome"]})
    with codex_nb.private("email"):
        shown = as_text(frame)
        others = (frame["email"], frame.set_index("email"), frame.set_index(["email", "city"]))
        assert not any("example.org" in as_text(each) for each in others)
    assert shown == ",n,email,city\n0,1,<private str>,Oslo\n1,2,<private str>,Rome\n"
    assert "a@example.org" in as_text(frame)
