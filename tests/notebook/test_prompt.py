"""The prompt: values go in once, everything else arrives as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.errors import InvalidOption
from codex_nb.notebook.prompt import evaluator, expand, split_target

NAMES = {"x": 41, "d": {"a": {"b": 1}}, "tricky": "{{x}} and {y}", "name": "Ada"}
evaluate = evaluator(NAMES)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("{{x + 1}} apples", "42 apples"),
        ("{{ d['a'] }}", "{'b': 1}"),
        ("{{ {'a': {'b': 2}}['a']['b'] }}!", "2!"),
        ("{{ '}}' }}", "}}"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("f'{x!r:>{w}}' and {x}", "f'{x!r:>{w}}' and {x}"),
        (r"\frac{a}{b} and \sqrt{x}", r"\frac{a}{b} and \sqrt{x}"),
        ("const f = (a: {b: number}) => `${a.b}`;", "const f = (a: {b: number}) => `${a.b}`;"),
        ("{{}} and {{ }}", "{{}} and {{ }}"),
        ("open {{ only", "open {{ only"),
        ("{{x}}{{x}}", "4141"),
    ],
)
def test_double_braces_put_a_value_in_and_single_ones_are_text(text, sent):
    """Only ``{{expression}}`` is touched."""
    assert expand(text, evaluate) == sent


def test_a_value_is_not_looked_at_again():
    """What a variable holds is sent as it is, braces included."""
    assert expand("{{tricky}}", evaluate) == "{{x}} and {y}"


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_double_braces_arrives_verbatim(text):
    """No character is lost, doubled or changed."""
    assert expand(text, evaluate) == text


@given(st.text(), st.text(st.characters(exclude_characters="{}")))
def test_a_value_of_any_text_arrives_verbatim(value, around):
    """Values may hold quotes, braces and line ends."""
    assert expand(f"{around}{{{{v}}}}{around}", evaluator({"v": value})) == f"{around}{value}{around}"


def test_an_unknown_name_lists_the_close_ones():
    """A misspelt variable is found by its likeness."""
    with pytest.raises(InvalidOption, match="no variable 'nme'") as caught:
        expand("Hello {{nme}}", evaluate)
    assert "name" in caught.value.hint


@pytest.mark.parametrize("text", ["{{ a b }}", "{{ 1 + }}", "${{ secrets.TOKEN }}"])
def test_what_cannot_be_evaluated_is_an_error(text):
    """Double braces that mean something else need --no-interpolate; nothing is sent."""
    with pytest.raises(InvalidOption):
        expand(text, evaluate)


def test_a_failing_expression_says_how_it_failed():
    """The exception's class and words are in the message."""
    with pytest.raises(InvalidOption, match="KeyError"):
        expand("{{d['zzz']}}", evaluate)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plan << -m x", ("plan", " -m x")),
        ("-m x", (None, "-m x")),
        ("  a<<", ("a", "")),
        ("1a << x", (None, "1a << x")),
    ],
)
def test_a_target_stands_before_two_angles(line, expected):
    """``name <<`` binds the answer."""
    assert split_target(line) == expected
