"""Conversations: what a question goes on from, what happens when a cell is run again, and what a file keeps."""

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.chat.chat import Chat, Turn, items
from codex_nb.chat.store import Chats, file_of
from codex_nb.errors import InvalidOption


def turn(prompt, **facts):
    """Return a turn that asked and was answered."""
    return Turn(prompt=prompt, input=[f"q {prompt}"], output=[f"a {prompt}"], **facts)


def ask(chat, prompt, **where):
    """Ask in a chat as a cell does; return what changed."""
    facts = {name: where.pop(name) for name in ("status", "cell") if name in where}
    after = chat.before(facts.get("cell"), **where)
    return chat.record(turn(prompt, **facts), after=after)


def prompts(turns):
    """Return what was asked."""
    return [each.prompt for each in turns]


@pytest.fixture
def chat():
    """Three cells asked, one after the other."""
    chat = Chat()
    for cell in "abc":
        ask(chat, f"of {cell}", cell=cell)
    return chat


def test_questions_follow_one_another(chat):
    """Each goes on from all before it."""
    assert prompts(chat.line()) == ["of a", "of b", "of c"]
    assert items(chat.before("d")) == (["q of a", "a of a", "q of b", "a of b", "q of c", "a of c"], 3)


def test_a_cell_that_runs_again_replaces_its_turn(chat):
    """It goes on from what was before it; what came later stays, marked."""
    assert prompts(chat.before("b")) == ["of a"]
    changed = ask(chat, "of b, better", cell="b")
    assert prompts(changed) == ["of b, better", "of c"]
    assert prompts(chat.line()) == ["of a", "of b, better", "of c"]
    assert [each.stale for each in chat.line()] == [False, False, True]
    ask(chat, "of c again", cell="c")
    assert [each.stale for each in chat.line()] == [False, False, False]
    assert len(chat.turns) == 3


def test_without_cells_every_question_is_a_new_turn():
    """A terminal has no cells."""
    chat = Chat()
    ask(chat, "x")
    ask(chat, "x")
    assert prompts(chat.line()) == ["x", "x"]


def test_new_begins_a_line_and_keeps_the_old_one(chat):
    """Nothing is sent along; nothing is thrown away."""
    ask(chat, "anew", cell="d", new=True)
    assert prompts(chat.line()) == ["anew"]
    assert len(chat.turns) == 4
    ask(chat, "and on", cell="e")
    assert prompts(chat.line()) == ["anew", "and on"]


@pytest.mark.parametrize(
    ("at", "before"), [(0, []), (1, ["of a"]), (3, ["of a", "of b", "of c"]), (-1, ["of a", "of b"])]
)
def test_at_goes_on_from_a_turn(chat, at, before):
    """Counted from 1; a negative number leaves out so many."""
    ask(chat, "branch", cell="d", at=at)
    assert prompts(chat.line()) == [*before, "branch"]
    assert len(chat.turns) == 4


def test_a_turn_that_is_not_there_is_an_error(chat):
    """It says how many there are."""
    with pytest.raises(InvalidOption, match="has 3"):
        chat.before(None, at=4)


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_what_broke_off_is_kept_but_not_sent(chat, status):
    """The next question does not know of it."""
    ask(chat, "broken", cell="d", status=status)
    assert prompts(chat.line())[-1] == "broken"
    assert items(chat.before("e"))[1] == 3


@pytest.mark.parametrize(("limit", "sent"), [(None, 3), (0, 0), (2, 2), (9, 3)])
def test_turns_limits_what_is_sent(chat, limit, sent):
    """The last ones are sent."""
    found, count = items(chat.before("d"), limit)
    assert count == sent
    assert found == [text for cell in "abc"[3 - sent :] for text in (f"q of {cell}", f"a of {cell}")]


WHERE = st.fixed_dictionaries(
    {"cell": st.sampled_from([None, *"abcd"])},
    optional={"new": st.just(True), "status": st.sampled_from(["completed", "failed"])},
)


@given(st.lists(WHERE, max_size=20))
def test_a_file_gives_back_the_same_conversation(tmp_path_factory, asked):
    """Whatever was asked in whatever order, a kernel that starts later sees the same."""
    path = tmp_path_factory.mktemp("chat") / "x.jsonl"
    first = Chats(path)
    for number, where in enumerate(asked):
        options = dict(where)
        new, status = options.pop("new", False), options.pop("status", "completed")
        chat = first.chat()
        after = chat.before(options["cell"], new=new)
        first.record(chat, turn(str(number), status=status, **options), after=after)
    again = Chats(path)
    assert again.chat().turns == [Turn(**each.as_json()) for each in first.chat().turns]
    assert prompts(again.chat().line()) == prompts(first.chat().line())


def test_two_kernels_see_one_another(tmp_path):
    """What one adds, the other goes on from."""
    one, other = Chats(tmp_path / "x.jsonl"), Chats(tmp_path / "x.jsonl")
    one.record(one.chat(), turn("first"), after=[])
    other.record(other.chat("plans"), turn("planned"), after=[])
    other.record(other.chat(), turn("second"), after=other.chat().line())
    assert prompts(one.chat().line()) == ["first", "second"]
    assert sorted(chat.name for chat in one) == ["default", "plans"]


@pytest.mark.parametrize(
    "torn", [b'{"chat":"default","prompt":"to', b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"chat":"x","bad":1}\n']
)
def test_a_torn_line_costs_that_line_alone(tmp_path, torn):
    """A killed kernel leaves half of a line; what is written later stands on its own."""
    path = tmp_path / "x.jsonl"
    chats = Chats(path)
    chats.record(chats.chat(), turn("first"), after=[])
    with path.open("ab") as file:
        file.write(torn)
    late = Chats(path)
    late.record(late.chat(), turn("second"), after=late.chat().line())
    assert prompts(Chats(path).chat().line()) == ["first", "second"]


def test_the_file_is_private_and_not_for_the_repository(tmp_path):
    """Only its owner reads it, and git does not see it."""
    path = file_of(tmp_path / "sales.ipynb", tmp_path / "data")
    assert path == tmp_path / ".codex_nb" / "sales.chats.jsonl"
    chats = Chats(path)
    chats.record(chats.chat(), turn("x"), after=[])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (path.parent / ".gitignore").read_text().splitlines() == ["*", "!*.cache.jsonl"]
    assert json.loads(path.read_text())["prompt"] == "x"


def test_a_notebook_in_a_place_that_cannot_be_written_has_its_file_elsewhere(tmp_path, monkeypatch):
    """In the data folder, under a name of its own; where no notebook is known there is no file."""
    monkeypatch.setattr("os.access", lambda *_: False)
    one, other = (file_of(tmp_path / name / "a.ipynb", tmp_path / "data") for name in "xy")
    assert one.parent == other.parent == tmp_path / "data" / "chats"
    assert one != other
    assert file_of(None, tmp_path) is None
