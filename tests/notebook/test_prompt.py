"""A cell's first line names where its answer goes."""

import pytest

from codex_nb.notebook.prompt import split_target


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
