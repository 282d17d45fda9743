"""A conversation made short, so that it fits the model: when its limit nears, or when the user says so."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from codex_nb.chat.chat import items
from codex_nb.chat.tokens import estimate_request
from codex_nb.errors import CodexError, InvalidOption, Stopped
from codex_nb.notebook.cards import Card

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_nb.chat.ask import Ask
    from codex_nb.chat.chat import Chat, Turn
    from codex_nb.chat.store import Chats
    from codex_nb.client.session import Session

__all__ = ["compact_command", "made_short", "near_limit"]

# The part of the window that a history may fill; the rest is for the question, its tools and its answer.
SHARE: Final = 0.8
# Below this no model is near its limit, so that nothing has to be known of it.
SMALL: Final = 8_000


def near_limit(ask: Ask, turns: Sequence[Turn], session: Session) -> bool:
    """Whether the history of ``ask`` leaves too little room in its model's window.

    The service's count of the last turn is used where there is one, an estimate otherwise.
    """
    whole = [turn for turn in turns if turn.whole]
    size = estimate_request(ask.history)
    if whole and not whole[-1].short:
        size = max(size, whole[-1].tokens)
    if size < SMALL:
        return False
    try:
        models = session.models.known or session.models.list()
    except CodexError:  # the question itself will tell what is wrong
        return False
    wanted = ask.model or session.model
    model = next((each for each in models if each.id == wanted or (wanted is None and each.listed)), None)
    return bool(model and model.context_window) and size > SHARE * (model.context_window or 0)  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


def made_short(chats: Chats, chat: Chat, turns: Sequence[Turn], session: Session, **request: Any) -> list[Turn]:
    """Let the service make ``turns`` short; return them with the short form in place of what was said.

    Raises:
        CodexError: it could not; the conversation is as it was.
        Stopped: the user interrupted; the conversation is as it was.

    """
    history, _ = items(turns)
    try:
        short = session.responses.compact(input=history, **request)
    except KeyboardInterrupt:
        raise Stopped("Stopped while the conversation was made short; it is as it was.") from None
    last = max(place for place, turn in enumerate(turns) if turn.whole)
    changed = replace(turns[last], short=tuple(item.raw for item in short.output))
    try:
        chats.update(chat, changed)
    except OSError as error:
        warnings.warn(f"The short form cannot be written to {chats.path} ({error.strerror}).", stacklevel=2)
    return [*turns[:last], changed, *turns[last + 1 :]]


def compact_command(shell: Any, name: str) -> Card:
    """Make a conversation short, as ``%codex compact`` says.

    Raises:
        InvalidOption: nothing was said in it yet.
        CodexError: the service could not; the conversation is as it was.

    """
    from codex_nb.client.default import session
    from codex_nb.notebook.chats import conversations

    chats = conversations(shell).chats
    chat = chats.chat(name)
    turns = chat.line()
    whole = [turn for turn in turns if turn.whole]
    if not whole:
        raise InvalidOption(f"The chat {name!r} has nothing to compact.", hint="%codex chats shows what there is.")
    if whole[-1].short:
        return Card(f"The chat {name!r} is short already", [])
    before = estimate_request(items(turns)[0])
    after = estimate_request(items(made_short(chats, chat, turns, session(), model=whole[-1].model or None))[0])
    return Card(
        f"Compacted {len(whole)} {'turn' if len(whole) == 1 else 'turns'} of the chat {name!r}",
        [("sent before", f"about {before:,} tokens"), ("sent now", f"about {after:,} tokens")],
    )
