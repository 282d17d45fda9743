"""A conversation: turns that grow from one another, of which one line is the present one.

Each turn knows the turn it goes on from, so that a cell can be run again, a new line begun, or an old one taken up,
and nothing that was said is lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from codex_nb.errors import InvalidOption

__all__ = ["DEFAULT_CHAT", "Chat", "Turn"]

DEFAULT_CHAT: Final = "default"
# What the service finished saying may be sent back; what broke off stays here.
WHOLE: Final = frozenset({"completed", "incomplete"})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question and its answer.

    ``input`` are the items that this turn added to the request, ``output`` those of the answer, as they came (encrypted
    reasoning too). ``parent`` is the id of the turn before it, None where a conversation begins. ``cell`` names the
    cell that asked. ``stale`` says that an earlier turn was asked anew since.
    ``tokens`` is what the service counted for all that was sent and answered, 0 where it did not say. ``short`` are the
    items that are sent in place of this turn and all before it, where the conversation was made short here. ``at``
    is ISO 8601, UTC.
    """

    prompt: str
    input: Sequence[Any]
    output: Sequence[Any] = ()
    status: str = "completed"
    model: str = ""
    cell: str | None = None
    parent: str | None = None
    stale: bool = False
    tokens: int = 0
    short: Sequence[Any] = ()
    at: str = field(default_factory=_now)
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def whole(self) -> bool:
        """Whether it is sent along with later questions."""
        return self.status in WHOLE

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


class Chat:
    """The turns of one conversation, in the order in which they were asked."""

    def __init__(self, name: str = DEFAULT_CHAT) -> None:
        self.name = name
        self._turns: dict[str, Turn] = {}
        self._last: str | None = None

    def __repr__(self) -> str:
        return f"<Chat {self.name!r}, {len(self.line())} turns>"

    @property
    def turns(self) -> list[Turn]:
        """Every turn, also of lines that were left."""
        return list(self._turns.values())

    def line(self) -> list[Turn]:
        """Return the present line, from its beginning to the last turn."""
        return self._line_to(self._last)

    def before(self, cell: str | None, *, new: bool = False, at: int | None = None) -> list[Turn]:
        """Return the turns that a question of ``cell`` goes on from.

        They are those before its own earlier turn, if it has one on the present line, else all of the line. ``new``
        begins with none; ``at`` counts turns of the line: 2 goes on from the second, -1 from the last but one, 0 begins
        with none.

        Raises:
            InvalidOption: the line has no such turn.

        """
        line = self.line()
        if new:
            return []
        if at is not None:
            if abs(at) > len(line):
                raise InvalidOption(
                    f"The chat {self.name!r} has no turn {at}: it has {len(line)}.",
                    hint="%codex chats shows them; --at counts from 1, and -1 leaves out the last.",
                )
            return line[:at]
        own = self._own(line, cell)
        return line if own is None else line[:own]

    def record(self, turn: Turn, *, after: Sequence[Turn], instead: str | None = None) -> list[Turn]:
        """Add ``turn`` behind ``after``; return what has changed: it, and the turns that now go on from it.

        A turn of the same cell in the same place is replaced, or that whose id is ``instead``. Those behind it stay,
        marked ``stale``.
        """
        parent = after[-1].id if after else None
        line = self.line()
        named = (place for place, each in enumerate(line) if each.id == instead)
        own = next(named, None) if instead else self._own(line, turn.cell)
        turn = replace(turn, parent=parent)
        if own is None or line[own].parent != parent:
            self._turns[turn.id] = turn
            self._last = turn.id
            return [turn]
        old = line[own]
        turn = replace(turn, id=old.id)
        later = [replace(each, stale=True, short=()) for each in line[own + 1 :]]
        for each in (turn, *later):
            self._turns[each.id] = each
        return [turn, *later]

    def take(self, turn: Turn) -> None:
        """Take a turn that was recorded elsewhere: a new one, or a new state of a known one."""
        if turn.id not in self._turns:
            self._last = turn.id
        self._turns[turn.id] = turn

    def _line_to(self, last: str | None) -> list[Turn]:
        line: list[Turn] = []
        seen: set[str] = set()
        while last is not None and last in self._turns and last not in seen:
            seen.add(last)
            line.append(self._turns[last])
            last = self._turns[last].parent
        return line[::-1]

    @staticmethod
    def _own(line: Sequence[Turn], cell: str | None) -> int | None:
        """Return the place of the cell's own turn on ``line``."""
        places = (place for place, turn in enumerate(line) if cell is not None and turn.cell == cell)
        return next(places, None)


def items(turns: Sequence[Turn], limit: int | None = None) -> tuple[list[Any], int]:
    """Return what the last ``limit`` whole turns add to a request's input, and how many they are."""
    whole = [turn for turn in turns if turn.whole]
    kept = whole if limit is None else whole[len(whole) - min(limit, len(whole)) :]
    places = [place for place, turn in enumerate(kept) if turn.short and limit is None]
    begin = list(kept[places[-1]].short) if places else []
    rest = kept[places[-1] + 1 :] if places else kept
    return [*begin, *(item for turn in rest for item in (*turn.input, *turn.output))], len(kept)
