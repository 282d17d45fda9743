"""An answer in a front end: it streams without flicker, can be stopped, and is there when it is opened again."""

import time

import nbformat
import pytest

from codex_nb.local import LocalBackend, Script, Turn
from tests.waiting import until

ANSWER = (
    "# A plan\n\nSome *emphasis*, `code` and a [link](https://example.org).\n\n"
    "| region | revenue |\n|---|---:|\n| North | 120 |\n| West | 95 |\n\n"
    "```python\nsales.groupby('region').sum()\n```\n\n"
    + "A line of text that makes the answer longer. " * 120
    + "\n\nThe end.\n"
)


def notebook(backend, *cells):
    """Return a notebook that is connected to ``backend``."""
    first = (
        f"%load_ext codex_nb\nimport codex_nb\n_ = codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('made-up'))"
    )
    node = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_code_cell(source) for source in (first, *cells)]
    return node


@pytest.fixture
def backend():
    """A scripted backend in this process."""
    with LocalBackend(Script()) as backend:
        yield backend


def pieces(text, size=4):
    """Cut a text as a model would."""
    return [text[i : i + size] for i in range(0, len(text), size)]


WATCH = """
const cell = panel.content.widgets[1].node;
window.seen = {heights: [], outputs: [], longest: 0, lost: 0};
const look = () => {
    const area = cell.querySelector('.jp-OutputArea');
    const text = cell.querySelector('.jp-RenderedMarkdown');
    if (text && !text.textContent.startsWith('Waiting')) {
        window.seen.heights.push(area.getBoundingClientRect().height);
        window.seen.outputs.push(area.querySelectorAll('.jp-OutputArea-child').length);
        const length = text.textContent.length;
        if (length < window.seen.longest / 2) window.seen.lost += 1;
        window.seen.longest = Math.max(window.seen.longest, length);
    }
    window.watching = requestAnimationFrame(look);
};
look();
return null;
"""


# The last painting has the text for other readers, too. A kernel says that it is idle after each word of a widget.
WHOLE = """() => 'text/plain' in
    window.jupyterapp.shell.currentWidget.content.widgets[1].model.toJSON().outputs[0].data"""


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_the_answer_streams_and_survives(open_notebook, backend, front, tmp_path):
    """Text grows in place, nothing flickers or collapses, and the saved notebook shows all of it when opened again."""
    backend.add(Turn(text=pieces(ANSWER, 12), pause=0.01))
    opened = open_notebook(notebook(backend, "%%codex\nA plan?"), f"stream-{front}", front=front)
    opened.run(0)
    opened.evaluate(WATCH)
    opened.start(1)
    opened.page.wait_for_selector(".jp-RenderedMarkdown h1", timeout=60_000)
    growing = opened.page.locator(".jp-RenderedMarkdown").first.inner_text()
    assert "The end." not in growing
    opened.ready()
    opened.page.wait_for_function("() => document.body.innerText.includes('The end.')", timeout=60_000)
    opened.page.wait_for_function(WHOLE, timeout=60_000)
    seen = opened.evaluate("cancelAnimationFrame(window.watching); return window.seen")
    assert seen["lost"] == 0
    assert max(seen["outputs"]) <= 2
    assert max(before - after for before, after in zip(seen["heights"], seen["heights"][1:], strict=False)) < 60
    answer, line = opened.outputs(1)
    assert answer["data"]["text/plain"] == ANSWER
    assert "gpt-6.1-sol" in line["data"]["text/plain"]
    assert set(line["data"]) == {"text/html", "text/plain"}
    opened.save()
    again = open_notebook(None, f"stream-{front}", front=front)
    again.page.wait_for_function("() => document.body.innerText.includes('The end.')", timeout=60_000)
    assert again.page.locator(".jp-RenderedMarkdown table td").count() == 4


def test_the_page_stands_still_while_the_answer_grows_below(open_notebook, backend):
    """A reader who scrolled elsewhere is not pulled away."""
    backend.add(Turn(text=pieces(ANSWER), pause=0.003))
    filler = "print('\\n'.join(str(i) for i in range(80)))"
    opened = open_notebook(notebook(backend, "%%codex\nx", filler), "scroll")
    opened.run(0)
    opened.run(2)
    opened.start(1)
    opened.page.wait_for_selector(".jp-RenderedMarkdown h1", timeout=60_000)
    top = "const s = panel.content.node.querySelector('.jp-WindowedPanel-outer') ?? panel.content.node; "
    opened.evaluate(top + "s.scrollTop = 0; return null")
    time.sleep(1.0)
    assert opened.evaluate(top + "return s.scrollTop") == 0
    opened.ready()


@pytest.mark.parametrize("front", ["lab", "notebook"])
def test_the_stop_button_interrupts(open_notebook, backend, front):
    """One click closes the connection, keeps the text, says so in one line, and the next cell works."""
    backend.add(Turn(text=["word "] * 2_000, pause=0.02))
    opened = open_notebook(notebook(backend, "%%codex -o kept\nx", "kept.status"), f"stop-{front}", front=front)
    opened.run(0)
    opened.start(1)
    opened.page.wait_for_selector(".codex-nb-stop", timeout=60_000)
    opened.page.wait_for_function("() => document.body.innerText.includes('word word')", timeout=60_000)
    opened.page.click(".codex-nb-stop")
    opened.page.wait_for_function("() => document.body.innerText.includes('Stopped after')", timeout=60_000)
    opened.ready()
    assert until(lambda: backend.open_streams == 0)
    answer, line, error = opened.outputs(1)
    assert answer["data"]["text/plain"].startswith("word word")
    assert "stopped" in line["data"]["text/plain"]
    assert error["ename"] == "Stopped"
    assert len(error["traceback"]) == 1
    assert opened.page.locator(".codex-nb-stop").count() == 0
    opened.run(2)
    assert opened.outputs(2)[0]["data"]["text/plain"] == "'interrupted'"


@pytest.mark.parametrize("dark", [False, True])
def test_pictures(open_notebook, backend, dark, tmp_path, request):
    """The states that a user sees, for people to look at: in the folder that CODEX_NB_PICTURES names."""
    import os
    from pathlib import Path

    folder = Path(os.environ.get("CODEX_NB_PICTURES") or tmp_path)
    backend.add(Turn(text=pieces(ANSWER[:330])), Turn(text=["Half of an", " answer"] + ["…"] * 500, pause=0.05))
    opened = open_notebook(
        notebook(
            backend,
            "%%codex -m gpt-5.4/medium\nMake a plan for {{1 + 2}} regions.",
            "%%codex\nAnd then?",
            "%%codex --modle x\nhi",
            "%codex status",
        ),
        f"pictures-{dark}",
        dark=dark,
    )
    for cell in (0, 1, 3, 4):
        opened.run(cell)
        opened.ready()
    opened.start(2)
    opened.page.wait_for_function("() => document.body.innerText.includes('Half of an answer')", timeout=60_000)
    opened.page.wait_for_selector(".codex-nb-stop")
    name = folder / f"cells-{'dark' if dark else 'light'}.png"
    opened.page.screenshot(path=name)
    assert name.stat().st_size > 10_000
    opened.page.click(".codex-nb-stop")
    opened.ready()
