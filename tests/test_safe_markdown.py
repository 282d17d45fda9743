"""A model's Markdown: harmless in every Jupyter, and still what the model meant."""

import re
import time
import warnings
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.safe_markdown import printable, safe_markdown
from tests.hostile import documents, payloads

ORIGIN = "http://127.0.0.1:9"
PAYLOADS = payloads(ORIGIN)
FENCE = re.compile(r"^(`{3,})[A-Za-z0-9_+.#-]*\n.*?^\1$", re.MULTILINE | re.DOTALL)
ALLOWED = re.compile(r"</?(?:code|span|b|br|del|em|i|ins|kbd|mark|s|small|strong|sub|sup|u)>")
LINK = re.compile(r"\[[^\[\]]*\]\((?:https?://|mailto:|#)[\w!#%&'*+,/:;=?@.~-]*\)")
ALPHABET = st.sampled_from(
    [
        *"abx12 \n\t`$\\[]()<>!&#;*_~|{}@%\"'-+.:/",
        *("```", "~~~", "](", "![", "\n\n", "<b>", "</b>", "\\begin{align}", "\\end{align}", "\\href", "http://a"),
        *("javascript:", "&lt;", "&#36;", "    ", "> ", "- ", "1. ", "\ud800", "\x00"),
    ]
)
MESSY = st.lists(ALPHABET, max_size=60).map("".join)


def assert_safe(markdown):
    """Assert that nothing but code fences, allowed tags and good links could be read as markup."""
    bare = FENCE.sub("\n", markdown)
    bare = re.sub(r"^([ \t>]*(?:[-+*]|\d+[.)])[ \t]+)\[[ xX]\](?=[ \t])", r"\1", bare, flags=re.MULTILINE)
    formulas = re.findall(r"(\$\$?)([^\n$]+(?:\\\$[^\n$]*)*)\1", bare)
    assert not any(re.search(r'["<>`]|\]\(|\\(?:href|style|class|def|require|bbox)\b', tex) for _, tex in formulas)
    bare = re.sub(r"(\$\$?)(?:[^\n$\\]|\\.)+\1", "", bare)
    assert "$" not in bare
    assert "`" not in bare
    assert "~~~" not in bare
    assert "![" not in bare
    assert "<" not in ALLOWED.sub("", bare)
    while LINK.search(bare):
        bare = LINK.sub("", bare)
    assert not re.search(r"[\[\]]", bare)


@pytest.mark.parametrize("markdown", [text for _, text in PAYLOADS], ids=[name for name, _ in PAYLOADS])
def test_hostile_markdown_leaves_no_markup(markdown):
    """No payload keeps a tag, an image, a definition or a link that is not plain."""
    assert_safe(safe_markdown(markdown))


def test_random_documents_leave_no_markup():
    """Nothing hostile slips through between harmless pieces."""
    for document in documents(1_500, seed=7):
        assert_safe(safe_markdown(document))


def test_every_prefix_is_safe():
    """A half-streamed answer is as harmless as a whole one."""
    document = "\n\n".join(text for _, text in PAYLOADS[::9])
    for end in range(0, len(document), 3):
        assert_safe(safe_markdown(document[:end]))


@given(MESSY)
def test_any_mixture_is_safe(text):
    """No order of special characters opens markup."""
    assert_safe(safe_markdown(text))


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_string_is_accepted(text):
    """The filter returns a string for every string, and one that can be encoded."""
    safe_markdown(text).encode()
    printable(text).encode()


@pytest.mark.parametrize(
    "unit", [*"[]<>`$!\\&~*_#|\n (", "![", "](", "\\(", "${", "<b>", "&lt;", "- ", "> ", "a\n\n", "`a``"]
)
def test_no_repetition_makes_it_hang(unit):
    """A long text is filtered in a moment, whatever it repeats; a search that starts over would take minutes."""
    started = time.process_time()
    safe_markdown(unit * (200_000 // len(unit)))
    assert time.process_time() - started < 30


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("if a < b && c > d", "if a &#60; b && c > d"),
        ("**bold** _it_ ~~no~~", "**bold** _it_ ~~no~~"),
        ("# One\n\n- a\n  - b\n\n> q", "# One\n\n- a\n  - b\n\n> q"),
        ("- [ ] a\n- [x] b", "- [ ] a\n- [x] b"),
        ("| a | b |\n|---|--:|\n| 1 | 2 |", "| a | b |\n|---|--:|\n| 1 | 2 |"),
        ("| `a \\| b` |", "| <code>a &#124; b</code> |"),
        ("`x < y`", "<code>x &#60; y</code>"),
        ("[a](https://b.c/d_(e)?f=1&g=2 'title')", "[a](https://b.c/d_%28e%29?f=1&amp;g=2)"),
        ("[a][b]\n\n[b]: https://c.d", "[a](https://c.d)\n\n"),
        ("[a](#b) [c](mailto:d@e.f)", "[a](#b) [c](mailto:d@e.f)"),
        ("![alt](https://a.b/c.png)", "[alt](https://a.b/c.png)"),
        ("[x](javascript:y)", "&#91;x&#93;(javascript:y)"),
        ("E = $mc^2$ or $$\na < b\n$$", r"E = $mc^2$ or $$a \lt  b$$"),
        (r"\(x\), \[y\]", "$x$, $$y$$"),
        (r"\begin{align}a&=b\end{align}", r"$$\begin{align}a&=b\end{align}$$"),
        ("$5 and $10", "<span>&#36;</span>5 and <span>&#36;</span>10"),
        ("<b>a</b> x<sup>2</sup><br/>", "<b>a</b> x<sup>2</sup><br>"),
        ("<b>never closed", "&#60;b&#62;never closed"),
        ("```py\nx = '<b>'\n```", "\n```py\nx = '<b>'\n```\n"),
        ("```py\nhalf", "\n```py\nhalf\n```\n"),
        ("~~~\na\n```\n~~~", "\n````\na\n```\n````\n"),
        ("```mermaid\na\n```", "\n```text\na\n```\n"),
        ("1. a\n   ```\n     b\n   ```\n   c", "1. a\n\n```\n  b\n```\n\nc"),
        ("> ```\n> a\n> ```\n> b", "\n```\na\n```\n\n> b"),
        ("a\n\n    b < c", "a\n\n\n\n```\nb < c\n```\n"),
    ],
)
def test_plain_markdown_looks_as_meant(text, shown):
    """What harmless Markdown means is kept."""
    assert safe_markdown(text) == shown


def test_printable_text_cannot_steer_a_terminal():
    """Only newline and tab are left of the control characters."""
    assert printable("a\x1b[31mb\x9b1mc\r\n\td\x00\u202e\ud800") == "a[31mb1mc\n\td\ufffd"


class Elements(HTMLParser):
    """The elements of a page, and whatever could act in them."""

    def __init__(self):
        super().__init__()
        self.bad = []

    def handle_starttag(self, tag, attrs):
        """Note an element that acts, fetches or listens."""
        bad_tag = tag in {"script", "img", "iframe", "svg", "math", "style", "link", "object", "embed", "input", "form"}
        attrs = [(k, v) for k, v in attrs if not re.fullmatch(r"text-align: ?\w+", v or "")]
        bad_link = any(k == "href" and not re.match(r"https?://|mailto:|#", v or "") for k, v in attrs)
        if (
            (bad_tag and dict(attrs).get("type") != "checkbox")
            or bad_link
            or any(
                k.startswith("on") or k in {"style", "src", "srcset", "srcdoc"} or v == "jp-Mermaid" for k, v in attrs
            )
        ):
            self.bad.append((tag, attrs))


def act(markdown):
    """Return the elements that act when nbconvert shows Markdown."""
    from nbconvert.filters.markdown_mistune import InvalidNotebook, markdown2html_mistune

    elements = Elements()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            elements.feed(markdown2html_mistune(markdown))
        except InvalidNotebook as error:
            elements.bad.append((str(error), []))
    return elements.bad


def test_nbconvert_shows_nothing_that_acts():
    """In a converted notebook the payloads and random documents are text; unfiltered they are not."""
    pytest.importorskip("nbconvert")
    texts = [text for _, text in PAYLOADS] + documents(1_000, seed=11)
    assert sum(bool(act(text)) for text in texts) > 300
    assert [(text, bad) for text in texts if (bad := act(safe_markdown(text)))] == []
