"""The conversations of this notebook: where they are kept, and which cell is asking."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from codex_nb.chat.chat import DEFAULT_CHAT, Chat, Turn, items
from codex_nb.chat.store import Chats, file_of
from codex_nb.errors import InvalidOption
from codex_nb.settings import data_folder
from codex_nb.wire.json import as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.chat.answer import Answer
    from codex_nb.chat.ask import Ask
    from codex_nb.client.session import Session

__all__ = ["Conversations", "conversations", "notebook_of"]


@dataclass(slots=True)
class _Place:
    """Where a question stands: its conversation, the turns before it, how many are sent, its cell, and its turn."""

    chat: Chat
    after: list[Turn]
    turns: int | None
    cell: str | None
    turn: str | None = None
    compacted: int = 0


class Conversations:
    """What one shell has asked."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.chats = Chats(file_of(notebook_of(shell), data_folder()))
        self.latest: _Place | None = None
        self._asked: tuple[Any, int] = (None, 0)

    def join(
        self,
        ask: Ask,
        *,
        chat: str | None = None,
        new: bool = False,
        at: int | None = None,
        turns: int | None = None,
        by_cell: bool = True,
    ) -> tuple[Ask, Callable[[Answer], Answer]]:
        """Return ``ask`` with the history it goes on from, and what records its answer.

        A cell that runs again replaces its turn, but not where ``by_cell`` is false.

        Raises:
            InvalidOption: the chat has no such turn, or options contradict one another.

        """
        if new and at is not None:
            raise InvalidOption("-n begins anew, and --at goes on from a turn.", hint="Use one of the two.")
        if turns is not None and turns < 0:
            raise InvalidOption("--turns counts from 0.", hint="--turns 0 sends none of the history.")
        conversation = self.chats.chat(chat or DEFAULT_CHAT)
        cell = self._cell() if by_cell else None
        after = conversation.before(cell, new=new, at=at)
        self.latest = _Place(conversation, after, turns, cell)
        return self.join_at(self.latest, ask)

    def join_at(self, place: _Place, ask: Ask) -> tuple[Ask, Callable[[Answer], Answer]]:
        """Return what `join` does for a place that is known; what was answered there is replaced."""
        history, sent = items(place.after, place.turns)
        asked = replace(ask, history=tuple(history), turns_sent=sent, cell=place.cell)

        def record(answer: Answer) -> Answer:
            turn = Turn(
                prompt=ask.prompt,
                input=answer.input,
                output=answer.items,
                status=answer.status,
                model=answer.model,
                cell=place.cell,
                tokens=answer.response.usage.total_tokens if answer.response and answer.response.usage else 0,
            )
            changed = self._record(place, turn)
            place.turn = changed[0].id
            return replace(answer, turns_stale=len(changed) - 1, turns_compacted=place.compacted)

        return asked, record

    def compact(self, place: _Place, ask: Ask, session: Session) -> None:
        """Make the history of ``place`` short; `join_at` gives the question with the short form.

        Raises:
            CodexError: the service could not; the conversation is as it was.

        """
        from codex_nb.notebook.compacting import made_short

        tools = ask.tools.definitions() if ask.tools else None
        place.after = made_short(
            self.chats, place.chat, place.after, session, model=ask.model, instructions=ask.instructions, tools=tools
        )
        place.compacted = ask.turns_sent

    def _record(self, place: _Place, turn: Turn) -> list[Turn]:
        try:
            return self.chats.record(place.chat, turn, after=place.after, instead=place.turn)
        except OSError as error:
            import warnings

            warnings.warn(
                f"The conversation cannot be written to {self.chats.path} ({error.strerror}); "
                "it is kept until the kernel stops.",
                stacklevel=2,
            )
            self.chats.path = None
            return [turn]

    def _cell(self) -> str | None:
        """Return a name for the cell that runs, the same when it is run again; None where cells have none.

        The second question of one cell is the cell's second, and so on.
        """
        parent = as_object(getattr(self.shell, "get_parent", dict[str, Any])())
        cell = as_text(as_object(parent.get("metadata")).get("cellId"))
        if not cell:
            return None
        message = as_object(parent.get("header")).get("msg_id")
        count = self._asked[1] + 1 if self._asked[0] == message else 1
        self._asked = (message, count)
        return cell if count == 1 else f"{cell}#{count}"


def notebook_of(shell: Any) -> str | None:
    """Return the notebook's path, where the front end tells it: VS Code in a variable, Jupyter in the environment."""
    named = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return named if isinstance(named, str) and named.endswith(".ipynb") else None


_known: WeakKeyDictionary[Any, Conversations] = WeakKeyDictionary()


def conversations(shell: Any) -> Conversations:
    """Return the conversations of ``shell``."""
    if shell not in _known:
        _known[shell] = Conversations(shell)
    return _known[shell]
