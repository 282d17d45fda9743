"""Values go into a text once, everything else arrives as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.chat.expand import evaluator, expand, pieces
from codex_nb.errors import InvalidOption

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


def test_a_value_without_a_text_is_named_by_its_type():
    """Its ``str`` fails, or already the look at it."""

    class Broken:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __str__(self):
            raise ValueError

    with pytest.raises(InvalidOption, match="A value of type Broken has no text: its str fails with ValueError"):
        expand("{{x}}", evaluator({"x": Broken()}))


def test_names_are_found_whatever_they_look_like():
    """A column's name may hold blanks and signs; other names are still refused."""
    assert [*pieces("a {{ unit price }} b", {"unit price"})] == [("a ", False), ("unit price", True), (" b", False)]
    with pytest.raises(InvalidOption, match="no Python expression"):
        [*pieces("{{ list price }}", {"unit price"})]
