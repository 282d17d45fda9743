"""Conversations that are made short, before the limit, at the limit, and by command."""

import json

import pytest

import codex_nb
from codex_nb.local import Fault, LocalBackend, Script, Turn
from codex_nb.local.pieces import Usage
from tests.notebook.shells import open_shell, run


@pytest.fixture
def shell():
    """A shell that has asked nothing yet."""
    with open_shell() as shell:
        yield shell


@pytest.fixture
def backend():
    """A backend that answers without a script of turns, so that it makes short what it is given."""
    with LocalBackend(Script(reply=lambda _: Turn(text="fine", usage=Usage(input=250_000, output=5)))) as backend:
        session = codex_nb.connect(
            backend.url, auth=codex_nb.Bearer("made-up"), model="gpt-5.4", timeout=5, max_retries=0
        )
        yield backend
        session.close()


def kinds(backend):
    """Return the types of the items of the last request."""
    return [item["type"] for item in backend.requests[-1].body["input"]]


def test_a_conversation_near_the_limit_is_made_short_before_the_question(shell, backend):
    """The service's own count of the last turn tells; the receipt says it, and the turns stay listed."""
    run(shell, "%%codex\nfirst")
    printed, error, _ = run(shell, "%%codex\nsecond")
    assert error is None
    assert "compacted 1 turn" in printed
    assert "compaction" in kinds(backend)
    assert backend.requests[-2].body["input"][-1] == {"type": "compaction_trigger"}
    table = shell.run_line_magic("codex", "chats")
    assert list(table.prompt) == ["first", "second"]


def test_a_limit_that_was_hit_is_answered_with_one_compaction(shell, backend, monkeypatch):
    """Once; a question that does not fit even then is an error."""
    monkeypatch.setattr("codex_nb.notebook.compacting.SMALL", 1 << 40)
    run(shell, "%%codex\nfirst")
    full = {
        "type": "response.failed",
        "response": {"error": {"code": "context_length_exceeded", "message": "Too long"}},
    }
    raw = f"event: response.failed\ndata: {json.dumps(full)}\n\n".encode()
    backend.inject(Fault.reply(200, raw, path="*/responses", content_type="text/event-stream"))
    printed, error, _ = run(shell, "%%codex\nsecond")
    assert error is None
    assert "compacted 1 turn" in printed
    assert "compaction" in kinds(backend)


def test_a_compaction_that_fails_loses_nothing(shell, backend):
    """The question goes with the whole history, and a warning says why."""
    run(shell, "%%codex\nfirst")
    backend.inject(Fault.server_error(500, path="*/responses"))
    with pytest.warns(UserWarning, match="could not be made short"):
        _, error, _ = run(shell, "%%codex\nsecond")
    assert error is None
    assert "compaction" not in kinds(backend)
    assert len(kinds(backend)) >= 3


def test_the_command_makes_a_chat_short(shell, backend):
    """By name; a chat in which nothing was said has nothing to compact."""
    run(shell, "%%codex -c plans\nfirst")
    assert "Compacted 1 turn" in repr(run(shell, "%codex compact plans").result)
    assert "short already" in repr(run(shell, "%codex compact plans").result)
    assert isinstance(run(shell, "%codex compact nothing").error, codex_nb.InvalidOption)
