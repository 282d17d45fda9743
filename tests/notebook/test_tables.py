"""``-s "[city: str, population: int]"``: a frame of the right dtypes, or the exact error, whatever comes."""

import pandas as pd
import pytest
from IPython.utils.capture import capture_output

import codex_nb
from codex_nb.local import Fault, LocalBackend, Script, Turn
from codex_nb.local.pieces import Item
from tests.requirements_gate import missing_model, require

CELL = '%%codex -n -s "[city: str, population: int]"\nWhich cities?'
TEXT = str(pd.Series(["x"]).dtype)


def asked(shell, backend, cell=CELL, *, timeout=5):
    """Ask for the table; return the answer and what was raised."""
    session = codex_nb.connect(backend.url, auth=codex_nb.Bearer("made-up"), timeout=timeout, max_retries=0)
    shell.user_ns.pop("_codex", None)
    with capture_output():
        result = shell.run_cell(cell)
    session.close()
    return shell.user_ns.get("_codex"), result.error_in_exec


def refused(words):
    """Return a message in which the model refuses."""
    part = {"type": "refusal", "refusal": words}
    return Item({"type": "message", "role": "assistant", "status": "completed", "content": [part]})


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"value": []}', []),
        ('{"value": [{"city": "Oslo", "population": 717710}]}', [("Oslo", 717710)]),
        ('{"value": [{"city": "", "population": -1}]}', [("", -1)]),
    ],
)
def test_a_table_has_its_dtypes_however_many_rows_there_are(shell, text, rows):
    """Also none."""
    with LocalBackend(Script.of(text)) as backend:
        answer, error = asked(shell, backend)
    assert error is None
    assert list(answer.df.itertuples(index=False, name=None)) == rows
    assert {name: str(dtype) for name, dtype in answer.df.dtypes.items()} == {"city": TEXT, "population": "Int64"}


@pytest.mark.parametrize(
    "text",
    [
        '{"value": null}',
        "null",
        '{"value": [{"city": null, "population": 1}]}',
        '{"value": [{"city": "Oslo", "population": "many"}]}',
        '{"value": [{"city": "Oslo", "population": 1.5}]}',
        '{"value": [{"city": "Oslo"}]}',
        '{"value": {"city": "Oslo", "population": 1}}',
        "Oslo has many people.",
    ],
)
def test_what_does_not_fit_is_an_error_and_no_table(shell, text):
    """The text is kept, and nothing of it is taken for data."""
    with LocalBackend(Script.of(text)) as backend:
        answer, error = asked(shell, backend)
    assert type(error) is codex_nb.InvalidAnswer
    assert error.hint
    assert error.partial == text
    assert (answer.text, answer.parsed, answer.df) == (text, None, None)


def test_a_refusal_is_told_in_the_models_words(shell):
    """It is no table, and no broken JSON either."""
    with LocalBackend(Script(turns=[Turn(calls=[refused("I will not count people.")])])) as backend:
        answer, error = asked(shell, backend)
    assert answer.refusal == "I will not count people."
    assert answer.df is None
    assert (error, answer.status) == (None, "completed")


def test_a_cut_stream_is_an_error_with_the_rows_so_far_as_text(shell):
    """Half a table is none."""
    with LocalBackend(Script.of('{"value": [{"city": "Oslo", "population": 717710}, {"city": "Ro')) as backend:
        backend.inject(Fault.cut_after(events=8))
        answer, error = asked(shell, backend)
    assert type(error) is codex_nb.StreamInterrupted
    assert error.partial.startswith('{"value": [')
    assert answer.text == error.partial
    assert (answer.status, answer.df) == ("failed", None)


@pytest.mark.model
def test_a_real_model_fills_the_table(shell):
    """A very small one, but what it was told it can repeat."""
    require("model", missing_model())
    told = "The city of Oslo has 717710 people, and Bergen has 291940. Make a table of both."
    with LocalBackend() as backend:
        answer, error = asked(shell, backend, f'%%codex -n -s "[city: str, population: int]"\n{told}', timeout=120)
    assert (error, answer.status) == (None, "completed")
    assert {name: str(dtype) for name, dtype in answer.df.dtypes.items()} == {"city": TEXT, "population": "Int64"}
    assert answer.df.city.tolist() == ["Oslo", "Bergen"]
