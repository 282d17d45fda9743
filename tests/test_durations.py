"""Lengths of time in words."""

import pytest

from codex_nb.durations import span, window_name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (274_000, "3 d 4 h"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (7_800, "2 h 10 m"),
        (3_900, "1 h 05 m"),
        (7_200, "2 h"),
        (125, "2 m 05 s"),
        (3_599.6, "1 h"),
        (5, "5 s"),
        (-3, "0 s"),
    ],
)
def test_a_span_has_two_units(seconds, text):
    """More is of no use, and a 0 is left out."""
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (18_000, "5 h"),
        (17_940, "5 h"),
        (604_800, "weekly"),
        (604_740, "weekly"),
        (86_400, "daily"),
        (2_592_000, "monthly"),
        (864_000, "10 d"),
        (5_400, "1.5 h"),
        (1_800, "30 m"),
        (45, "45 s"),
        (0, None),
        (None, None),
    ],
)
def test_a_window_is_named_by_its_length(seconds, name):
    """Not by its slot, and a minute more or less does not matter."""
    assert window_name(seconds) == name
