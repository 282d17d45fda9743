"""Bars, as a notebook shows them."""

from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from codex_nb.frames.progress import bar


@pytest.fixture
def notebook():
    """Let this process be a kernel, as far as a bar can tell."""
    shell = InteractiveShell.instance()
    shell.kernel = SimpleNamespace()
    yield
    InteractiveShell.clear_instance()


def test_a_bar_leaves_nothing_in_the_document(notebook):
    """It is one output, which is emptied at the end; no widget, and nothing on stderr."""
    with capture_output() as captured, bar(4, "rows", "<map>") as shown:
        shown.mininterval = 0
        for _ in range(4):
            shown.update()
            shown.set_postfix_str("quota <b>2 %</b>", refresh=False)
    outputs = captured.outputs
    assert captured.stderr == captured.stdout == ""
    assert len({output.transient["display_id"] for output in outputs}) == 1
    assert [output.update for output in outputs] == [False] + [True] * (len(outputs) - 1)
    html = [output.data["text/html"] for output in outputs]
    assert "0 of 4 rows" in html[0]
    assert "&lt;map&gt;" in html[0]
    assert "width:100%" in html[-2]
    assert "quota &lt;b&gt;2 %" in html[-2]
    assert outputs[-1].data == {"text/html": "", "text/plain": ""}


def test_a_bar_without_an_end_counts(notebook):
    """How many there will be is not always known."""
    with capture_output() as captured, bar(None, "tasks", "Reading tasks") as shown:
        shown.mininterval = 0
        shown.update(3)
    assert "3 tasks" in captured.outputs[-2].data["text/html"]
    assert "of" not in captured.outputs[-2].data["text/html"].split("opacity")[1]


def test_elsewhere_a_bar_is_a_line(capsys):
    """On stderr, so that what is printed stays as it is; one that is not to be shown is nowhere."""
    with bar(2, "rows", "map") as shown:
        shown.update(2)
    with bar(2, "rows", "hidden", shown=False) as hidden:
        hidden.update()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "0/2" in printed.err
    assert "hidden" not in printed.err
