"""All that stands around an answer, and the question before a call, as a user of JupyterLab meets them."""

import os
from pathlib import Path

import nbformat
import pytest

from codex_nb.local import FunctionCall, LocalBackend, Script, Turn
from tests.notebook.shells import WAIT
from tests.notebook.test_around import CITED, SEARCH, THOUGHTS

FUNCTIONS = """
def query(sql: str, limit: int) -> str:
    "Run SQL."
    return f"{limit} rows"
def load(path: str):
    "Load a file."
    raise FileNotFoundError(path)
"""
SQL = '{"sql": "SELECT region, sum(revenue)\\nFROM sales\\nWHERE year = 2026\\nGROUP BY region", "limit": 10}'
CALLS = [
    FunctionCall("query", SQL, call_id="c1"),
    FunctionCall("wait", "{}", call_id="c2"),
    FunctionCall("load", '{"path": "sales.csv"}', call_id="c3"),
    FunctionCall("query", '{"sql": "DROP TABLE sales", "limit": 1}', call_id="c4"),
]


@pytest.fixture
def backend():
    """A scripted backend in this process."""
    with LocalBackend(Script()) as backend:
        yield backend


def notebook(backend, *cells):
    """Return a notebook that is connected to ``backend`` and has the functions."""
    first = (
        "%load_ext codex_nb\nimport codex_nb\n"
        f"_ = codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('made-up'), max_retries=0)\n{FUNCTIONS}{WAIT}"
    )
    node = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_code_cell(source) for source in (first, *cells)]
    return node


def type_answer(page, call, words):
    """Wait for the input box of a call under the running cell, and answer it; return the question."""
    question = page.locator(".jp-Stdin").filter(has_text=call)
    box = question.locator("input")
    box.wait_for(timeout=60_000)
    asked = question.locator(".jp-Stdin-prompt").inner_text()
    box.fill(words)
    box.press("Enter")
    return asked


def test_calls_are_approved_under_the_running_cell_and_no_queued_cell_is_lost(open_notebook, backend, tmp_path):
    """Run All; once, once, once and no at the prompt; thoughts, calls, notes and sources; saved, reopened, exported."""
    pictures = Path(os.environ.get("CODEX_NB_PICTURES") or tmp_path)
    backend.add(
        Turn(reasoning=THOUGHTS[:1], text="Let me look.", calls=CALLS),
        Turn(reasoning=THOUGHTS[1:], text="Revenue **fell** in the North.", calls=[SEARCH, CITED]),
    )
    cell = "%%codex --summary auto --web -t query -t wait -t load -o a\nWhat happened?"
    opened = open_notebook(
        notebook(backend, cell, *(f"n{i} = {i}" for i in range(5)), "n4, len(a.tool_calls)"), "around"
    )
    page = opened.page
    opened.evaluate("app.commands.execute('notebook:run-all-cells'); return null")
    page.locator("input.jp-Stdin-input").wait_for(timeout=60_000)
    page.screenshot(path=pictures / "approval.png")
    questions = []
    for call, words in (("SELECT", "once"), ("wait()", "y"), ("load(", "once"), ("DROP TABLE", "no")):
        questions.append(type_answer(page, call, words))
    assert "| SELECT region, sum(revenue)\n    | FROM sales" in questions[0]
    assert "once / always in this cell / no" in questions[0]
    page.wait_for_function("() => document.body.innerText.includes('(4, 4)')", timeout=60_000)
    opened.ready()
    statuses = [item["output"] for item in backend.requests[-1].body["input"] if "output" in item]
    assert statuses[:2] == ["10 rows", "from the kernel's loop"]
    assert "FileNotFoundError" in statuses[2]
    assert "did not allow" in statuses[3]
    fold = page.locator("details", has_text="The table is small.").first
    assert fold.locator("summary").inner_text() == "Thoughts"
    assert fold.get_attribute("open") is None
    link = page.locator("details[open] a", has_text="Lisbon")
    assert link.get_attribute("href") == "https://city.example/lisbon"
    assert page.get_by_text("The tool load raised FileNotFoundError: sales.csv").is_visible()
    calls = page.locator("details", has_text="4 tool calls").first
    assert calls.get_attribute("open") is None
    assert "DROP TABLE sales" in calls.inner_html()
    calls.locator("summary").click()
    page.evaluate("for (const one of document.querySelectorAll('.jp-OutputArea details')) one.open = true")
    page.screenshot(path=pictures / "around.png", full_page=True)
    opened.save()
    again = open_notebook(None, "around")
    again.page.wait_for_function("() => document.body.innerText.includes('Lisbon')", timeout=60_000)
    assert again.page.locator("details", has_text="The table is small.").count() >= 1
    exported(opened.path, pictures, page)


def exported(path, pictures, page):
    """Look at the notebook as nbconvert's HTML."""
    from nbconvert import HTMLExporter

    html, _ = HTMLExporter().from_filename(str(path))
    for words in ("<summary>Thoughts</summary>", "The table is small.", "4 tool calls", "https://city.example/lisbon"):
        assert words in html
    (pictures / "around.html").write_text(html)
