"""Formats: the code in an answer, pages in their frame, JSON, and what each shows."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.chat.fences import Block, blocks, joined
from codex_nb.chat.formats import FORMATS
from codex_nb.chat.sandbox import framed, page_in
from codex_nb.chat.views import json_of, view_of
from codex_nb.errors import InvalidAnswer

MIXED = """First:

```py
a = 1
```

then a shell:

~~~sh
ls
~~~

and more:

````python
b = '''
```
'''
````
"""


def test_blocks_of_the_first_language_are_joined():
    """Others stay apart; a longer fence may hold a shorter one; words for one language are one."""
    assert [block.language for block in blocks(MIXED)] == ["python", "bash", "python"]
    assert joined(MIXED) == Block("python", "a = 1\n\nb = '''\n```\n'''")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no code here, `x` only", ""),
        ("```\nplain\n```", "plain"),
        ("   ```js\n   let x\n   ```", "let x"),
        ("```python\nhalf = 1", "half = 1"),
        ("    ```python\n    indented code, no fence", ""),
        ("``` a`b\nno fence\n```\nend", "end"),
    ],
)
def test_what_is_a_block(text, code):
    """As Markdown has it."""
    assert joined(text).code == code


@given(st.lists(st.sampled_from(["x = 1", "'''", "", "  y", "```"]), max_size=6), st.sampled_from(["```", "~~~~"]))
def test_any_code_comes_back_from_its_fence(lines, fence):
    """A fence that does not occur in the code holds it whole."""
    fence = "`" * 4 if fence[0] == "`" else fence
    assert blocks("\n".join([f"{fence}python", *lines, fence])) == [Block("python", "\n".join(lines))]


@given(st.text())
def test_no_text_breaks_a_view(text):
    """Each format shows any text, on the way and at the end, and keeps it as plain text."""
    for name in FORMATS:
        assert all(isinstance(kind, str) for kind in view_of(name).coming(text))
        shown = view_of(name).whole(text).data
        assert name == "json" or shown["text/plain"] == text


@given(st.text(alphabet="<>&\"'/iframescdo=`;#\n"))
def test_a_page_cannot_leave_its_frame(page):
    """Whatever it holds, it is inside of the attribute of an attribute."""
    shown = framed(page)
    outer = re.fullmatch(r'<iframe sandbox="allow-scripts" style="[^"]*" srcdoc="([^"<>]*)"></iframe>', shown)
    assert outer
    inner = re.search(
        r'<iframe sandbox="allow-scripts" style="[^"]*" srcdoc="([^"<>]*)"></iframe>$', html.unescape(outer[1])
    )
    assert inner
    assert html.unescape(inner[1]) == page
    assert "allow-same-origin" not in shown.replace(html.escape(html.escape(page)), "")


def test_the_page_is_the_answer_or_its_first_block():
    """Models like to talk around it."""
    assert page_in("<p>hi</p>") == "<p>hi</p>"
    assert page_in("Here it is:\n```html\n<p>hi</p>\n```\nEnjoy.") == "<p>hi</p>"


def test_the_copy_button_carries_the_code_and_nothing_of_it_is_markup():
    """One line, every mark an entity."""
    code = '"></button><script>alert(1)</script>\n\n`x`'
    shown = view_of("code").whole(f"~~~python\n{code}\n~~~").data["text/markdown"]
    button = shown.splitlines()[-1]
    held = re.search(r'data-code="([^"]*)"', button)[1]
    assert html.unescape(held) == code
    assert button.count("<") == 2


@pytest.mark.parametrize("text", ["{", "", "NaN", "[1,]", "Sure! {}", "```json\n{}\n```\n```json\n{}\n```"])
def test_what_is_no_json_is_an_error_that_keeps_the_text(text):
    """And is shown as it is."""
    with pytest.raises(InvalidAnswer) as caught:
        json_of(text)
    assert (caught.value.code, caught.value.partial) == ("invalid_json", text)
    assert "application/json" not in view_of("json").whole(text).data


def test_json_is_shown_foldable_and_pretty():
    """Objects and lists as such; a fence around it is taken off; a number is text."""
    shown = view_of("json").whole('```json\n{"a":[1,"ä"]}\n```')
    assert shown.data["application/json"] == {"a": [1, "ä"]}
    assert shown.data["text/plain"] == '{\n  "a": [\n    1,\n    "ä"\n  ]\n}'
    assert "application/json" not in view_of("json").whole("42").data
