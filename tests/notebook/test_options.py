"""Options of a question that shape its request, in a shell of this process."""

import pytest

import codex_nb
from codex_nb.local import Fault, LocalBackend, Script, Turn
from tests.notebook.shells import run


@pytest.fixture
def backend():
    """A scripted backend that the shared session talks to, with a patient session."""
    with LocalBackend(Script()) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), timeout=60, max_retries=0)
        yield backend
        session.close()


def test_a_time_out_counts_for_one_question(shell, backend):
    """It is shorter than the session's, names its own seconds, and keeps what came."""
    backend.add(Turn(text=["Some", " text"]), Turn(text="Later."))
    backend.inject(Fault.silence(30, after_events=5))
    _, error, _ = run(shell, "%%codex --timeout 0.4\nx")
    assert isinstance(error, codex_nb.StreamInterrupted)
    assert "sent nothing for 0.4 seconds" in error.message
    assert error.partial == "Some"
    assert shell.user_ns["_codex"].text == "Some"
    _, error, _ = run(shell, "%%codex\nx")
    assert error is None


def test_a_time_out_may_be_longer_than_the_sessions(backend, shell):
    """Who asks for patience gets it."""
    session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), timeout=0.3, max_retries=0)
    backend.add(Turn(text="Slow.", delay=1.0))
    printed, error, _ = run(shell, "%%codex -m gpt-5.4 --timeout 30\nx")
    assert error is None
    assert printed.startswith("Slow.")
    assert codex_nb.ask("x", model="gpt-5.4", timeout=30, quiet=True).text
    session.close()


@pytest.mark.parametrize("bad", ["0", "-1", "soon", "inf", "nan"])
def test_a_time_out_is_a_number_of_seconds(shell, backend, bad):
    """In the magic and in Python."""
    before = len(backend.requests)
    _, error, _ = run(shell, f"%%codex --timeout {bad}\nx")
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
    _, error, _ = run(shell, "%%codex --summary short\nx")
    assert isinstance(error, codex_nb.InvalidOption)
    assert len(backend.requests) == before


def test_the_summary_of_an_answer_that_broke_off_is_kept(shell, backend):
    """It is part of what came."""
    backend.add(Turn(text=["Half", " an answer"], reasoning=["A thought."]))
    backend.inject(Fault.cut_after(12))
    _, error, _ = run(shell, "%%codex --summary auto -o half\nx")
    assert isinstance(error, codex_nb.StreamInterrupted)
    assert (shell.user_ns["half"].summary, shell.user_ns["half"].text) == ("A thought.", "Half")


def test_a_dry_run_sends_nothing_and_tells_all(shell, backend):
    """The body is the one that is sent afterwards, to the letter; the login is hidden; the chat does not go on."""
    backend.add(Turn(text="First."))
    run(shell, "%%codex -n -m gpt-5.4\nOne two three")
    before = len(backend.requests)
    cell = '%%codex ? -m gpt-5.4/high -i "be brief" --web -s "[city: str]" --timeout 9\nAnd {{6 * 7}}?'
    printed, error, _ = run(shell, cell.replace("?", "--dry-run -o seen", 1))
    assert error is None
    assert len(backend.requests) == before
    seen = shell.user_ns["seen"]
    assert "Not sent" in printed
    assert "And 42?" in printed
    assert "made-up-token" not in printed + seen._repr_html_() + str(seen.headers)
    assert seen.headers["authorization"] == "[hidden]"
    assert seen.url == f"{backend.url}/backend-api/codex/responses"
    assert shell.user_ns["_codex"].text == "First."
    counted = dict(seen.tokens)
    assert counted.pop("total") == sum(counted.values())
    assert set(counted) == {"instructions", "history", "prompt", "tools", "schema"}
    backend.add(Turn(text='{"value": []}'))
    run(shell, cell.replace("?", "", 1))
    sent = backend.requests[-1]
    assert sent.body == seen.request
    named = {name.lower() for name in sent.headers}
    assert named - {"transfer-encoding"} <= set(seen.headers)


def test_a_dry_run_of_a_new_session_says_what_it_cannot_know(backend, shell):
    """Not even the list of models is asked for."""
    seen = codex_nb.ask("hi <b>you</b>", new=True, dry_run=True)
    assert backend.requests == []
    assert seen.request["model"] == ""
    assert "first that the service lists" in repr(seen)
    assert "hi &lt;b&gt;you" in seen._repr_html_()
    assert codex_nb.ask("x", new=True, model="gpt-5.4", summary="auto", dry_run=True).guessed
    codex_nb.session().models.list()
    seen = codex_nb.ask("hi", new=True, dry_run=True, tools=[codex_nb.tool(lambda city: city, name="look")])
    assert seen.request["model"] == "gpt-6.1-sol"
    assert seen.guessed == ()
    assert seen.tokens["tools"] > 10
    assert [request.method for request in backend.requests] == ["GET"]


def test_a_dry_run_shortens_data_only_where_it_is_shown(backend):
    """The object is complete."""
    from codex_nb.chat.dry_run import DryRun

    image = "data:image/png;base64," + "A" * 5_000
    prose = "word " * 2_000
    seen = DryRun({"input": [image, prose]}, {"prompt": 1, "total": 1}, "http://x", {}, 7_000)
    assert seen.request["input"][0] == image
    assert "A" * 100 not in repr(seen)
    assert "5,022 characters" in repr(seen)
    assert prose.strip() in repr(seen)


def test_json_is_asked_for_checked_and_parsed(shell, backend):
    """The service is told; the value is ``.parsed``; what is no JSON is an error that keeps the text."""
    backend.add(Turn(text='{"a": 1}'), Turn(text="I would rather not."), Turn(text='{"value": [{"x": 1}]}'))
    printed, error, _ = run(shell, "%%codex -n -f json -m gpt-5.4 -o found\nx")
    assert error is None
    assert printed.startswith('{"a": 1}')
    assert shell.user_ns["found"].parsed == {"a": 1}
    body = backend.requests[-1].body
    assert body["text"] == {"format": {"type": "json_object"}}
    assert "JSON" in body["input"][0]["content"][0]["text"]
    _, error, _ = run(shell, "%%codex -f json -o bad\ny")
    assert isinstance(error, codex_nb.InvalidAnswer)
    assert shell.user_ns["bad"].text == error.partial == "I would rather not."
    assert [item["role"] for item in backend.requests[-1].body["input"]] == ["user", "assistant", "developer", "user"]
    _, error, _ = run(shell, '%%codex -n -f json -s "[x: int]" -o rows\nz')
    assert error is None
    assert shell.user_ns["rows"].df["x"].tolist() == [1]
    assert backend.requests[-1].body["text"]["format"]["type"] == "json_schema"


def test_code_goes_to_the_next_cell(shell, backend):
    """Whole answers alone; and it is shown all the same."""
    text = "So:\n```python\nx = 6\n```\nand\n```python\nx * 7\n```\n"
    backend.add(Turn(text=text), Turn(text="```sql\nselect 1\n```"), Turn(text="No code."))
    printed, _, _ = run(shell, "%%codex -n -f code -o made\nx")
    assert "So:" in printed
    assert shell.user_ns["made"].code == shell.rl_next_input == "x = 6\n\nx * 7"
    shell.rl_next_input = None
    for _ in range(2):
        run(shell, "%%codex -n -f code\nx")
        assert shell.rl_next_input is None


def test_the_saved_answer_tells_what_it_is_and_no_text(shell, backend):
    """Model, ids, tokens, status and the name of the request, the same for the same question."""
    backend.add(Turn(text="private words"), Turn(text="other words"), Turn(text="more words"))
    run(shell, "%%codex -n -m gpt-5.4\nsecret prompt")
    one = shell.user_ns["_codex"]
    run(shell, "%%codex -n -m gpt-5.4 --timeout 30\nsecret prompt")
    two = shell.user_ns["_codex"]
    run(shell, "%%codex -n -m gpt-5.4/high\nsecret prompt")
    three = shell.user_ns["_codex"]
    said = one.metadata["codex_nb"]
    assert (said["model"], said["status"], len(said["response_ids"])) == ("gpt-5.4", "completed", 1)
    assert said["usage"]["output_tokens"] > 0
    assert said["request"] == two.metadata["codex_nb"]["request"] != three.metadata["codex_nb"]["request"]
    assert not {"private", "secret", "made-up"} & set(str(one.metadata).replace("'", " ").split())
    data, metadata = one._repr_mimebundle_()
    assert data["text/plain"] == "private words"
    assert metadata["codex_nb"] == said


def test_formats_that_do_not_go_together_are_refused(shell, backend):
    """Before anything is sent."""
    for cell in ("%%codex -f pdf\nx", '%%codex -f html -s "[x: int]"\nx'):
        _, error, _ = run(shell, cell)
        assert isinstance(error, codex_nb.InvalidOption)
    assert backend.requests == []
