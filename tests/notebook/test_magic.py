"""The magics in a shell of this process, on the scripted backend."""

import json
import time

import pytest

import codex_nb
from codex_nb import BudgetReached
from codex_nb.local import Fault, LocalBackend, Script, Turn
from codex_nb.local.pieces import Usage
from codex_nb.notebook.commands import COMMANDS
from tests.notebook.shells import run


@pytest.fixture
def backend():
    """A scripted backend that the shared session talks to."""
    with LocalBackend(Script()) as backend:
        session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up-token"), timeout=2, max_retries=0)
        yield backend
        session.close()


def test_an_answer_is_printed_kept_and_bound(shell, backend):
    """The text goes to the terminal, the object to ``_codex`` and the named variable."""
    backend.add(Turn(text=["Hello", ", ", "you."]))
    printed, error, _ = run(shell, "%%codex -o greeting -m gpt-5.4/high -i short\nhi {{40 + 2}} {'a': 1}")
    assert error is None
    assert printed.startswith("Hello, you.\n")
    assert "gpt-5.4 · high · " in printed
    assert shell.user_ns["greeting"] is shell.user_ns["_codex"]
    assert str(shell.user_ns["greeting"]) == repr(shell.user_ns["greeting"]) == "Hello, you."
    body = backend.requests[-1].body
    assert body["input"][-1]["content"][0]["text"].strip() == "hi 42 {'a': 1}"
    assert body["instructions"] == "short"
    assert body["model"] == "gpt-5.4"
    assert body["reasoning"] == {"effort": "high"}


def test_quiet_shows_nothing_and_arrows_bind(shell, backend):
    """``name << -q`` is for answers that are worked with."""
    backend.add(Turn(text="42"))
    printed, error, _ = run(shell, "%%codex n << -q\nHow many?")
    assert (printed, error) == ("", None)
    assert shell.user_ns["n"].text == "42"


def test_no_stream_shows_the_whole_answer_once(shell, backend):
    """The text is the same, only later."""
    backend.add(Turn(text=["a", "b", "c"]))
    printed, _, _ = run(shell, "%%codex --no-stream\nx")
    assert printed.startswith("abc\n")


def test_no_interpolate_sends_braces_as_they_are(shell, backend):
    """Templates of other languages pass."""
    run(shell, "%%codex --no-interpolate\n${{ secrets.X }}")
    assert backend.requests[-1].body["input"][-1]["content"][0]["text"].strip() == "${{ secrets.X }}"


def test_instructions_may_come_from_a_variable(shell, backend):
    """``-i @name`` reads it."""
    shell.user_ns["rules"] = "Be a pirate."
    run(shell, "%%codex -i @rules\nx")
    assert backend.requests[-1].body["instructions"] == "Be a pirate."


@pytest.mark.parametrize(
    ("cell", "message", "hint"),
    [
        ("%%codex --modle x\nhi", "--modle", "--model"),
        ("%%codex what is this\nhi", "what is this", "below"),
        ("%%codex -m\nhi", "-m", "-h"),
        ("%%codex -o 1a\nhi", "1a", "letters"),
        ("%%codex -o for\nhi", "'for' cannot be a variable's name", "Python"),
        ("%%codex __builtins__ <<\nhi", "'__builtins__' cannot be", "Python"),
        ("%%codex -e 'very much'\nhi", "very much", "high"),
        ("%%codex\n   \n ", "nothing to ask", "below"),
        ("%%codex", "nothing to ask", "below"),
        ("%%codex -m gpt-5.4\n", "nothing to ask", "below"),
        ("%%codex\nhi {{shel}}", "shel", ""),
        ("%codex stauts", "stauts", "status"),
        ("%codex use nowhere", "nowhere", "chatgpt"),
        ("%codex status now", "status", "-h"),
    ],
)
def test_a_mistake_is_one_line_with_a_way_out(shell, backend, cell, message, hint):
    """Nothing is sent, and the hint says what was meant."""
    before = len(backend.requests)
    _, error, _ = run(shell, cell)
    assert isinstance(error, codex_nb.InvalidOption)
    assert message in error.message
    assert hint in error.hint
    assert len(error._render_traceback_()) <= 2
    assert len(backend.requests) == before


def test_an_answer_that_breaks_off_is_shown_and_kept(shell, backend):
    """The error is raised, the partial text is not lost."""
    backend.add(Turn(text=["The first half", " and the rest"]))
    backend.inject(Fault.cut_after(5))
    printed, error, _ = run(shell, "%%codex -o half\nx")
    assert isinstance(error, codex_nb.StreamInterrupted)
    assert printed.startswith("The first half")
    assert "broken off" in printed
    assert shell.user_ns["half"].status == "failed"
    assert shell.user_ns["half"].text == error.partial == "The first half"


def test_an_incomplete_answer_says_so(shell, backend):
    """It is no error; the receipt has the reason."""
    backend.add(Turn(text="cut", incomplete="max_output_tokens"))
    printed, error, _ = run(shell, "%%codex\nx")
    assert error is None
    assert "incomplete (max_output_tokens)" in printed


def test_control_characters_of_the_model_do_not_reach_the_terminal(shell, backend):
    """A model's text commands nothing."""
    backend.add(Turn(text=["\x1b]0;owned\x07red \x1b[31m", "text\u009b31m"]))
    printed, _, _ = run(shell, "%%codex\nx")
    assert "\x1b" not in printed
    assert "\u009b" not in printed
    assert shell.user_ns["_codex"].text.startswith("\x1b]0;owned")


def test_commands_return_objects_that_show_themselves(shell, backend):
    """Frames, cards and answers, not printed text."""
    import pandas as pd

    for command, kind in {"models": pd.DataFrame, "usage": pd.DataFrame, "status": object}.items():
        result = shell.run_line_magic("codex", command)
        assert isinstance(result, kind)
        assert "made-up-token" not in repr(result)
    run(shell, "%%codex -q\nx")
    assert shell.run_line_magic("codex", "last") is shell.user_ns["_codex"]


def test_help_is_printed_for_every_magic(shell, backend):
    """``-h`` works, and the docstring is there for ``?``."""
    for cell in ("%%codex -h", "%%codex --help\nx", "%codex -h", "%codex ask -h", "%codex models -h"):
        printed, error, _ = run(shell, cell)
        assert error is None
        assert "codex" in printed
    assert "streams into the cell" in shell.find_cell_magic("codex").__doc__


def test_a_terminal_goes_on_reading_below_a_first_line(shell):
    """The cell ends with an empty line, as that of every magic."""
    assert shell.check_complete("%%codex -m gpt-5.4")[0] == "incomplete"
    assert shell.check_complete("%%codex -h\n\n")[0] == "complete"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_knows_what_was_meant(shell, backend, name):
    """``-h`` says how it is written; an option that is not there is one line."""
    printed, error, _ = run(shell, f"%codex {name} -h")
    assert error is None
    assert f"%codex {name}" in printed
    _, error, _ = run(shell, f"%codex {name} --hepl")
    assert isinstance(error, codex_nb.InvalidOption)
    assert "--help" in error.hint


def test_ask_in_a_line_takes_the_rest_verbatim(shell, backend):
    """Quotes and dashes in the prompt are prose."""
    run(shell, '%codex ask -m gpt-5.4 it\'s a -- "test"  of -o blanks')
    body = backend.requests[-1].body
    assert body["input"][-1]["content"][0]["text"] == 'it\'s a -- "test"  of -o blanks'
    assert body["model"] == "gpt-5.4"


@pytest.mark.parametrize("question", ["Why is it so?", 'what\'s "this"?', "is (that ok?", "really??"])
def test_a_question_in_a_line_may_end_as_questions_do(shell, backend, question):
    """IPython would take it for a call for help."""
    backend.add(Turn(text="Because."))
    _, error, _ = run(shell, f"if True:\n    %codex ask -q -o said {question}")
    assert error is None
    assert shell.user_ns["said"].prompt == question
    assert "options, then the prompt" in run(shell, "%codex ask?").printed
    assert "--limit" in run(shell, "%codex calls?").printed


def test_ask_from_python_is_the_same_and_is_shown_once(shell, backend):
    """As the last expression of a cell its answer does not appear twice."""
    backend.add(Turn(text="Only once."))
    printed, error, _ = run(shell, "from codex_nb import ask\nask('x', model='gpt-5.4')")
    assert error is None
    assert printed.count("Only once.") == 1


def test_config_sets_defaults_and_a_bad_value_does_not_block_a_reload(shell, backend):
    """%config CodexMagics works, before and after a reload."""
    run(shell, "%config CodexMagics.model = 'gpt-5.4'")
    run(shell, "%%codex\nx")
    assert backend.requests[-1].body["model"] == "gpt-5.4"
    run(shell, "%config CodexMagics.model = 3")
    shell.run_line_magic("reload_ext", "codex_nb")
    assert [type(one).__name__ for one in shell.configurables].count("CodexMagics") == 1
    run(shell, "%config CodexMagics.model = ''")


def test_retry_asks_the_last_question_again_and_replaces_its_turn(shell, backend):
    """With the same options or others; what came before it is sent as before, the failed attempt is not."""
    assert "Nothing was asked" not in str(run(shell, "%%codex -c again -n\nfirst").error)
    backend.inject(Fault.cut_after(5))
    backend.add(Turn(text=["half", " an answer"]), Turn(text="whole"), Turn(text="other"))
    _, error, _ = run(shell, "%%codex -c again -o kept -i short -m gpt-5.4/high\n{{1 + 1}}?")
    assert isinstance(error, codex_nb.StreamInterrupted)
    failed = backend.requests[-1].body
    printed, error, _ = run(shell, "%codex retry")
    assert error is None
    assert printed.startswith("whole")
    assert {**backend.requests[-1].body, "prompt_cache_key": ""} == {**failed, "prompt_cache_key": ""}
    assert shell.user_ns["kept"].text == "whole"
    run(shell, "%codex retry -m gpt-5.5/low -o other")
    assert backend.requests[-1].body["model"] == "gpt-5.5"
    assert backend.requests[-1].body["reasoning"] == {"effort": "low"}
    assert backend.requests[-1].body["instructions"] == "short"
    assert shell.user_ns["other"].text == "other"
    table = shell.run_line_magic("codex", "chats")
    turns = table[(table.chat == "again") & table.turn.notna()]
    assert list(turns.prompt) == ["first", "2?"]
    assert len(table[table.chat == "again"]) == 2
    assert "--modle" in str(run(shell, "%codex retry --modle x").error)
    assert isinstance(run(shell, "%codex retry -o 5").error, codex_nb.InvalidOption)
    assert run(shell, "%codex retry").error is None


def test_calls_and_tasks_are_tables(shell, backend):
    """The ledger's rows, the latest first, and the account's tasks."""
    run(shell, "%%codex -q\nx")
    calls = shell.run_line_magic("codex", "calls -n 2")
    assert calls.endpoint[0] == "codex/responses"
    assert len(calls) == 2
    assert len(shell.run_line_magic("codex", "tasks")) <= 20


def quota(used):
    """Return the headers of a week's window, a part of it used."""
    return {
        "x-codex-primary-used-percent": str(used),
        "x-codex-primary-window-minutes": "10080",
        "x-codex-primary-reset-at": str(int(time.time()) + 277_500),
        "x-codex-secondary-used-percent": "0",
        "x-codex-secondary-window-minutes": "0",
        "x-codex-secondary-reset-at": "",
    }


def test_the_receipt_says_what_an_answer_did_to_the_quota(shell, backend):
    """Of the first one it only knows how it is now; ``%config`` says how much is told."""
    backend.add(*(Turn(text="x", headers=quota(used)) for used in (41, 42, 42, 43, 44)))
    lines = []
    for setting in ("short", "short", "short", "full", "off"):
        run(shell, f"%config CodexMagics.receipt = {setting!r}")
        lines.append(run(shell, "%%codex -n\nx").printed.splitlines()[1:])
    assert lines[0][0].endswith("· weekly 41 % · resets in 3 d 5 h")
    assert "· weekly 41 → 42 % ·" in lines[1][0]
    assert "· weekly 42 % ·" in lines[2][0]
    assert "· weekly 42 → 43 % ·" in lines[3][0]
    assert lines[4] == []
    run(shell, "%config CodexMagics.receipt = 'short'")


def test_an_event_has_the_newer_word_on_the_quota(shell, backend):
    """Headers come before the answer is counted."""
    events = [
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
        {"type": "codex.rate_limits", "rate_limits": {"primary": {"used_percent": 43, "window_minutes": 10080}}},
        {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}},
    ]
    raw = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    backend.add(Turn(text="x", headers=quota(41)), Turn(raw=raw.encode(), headers=quota(42)))
    run(shell, "%%codex\nx")
    assert "weekly 41 → 43 %" in run(shell, "%%codex\nx").printed


def test_config_is_listed_with_its_meaning_and_refuses_what_it_does_not_know(shell, backend, caplog):
    """A bad value names the good ones and changes nothing; ``ask`` has the same defaults as a cell."""
    listed, _, _ = run(shell, "%config CodexMagics")
    for name in ("model", "effort", "verbosity", "tier", "chat", "approve", "stream", "receipt"):
        assert f"CodexMagics.{name}=" in listed
    for name in ("summary", "format", "cache", "timeout"):
        assert f"CodexMagics.{name}=" in listed
    for setting in ("receipt = 'long'", "effort = 'very much'", "approve = 'yes'"):
        caplog.clear()
        run(shell, f"%config CodexMagics.{setting}")
        assert any(good in caplog.text for good in ("'short'", "medium", "'always'"))
    run(shell, "%config CodexMagics.verbosity = 'low'\n%config CodexMagics.effort = 'low'")
    run(shell, "%config CodexMagics.chat = 'plans'\n%config CodexMagics.stream = False")
    run(shell, "%%codex\nfrom a cell")
    assert backend.requests[-1].body["text"] == {"verbosity": "low"}
    assert backend.requests[-1].body["reasoning"] == {"effort": "low"}
    run(shell, "%%codex -m gpt-5.4/high --verbosity high\nother wishes")
    assert backend.requests[-1].body["text"] == {"verbosity": "high"}
    assert backend.requests[-1].body["reasoning"] == {"effort": "high"}
    run(shell, "import codex_nb\ncodex_nb.ask('from Python', quiet=True)")
    assert backend.requests[-1].body["text"] == {"verbosity": "low"}
    chats = shell.run_line_magic("codex", "chats")
    assert (chats.chat == "plans").sum() == 3
    for name, value in {"verbosity": "", "effort": "", "chat": "", "stream": True}.items():
        run(shell, f"%config CodexMagics.{name} = {value!r}")


def test_formats_and_summaries_have_defaults_too(shell, backend):
    """What a cell names itself comes before them."""
    run(shell, "%config CodexMagics.summary = 'concise'\n%config CodexMagics.format = 'text'")
    run(shell, "%%codex\nx")
    assert backend.requests[-1].body["reasoning"]["summary"] == "concise"
    assert shell.user_ns["_codex"].format == "text"
    run(shell, "%%codex -f markdown --summary none\nx")
    assert "reasoning" not in backend.requests[-1].body
    assert shell.user_ns["_codex"].format == "markdown"
    run(shell, "%config CodexMagics.summary = ''\n%config CodexMagics.format = 'markdown'")


def test_magics_may_load_themselves_on_their_first_use(shell, backend):
    """With one line of the shell's configuration."""
    shell.run_line_magic("unload_ext", "codex_nb")
    manager = shell.magics_manager
    manager.lazy_magics = {"codex": "codex_nb", "codex_transcribe": "codex_nb"}
    backend.add(Turn(text="here"))
    try:
        assert "%codex_transcribe" in run(shell, "%codex_transcribe -h").printed
        printed, error, _ = run(shell, "%%codex\nx")
        assert error is None
        assert printed.startswith("here")
    finally:
        manager.lazy_magics = {}
        shell.run_line_magic("reload_ext", "codex_nb")


def test_unload_leaves_nothing_behind(shell, backend):
    """Neither magics nor configuration."""
    shell.run_line_magic("unload_ext", "codex_nb")
    assert shell.find_cell_magic("codex") is None
    assert shell.find_line_magic("codex") is None
    assert "CodexMagics" not in [type(one).__name__ for one in shell.configurables]
    shell.run_line_magic("load_ext", "codex_nb")


CITIES = '{"value": [{"city": "Oslo", "population": 717710}, {"city": "Rome", "population": null}]}'


def test_a_schema_gives_records_and_a_table(shell, backend):
    """``-s`` takes the little language; the answer is typed."""
    backend.add(Turn(text=CITIES))
    _, error, _ = run(shell, '%%codex -s "[city: str, population: int?]" -o cities\nTwo.')
    assert error is None
    answer = shell.user_ns["cities"]
    assert [row.city for row in answer.parsed] == ["Oslo", "Rome"]
    assert [str(dtype) for dtype in answer.df.dtypes][1] == "Int64"
    form = backend.requests[-1].body["text"]["format"]
    assert (form["type"], form["strict"]) == ("json_schema", True)


def test_a_schema_may_be_a_variable(shell, backend):
    """A name is looked up, an expression evaluated."""
    run(shell, "import pydantic\nclass Row(pydantic.BaseModel):\n    n: int")
    backend.add(Turn(text='{"n": 3}'), Turn(text='{"value": [{"n": 4}]}'))
    run(shell, "%%codex -s Row\nx")
    assert shell.user_ns["_codex"].parsed.n == 3
    assert shell.user_ns["_codex"].df is None
    run(shell, "%%codex -s list[Row]\nx")
    assert shell.user_ns["_codex"].df.n.tolist() == [4]
    _, error, _ = run(shell, "%%codex -s Rwo\nx")
    assert "Row" in error.hint


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        (Turn(text='{"value": []}'), None),
        (Turn(text='{"value": [{"n": "three"}]}'), codex_nb.InvalidAnswer),
        (Turn(text='{"value": null}'), codex_nb.InvalidAnswer),
        (Turn(text="I had rather not say."), codex_nb.InvalidAnswer),
        (Turn(text='{"value": [', incomplete="max_output_tokens"), None),
    ],
)
def test_an_answer_that_does_not_fit_is_an_error_and_kept(shell, backend, turn, kind):
    """The text is in ``_codex`` in any case; an incomplete answer is no error and has no table."""
    backend.add(turn)
    _, error, _ = run(shell, '%%codex -s "[n: int]"\nx')
    assert type(error) is (kind or type(None))
    answer = shell.user_ns["_codex"]
    assert answer.text == turn.text
    assert (answer.df is not None) == (turn.text == '{"value": []}')


def test_model_controls_are_sent(shell, backend):
    """Verbosity, tier and web search are fields of the request."""
    run(shell, "%%codex --verbosity low --tier priority --web\nx")
    body = backend.requests[-1].body
    assert body["text"] == {"verbosity": "low"}
    assert body["service_tier"] == "priority"
    assert body["tools"] == [{"type": "web_search"}]
    _, error, _ = run(shell, "%%codex --verbosity loud\nx")
    assert "loud" in error.message


def test_a_budget_of_configuration_stops_asking_and_says_when_to_go_on(shell, backend):
    """It warns, then stops; a larger one, and none, lets it go on. It holds for whatever backend is used."""
    backend.add(*(Turn(text="fine", usage=Usage(input=40_000, output=10)) for _ in range(40)))
    run(shell, "%config CodexMagics.budget = 3")
    assert not [one for one in backend.requests if one.path.endswith("usage")]
    with pytest.warns(UserWarning, match="of the budget"):
        error = next(error for _ in range(30) if (error := run(shell, "%%codex -n\nx").error))
    assert isinstance(error, BudgetReached)
    assert "%config CodexMagics.budget" in error.hint
    assert "UTC" in error.hint
    assert run(shell, "import codex_nb\ncodex_nb.ask('x', quiet=True)").error is not None
    run(shell, "%config CodexMagics.budget = 50")
    assert run(shell, "%%codex -n\nx").error is None
    run(shell, "%config CodexMagics.budget = 0")
    assert not codex_nb.session()._core.budgets


def test_a_budget_goes_over_to_the_next_backend(shell, backend):
    """And is gone with the extension."""
    run(shell, "%config CodexMagics.budget = 3")
    with LocalBackend(Script()) as other:
        session = codex_nb.connect(other.url, auth=codex_nb.Bearer("made-up"))
        assert [one.percent for one in session._core.budgets] == [3]
        shell.run_line_magic("unload_ext", "codex_nb")
        assert not session._core.budgets
        shell.run_line_magic("load_ext", "codex_nb")
        session.close()


def test_usage_and_tasks_are_drawn_on_request(shell, backend):
    """Beside the frames; tasks as many as are asked for."""
    run(shell, "%%codex -n\nx")
    assert "resets in" in str(run(shell, "%codex usage --plot").result.to_dict())
    assert len(run(shell, "%codex tasks -n 3").result) == 3
    assert "environment" in str(run(shell, "%codex tasks --plot").result.to_dict())
