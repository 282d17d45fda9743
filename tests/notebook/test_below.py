"""What stands around an answer: thoughts folded above it, calls, notes and sources below it. All of it is hostile."""

import io
import re

import pytest

from codex_nb.chat.answer import Answer
from codex_nb.notebook.below import below
from codex_nb.notebook.live import Printed
from codex_nb.notebook.thoughts import Thoughts, folded
from codex_nb.tools.toolbox import ToolCall
from codex_nb.types.responses import Response


def answer(*annotations, calls=(), items=()):
    """Return an answer whose text has these annotations."""
    part = {"type": "output_text", "text": "x", "annotations": list(annotations)}
    output = [*items, {"type": "message", "role": "assistant", "content": [part]}]
    response = Response.model_validate({"id": "r", "status": "completed", "output": output})
    return Answer("x", "completed", "gpt-5.4", 1.0, response=response, tool_calls=tuple(calls))


def cited(url, title="A page"):
    """Return a citation as the wire has it."""
    return {"type": "url_citation", "url": url, "title": title, "start_index": 0, "end_index": 1}


def test_cited_pages_are_listed_once_with_their_hosts():
    """A link's title may lie, so the host stands beside it."""
    given = answer(
        cited("https://evil.example/a", "Your bank"), cited("https://evil.example/a"), cited("http://b.example")
    )
    assert [each.url for each in given.sources] == ["https://evil.example/a", "http://b.example"]
    shown = below("receipt", given)
    assert shown["text/html"].count("<a ") == 2
    assert 'href="https://evil.example/a"' in shown["text/html"]
    assert "Your bank</a> evil.example" in shown["text/html"]
    assert shown["text/plain"].splitlines() == [
        "receipt",
        "  [1] Your bank: https://evil.example/a",
        "  [2] A page: http://b.example",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        'https://a.example/" onmouseover="alert(1)',
        "https://a.example/\nx",
        "https://",
        "https://[",
        "//a.example",
        "https://a.example/" + "x" * 5_000,
    ],
)
def test_addresses_that_are_no_links_are_text(url):
    """They are shown, and cannot be clicked."""
    shown = below("", answer(cited(url, "<b>title</b>")))["text/html"]
    assert "<a " not in shown
    assert "<b>" not in shown
    assert not re.search(r"<[^>]*(onmouseover|javascript)", shown)


def test_citations_of_the_wrong_shape_are_passed_over():
    """Whatever a service sends, the answer is shown."""
    odd = [None, 3, {"type": "url_citation"}, {"type": "url_citation", "url": 5}, {"type": "file_citation", "url": "x"}]
    assert answer(*odd).sources == ()
    nested = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": None}}
    assert [each.url for each in answer(nested).sources] == ["https://a.example"]


def test_searches_are_told():
    """Each kind of step on the web, in a few words."""
    actions = [
        {"type": "search", "query": "a"},
        {"type": "search", "queries": ["b", "c"]},
        {"type": "open_page", "url": "https://a.example"},
        {"type": "find_in_page", "url": "https://a.example", "pattern": "d"},
        {"type": "search"},
        None,
    ]
    given = answer(items=[{"type": "web_search_call", "action": action} for action in actions])
    assert given.searches == (
        "searched for a",
        "searched for b",
        "searched for c",
        "opened https://a.example",
        "looked for d in https://a.example",
    )
    assert "5 steps on the web" in below("", given)["text/html"]


def test_calls_are_readable_bounded_and_harmless():
    """Arguments a line each, the result as it was given, neither of them markup or endless."""
    query = "SELECT *\nFROM t\n-- <script>alert(1)</script> $\\href{javascript:alert(1)}{x}$"
    call = ToolCall("sql", {"query": query, "limit": 10}, "<img src=x>\n" + "row\n" * 5_000, seconds=0.25)
    shown = below("", answer(calls=[call]))
    html = shown["text/html"]
    assert "| SELECT *\n    | FROM t" in html
    assert "limit = 10" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "$\\href" not in html
    assert "more characters" in html
    assert len(html) < 5_000
    assert len(shown["text/plain"]) < 1_000


def test_a_failed_tool_is_a_note_that_is_not_folded():
    """The user is told what it raised, and where the exception is."""
    fine = ToolCall("add", {"a": 1}, "2")
    failed = ToolCall("load", {}, "The call failed …", "failed", error=KeyError("<b>price</b>"))
    shown = below("receipt", answer(calls=[fine, failed]))
    note = shown["text/plain"].splitlines()[1]
    assert note.startswith("The tool load raised KeyError: '<b>price</b>' (the model was told;")
    assert "_codex.tool_calls[1].error" in note
    assert shown["text/html"].index("raised KeyError") < shown["text/html"].index("<details")
    assert "<b>" not in shown["text/html"]


def test_calls_stand_there_with_the_receipt_off_too():
    """They happened on this machine."""
    assert below("", answer(calls=[ToolCall("now", {}, "3")]))["text/plain"] == "  now() → 3"


def test_thoughts_are_folded_and_cannot_leave_their_fold():
    """Their words are safe Markdown, their title a few plain words."""
    shown = folded("**Plan**\n\n</details><script>alert(1)</script>", "Thinking: $x$ <b>\\(y\\) …")["text/markdown"]
    assert shown.startswith("<details><summary>Thinking: x b (y ) …</summary>\n\n")
    assert shown.count("</details>") == 1
    assert "<script" not in shown
    assert "**Plan**" in shown


def test_thoughts_are_painted_when_something_new_begins():
    """Not at every word: a fold that a reader opened would close."""
    seen = []
    thoughts = Thoughts(seen.append)
    text = "\n\n**Reading the table**\n\n" + "It has many columns. " * 50 + "\n\n**Choosing a plot**\n\nBars."
    for at in range(0, len(text), 5):
        thoughts.add(text[at : at + 5])
    thoughts.settle()
    thoughts.settle()
    assert 2 <= len(seen) <= 6
    assert any("Thinking: Reading the table …" in each["text/markdown"] for each in seen)
    assert "<summary>Thoughts</summary>" in seen[-1]["text/markdown"]
    assert seen[-1]["text/plain"] == text.strip()


def test_a_terminal_shows_thoughts_before_the_answer():
    """Plain, apart from it, and beside it where the answer goes to a file."""
    out = io.StringIO()
    with Printed(out) as painter:
        for delta in ("\n\n", "First\x1b[2J", " thought."):
            painter.think(delta)
        painter.add("")
        painter.end({"text/plain": "receipt"})
    assert out.getvalue() == "First[2J thought.\n\nreceipt\n"
