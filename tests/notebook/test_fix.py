"""``%codex fix``: the errors that beginners meet, run in a shell, with scripted answers."""

import json

import pytest

import codex_nb
from codex_nb.chat.redact import Hidden
from codex_nb.local import Turn
from codex_nb.notebook import chats, fix
from tests.notebook.shells import open_shell, run

PRIVATE = "Ada Lovelace 1815"
SETUP = f"""
import numpy as np, pandas as pd
patient = {PRIVATE!r}
sales = pd.DataFrame({{"region": ["north", {PRIVATE!r}], "amount": [1, 2]}})
left, right = np.zeros((2, 3)), np.zeros((2, 4))
words = ["a", {PRIVATE!r}]
total, count = 3, 0
def mean(values):
    inner_secret = {PRIVATE!r}
    return sum(values) / len(values)
"""
# What fails, what is proposed, the line that goes and the line that comes, and what the model must have been told.
ERRORS = {
    "NameError": ("toatl + 1", "total + 1", "Names close to toatl: total"),
    "KeyError": ('sales["Amount"].sum()', 'sales["amount"].sum()', "columns 'region'"),
    "ValueError shapes": ("left + right", "left + right[:, :3]", "right: ndarray, shape (2, 4)"),
    "NameError import": ("math.sqrt(2)", "import math\nmath.sqrt(2)", "name 'math' is not defined"),
    "SyntaxError": ("for word in words\n    print(word)", "for word in words:\n    print(word)", "line 1: for word in"),
    "TypeError": ('"total: " + total', '"total: " + str(total)', "total: int"),
    "IndexError": ("words[2]", "words[1]", "words: list of 2"),
    "AttributeError": ("words.apend('b')", "words.append('b')", "Names close to apend: append"),
    "ValueError": ("int('3,5')", "float('3,5'.replace(',', '.'))", "invalid literal for int()"),
    "FileNotFoundError": ("open('dta.csv')", "open('data.csv')", "dta.csv"),
    "ZeroDivisionError": ("mean([])", "mean([]) if [] else 0.0", "in mean: return sum(values)"),
    "ModuleNotFoundError": ("import pandsa as p", "import pandas as p", "No module named 'pandsa'"),
    "IndentationError": ("if total:\nprint(total)", "if total:\n    print(total)", "expected an indented block"),
    "UnboundLocalError": (
        "def grow():\n    total += 1\ngrow()",
        "def grow(total):\n    return total + 1\ngrow(total)",
        "line 2 in grow",
    ),
}


@pytest.fixture
def shell():
    """A shell that has asked nothing yet."""
    with open_shell(SETUP) as shell:
        yield shell


def proposed(code, explanation="It was so.", confidence="high"):
    """Return the answer of a model that proposes this cell."""
    return Turn(text=json.dumps({"explanation": explanation, "code": code, "confidence": confidence}))


def told(backend):
    """Return what the model was told last."""
    return backend.requests[-1].body["input"][-1]["content"][0]["text"]


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_becomes_a_diff_and_the_next_cell(shell, backend, name):
    """The model knows what it needs, and no value that it was not given."""
    source, patch, known = ERRORS[name]
    error = run(shell, source).error
    assert type(error).__name__ == name.split()[0]
    backend.add(proposed(patch))
    printed, failed, proposal = run(shell, "%codex fix")
    assert failed is None
    assert "It was so." in printed
    gone = [line[1:] for line in proposal.diff.splitlines()[2:] if line.startswith("-")]
    new = [line[1:] for line in proposal.diff.splitlines()[2:] if line.startswith("+")]
    assert set(gone) <= set(source.splitlines())
    assert new
    assert set(new) <= set(patch.splitlines())
    assert shell.rl_next_input == patch == proposal.code
    assert patch in repr(proposal)
    assert known in told(backend)
    assert source in told(backend)
    sent = json.dumps([request.body for request in backend.requests])
    assert PRIVATE not in sent
    assert "/" + "home" not in sent
    form = backend.requests[-1].body["text"]["format"]
    assert (form["type"], form["strict"]) == ("json_schema", True)
    assert set(form["schema"]["properties"]) == {"explanation", "code", "confidence"}
    if "Module" not in name and "File" not in name:
        assert run(shell, proposal.code).error is None


def test_values_are_sent_only_where_they_are_asked_for_and_without_secrets(shell, backend):
    """--locals adds them; credentials and addresses of people are hidden, and come back in the patched cell."""
    cell = "api_key = 'sk-made-up-0123456789'\nmail = 'ada@example.com'\ntotal + mail"
    run(shell, cell)
    backend.add(proposed(""), proposed("api_key = '[hidden-1]'\nmail = '[hidden-2]'\nstr(total) + mail"))
    run(shell, "%codex fix")
    assert "total: int\n" in told(backend)
    proposal = run(shell, "%codex fix --locals").result
    assert "total: int = 3" in told(backend)
    sent = json.dumps([request.body for request in backend.requests])
    assert "sk-made-up" not in sent
    assert "ada@example.com" not in sent
    assert proposal.code == cell.replace("total +", "str(total) +")


def test_private_columns_stay_here_also_among_values(shell, backend):
    """``private`` holds for whatever describes a frame to a model."""
    run(shell, "import pandas as pd\nbuyers = pd.DataFrame({'street': ['Elm 7', 'Oak 9'], 'spent': [3, 4.5]})")
    backend.add(proposed("buyers.spent.sum()"))
    with codex_nb.private("street"):
        run(shell, "buyers.spnt.sum()")
        run(shell, "%codex fix --locals")
    assert "spent" in told(backend)
    assert "Elm 7" not in json.dumps([request.body for request in backend.requests])


def test_a_second_fix_knows_what_was_tried(shell, backend):
    """The chat goes on while it is about the same cell or its patch, and begins anew with another error."""
    run(shell, "toatl + 1")
    backend.add(*(proposed(code) for code in ("totl + 1", "total + 1", "words[1]")))
    run(shell, "%codex fix")
    run(shell, "totl + 1")
    run(shell, "%codex fix -m gpt-5.4/high it is about the sum")
    body = backend.requests[-1].body
    assert [item["type"] for item in body["input"]][:1] == ["message"]
    assert "toatl + 1" in body["input"][0]["content"][0]["text"]
    assert "totl + 1" in json.dumps(body["input"][1:-1])
    assert told(backend).startswith("Your proposal was run, and fails:")
    assert "it is about the sum" in told(backend)
    assert (body["model"], body["reasoning"]) == ("gpt-5.4", {"effort": "high"})
    run(shell, "words[2]")
    run(shell, "%codex fix")
    assert len(backend.requests[-1].body["input"]) == 1
    table = shell.run_line_magic("codex", "chats")
    assert (table.chat == "fix").sum() == 3


def test_a_dry_run_shows_what_would_be_sent(shell, backend):
    """Nothing leaves, nothing is remembered."""
    run(shell, "toatl")
    _, error, found = run(shell, "%codex fix --dry-run")
    assert error is None
    assert type(found).__name__ == "DryRun"
    assert "toatl" in repr(found)
    assert not backend.requests


def test_mistakes_of_the_magics_are_not_what_is_fixed(shell, backend):
    """A wrong option of ours does not stand before the user's own error; a mended cell is not fixed again."""
    assert "No cell has failed" in str(run(shell, "%codex fix").error)
    run(shell, "toatl")
    assert "--dry-run" in str(run(shell, "%codex fix --dry").error)
    backend.add(proposed("total"))
    assert run(shell, "%codex fix").result.original == "toatl"
    run(shell, "toatl = 1")
    run(shell, "toatl")
    assert isinstance(run(shell, "%codex fix").error, codex_nb.InvalidOption)


def test_a_refusal_and_an_unchanged_cell_make_no_next_cell(shell, backend):
    """Where there is no patch, the explanation is what there is."""
    run(shell, "open('nowhere')")
    shell.rl_next_input = None
    backend.add(proposed("open('nowhere')", "The file is not there."))
    printed, _, proposal = run(shell, "%codex fix")
    assert "The file is not there." in printed
    assert "stays as it is" in repr(proposal)
    assert shell.rl_next_input is None


def test_a_recorded_patch_is_proposed_again_without_the_service(shell, backend, monkeypatch, tmp_path):
    """What is recorded for the notebook's questions is recorded for this one, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODEX_NB_CACHE", "record")
    run(shell, "toatl + 1")
    backend.add(proposed("total + 1"))
    first = run(shell, "%codex fix").result
    monkeypatch.setenv("CODEX_NB_CACHE", "replay")
    chats._known.clear()
    fix._tried.clear()
    run(shell, "toatl + 1")
    again = run(shell, "%codex fix").result
    assert again.code == first.code == "total + 1"
    assert [request.path for request in backend.requests].count("/backend-api/codex/responses") == 1


def test_the_diff_is_text_never_markup(shell, backend):
    """A model's code cannot bring a script into the page, nor commands to the terminal."""
    run(shell, "toatl")
    backend.add(proposed("total # <script>alert(1)</script>\x1b[31m"))
    proposal = run(shell, "%codex fix").result
    assert "<script" not in proposal._repr_html_()
    assert "\x1b" not in repr(proposal)
    assert "rgba(46,160,67" in proposal._repr_html_()


@pytest.mark.parametrize(
    "secret",
    [
        "password = 'hunter22'",
        "{'api_key': 'abcdef123456'}",
        "postgresql://ada:hunter22@db/x",
        "Authorization: Bearer abcdefgh12345",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwx",
        "ada@example.com",
    ],
)
def test_secrets_are_hidden_and_put_back(secret):
    """The same one has the same name, twice over and in other texts."""
    hidden = Hidden()
    text = f"a {secret} b {secret}"
    once = hidden.hide(text)
    assert "[hidden-1]" in once
    assert "[hidden-2]" not in hidden.hide(once)
    for part in ("hunter22", "abcdef123456", "abcdefgh12345", "IOSFODNN7", "ijklmnop", "ada@"):
        assert part not in once
    assert hidden.restore(once) == text
