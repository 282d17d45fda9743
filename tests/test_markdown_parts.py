"""Where a Markdown text may be cut: its parts look as they do in one, and more text changes nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.markdown_parts import break_after
from codex_nb.safe_markdown import safe_markdown

BLOCKS = [
    "# A heading\n",
    "Some *words* with `code`, $x^2$ and <b>bold</b>,\non two lines.\n",
    "A [link][there] and one to [nowhere][gone].\n",
    "[there]: https://example.org/a\n",
    "- an item\n- another\n\n  with a paragraph\n",
    "1. first\n\n2. second\n",
    "| a | b |\n|---|---|\n| 1 | `2` |\n",
    "```python\ndef f():\n\n    return 1\n\n# no heading\n```\n",
    "~~~\nnot the end:\n\n```\n\n~~~\n",
    "- item\n  ```sh\n  ls\n\n  cd\n  ```\n\n  more of it\n",
    "> quoted\n>\n> ```\n> code\n",
    "    indented\n\n    code\n",
    "$$\nx = 1\n$$\n",
    "```never closed\n\nsome text\n",
    "***bold** and more*\n",
    "---\n",
    "\n\n",
]
DOCUMENTS = st.lists(st.sampled_from(BLOCKS), max_size=12).map("\n".join)


def shown(*parts, whole):
    """Return what is shown of the parts of a text, empty lines apart."""
    return re.sub(r"\n\s*", "\n", "\n".join(safe_markdown(part, whole) for part in parts)).strip()


@given(DOCUMENTS, st.integers(1, 400))
def test_the_parts_look_as_the_whole(text, at):
    """Code, lists, formulas and links stay whole, also links that are defined in another part."""
    cut = break_after(text, at)
    assert cut == 0 or cut > at
    assert shown(text[:cut], text[cut:], whole=text) == shown(text, whole=text)


@given(DOCUMENTS, st.integers(1, 400), st.integers(0, 900))
def test_what_comes_later_moves_no_cut(text, at, length):
    """A cut is found as soon as the line below it is there, wherever the stream stops."""
    assert break_after(text[:length], at) in {0, break_after(text, at)}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("one\n\ntwo\n", "two\n"),
        ("one\n\ntwo", ""),  # it may become anything
        ("one\n \t\n\n# two\n", "# two\n"),
        ("- one\n\n- two\n\nthree\n", "three\n"),
        ("1. one\n\n   still\n\n12) two\n\n> quote\n\nthree\n", "three\n"),
        ("```\na\n\nb\n```\n\nc\n", "c\n"),
        ("a\n\n```\nb\n\nc\n```\n", "```\nb\n\nc\n```\n"),
        ("```\na\n\nb\n", ""),
        ("**a**\n\n**b**\n", "**b**\n"),
        ("one\ntwo\n", ""),
    ],
)
def test_a_cut_stands_between_blocks(text, part):
    """An empty line in code, a list or a quote is none; nor is one whose next line is not there yet."""
    cut = break_after(text, 1)
    assert (text[cut:] if cut else "") == part
