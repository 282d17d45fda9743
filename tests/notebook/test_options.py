"""Options of a question that shape its request, in a shell of this process."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import codex_nb
from codex_nb.local import Fault, LocalBackend, Script, Turn


@pytest.fixture(scope="module")
def shell():
    """A bare IPython shell with the extension loaded."""
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "codex_nb")
    yield shell
    shell.run_line_magic("unload_ext", "codex_nb")
    InteractiveShell.clear_instance()


@pytest.fixture
def backend():
    """A scripted backend that the shared session talks to, with a patient session."""
    with LocalBackend(Script()) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), timeout=60, max_retries=0)
        yield backend
        session.close()


def run(shell, cell):
    """Run a cell; return what it printed and what it raised."""
    with capture_output() as captured:
        result = shell.run_cell(cell, store_history=True)
    return captured.stdout, result.error_before_exec or result.error_in_exec


def test_a_time_out_counts_for_one_question(shell, backend):
    """It is shorter than the session's, names its own seconds, and keeps what came."""
    backend.add(Turn(text=["Some", " text"]), Turn(text="Later."))
    backend.inject(Fault.silence(30, after_events=5))
    _, error = run(shell, "%%codex --timeout 0.4\nx")
    assert isinstance(error, codex_nb.StreamInterrupted)
    assert "sent nothing for 0.4 seconds" in error.message
    assert error.partial == "Some"
    assert shell.user_ns["_codex"].text == "Some"
    _, error = run(shell, "%%codex\nx")
    assert error is None


def test_a_time_out_may_be_longer_than_the_sessions(backend, shell):
    """Who asks for patience gets it."""
    session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), timeout=0.3, max_retries=0)
    backend.add(Turn(text="Slow.", delay=1.0))
    printed, error = run(shell, "%%codex -m gpt-5.4 --timeout 30\nx")
    assert error is None
    assert printed.startswith("Slow.")
    assert codex_nb.ask("x", model="gpt-5.4", timeout=30, quiet=True).text
    session.close()


@pytest.mark.parametrize("bad", ["0", "-1", "soon", "inf", "nan"])
def test_a_time_out_is_a_number_of_seconds(shell, backend, bad):
    """In the magic and in Python."""
    before = len(backend.requests)
    _, error = run(shell, f"%%codex --timeout {bad}\nx")
    assert isinstance(error, codex_nb.InvalidOption)
    assert "seconds" in error.message
    if bad != "soon":
        with pytest.raises(codex_nb.InvalidOption, match="seconds"):
            codex_nb.ask("x", timeout=float(bad), quiet=True)
    assert len(backend.requests) == before


@pytest.mark.parametrize("kind", ["auto", "concise", "detailed"])
def test_a_summary_is_asked_for_and_kept(shell, backend, kind):
    """It is in the request beside the effort, and raw in ``answer.summary``; the text is the answer's alone."""
    backend.add(Turn(text="42", reasoning=["First **this**.", "Then that."]))
    run(shell, f"%%codex -m gpt-5.4/low --summary {kind}\nx")
    assert backend.requests[-1].body["reasoning"] == {"effort": "low", "summary": kind}
    answer = shell.user_ns["_codex"]
    assert answer.summary == "First **this**.\n\nThen that."
    assert answer.text == "42"


def test_no_summary_is_not_said(shell, backend):
    """``none`` is what the service does anyhow; another word is refused before anything is sent."""
    run(shell, "%%codex --summary none\nx")
    assert "reasoning" not in backend.requests[-1].body
    assert shell.user_ns["_codex"].summary == ""
    before = len(backend.requests)
    with pytest.raises(codex_nb.InvalidOption, match="summary"):
        codex_nb.ask("x", summary="short")
    _, error = run(shell, "%%codex --summary short\nx")
    assert isinstance(error, codex_nb.InvalidOption)
    assert len(backend.requests) == before


def test_the_summary_of_an_answer_that_broke_off_is_kept(shell, backend):
    """It is part of what came."""
    backend.add(Turn(text=["Half", " an answer"], reasoning=["A thought."]))
    backend.inject(Fault.cut_after(12))
    _, error = run(shell, "%%codex --summary auto -o half\nx")
    assert isinstance(error, codex_nb.StreamInterrupted)
    assert (shell.user_ns["half"].summary, shell.user_ns["half"].text) == ("A thought.", "Half")
