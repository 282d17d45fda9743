"""The turns of a cloud task: what was asked, what was answered, and the changes that came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field, field_validator

from codex_nb.types._record import NULL_IS_EMPTY, Record, Rows, moment

__all__ = [
    "MappedTurn",
    "SiblingTurns",
    "TaskTurn",
    "TaskTurns",
    "TurnError",
    "TurnEvent",
    "Worklog",
]

BETWEEN = "\n\n"


class TurnError(Record):
    """Why a turn failed. The service sends an object, or a text alone; of another kind of value nothing is read."""

    code: str | int | None = None
    message: str | None = None

    @field_validator("code", "message", mode="before")
    @classmethod
    def _words_alone(cls, value: Any) -> Any:
        return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None

    @field_validator("message", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    def __str__(self) -> str:
        return ": ".join(str(part) for part in (self.code, self.message) if part not in (None, "")) or "unknown error"


class TurnEvent(Record):
    """The last thing that a running turn told."""

    text: str | None = None
    event_type: str | None = None


class Worklog(Record):
    """The conversation that old tasks keep; new ones keep the prompt alone. Messages are in ChatGPT's own form."""

    messages: list[Any] = Field(default_factory=list[Any])

    @property
    def answers(self) -> list[str]:
        """The texts of the assistant's messages."""
        messages = (_object(message) for message in self.messages)
        said = (one for one in messages if _object(one.get("author")).get("role") == "assistant")
        return [text for one in said if (text := "\n".join(_log_texts(one)))]


class TaskTurn(Record):
    """One turn of a task, the user's or the assistant's. Of several attempts each is a turn."""

    id: str | None = None
    type: str | None = None
    created_at: float | None = None
    previous_turn_id: str | None = None
    turn_status: str | None = None
    attempt_placement: int | None = None
    sibling_turn_ids: list[str] = Field(default_factory=list[str])
    # Messages, changes and other kinds, as they came.
    input_items: list[Any] = Field(default_factory=list[Any])
    output_items: list[Any] = Field(default_factory=list[Any])
    worklog: Worklog | None = None
    latest_event: TurnEvent | None = None
    error: TurnError | None = None
    intent: str | None = None
    branch: str | None = None
    base_commit_sha: str | None = None
    model_version: str | None = None
    pull_request_status: str | None = None

    shown: ClassVar[tuple[str, ...]] = ("id", "type", "status", "attempt_placement", "error")

    @field_validator("error", mode="before")
    @classmethod
    def _text_alone(cls, value: Any) -> Any:
        """Take a bare text too, and leave what is neither; an empty one is no error."""
        if isinstance(value, (dict, TurnError)):
            return cast("Any", value) or None
        return {"message": value if isinstance(value, str) else None} if value else None

    @property
    def status(self) -> str | None:
        """``pending``, ``in_progress``, ``completed``, ``failed`` or ``cancelled``; None for a user's turn."""
        return self.turn_status

    @property
    def created(self) -> datetime | None:
        """When it began: aware, UTC."""
        return moment(self.created_at)

    @property
    def diffs(self) -> list[str]:
        """The unified diffs of the turn, in order."""
        return [diff for item in self.output_items if (diff := _diff(item))]

    @property
    def diff(self) -> str | None:
        """The first of its diffs."""
        return next(iter(self.diffs), None)

    @property
    def prompt(self) -> str:
        """What the user asked in it; messages are set apart by an empty line."""
        asked = (_said(item) for item in self.input_items if _of_user(item))
        return BETWEEN.join(text for text in asked if text)

    @property
    def answer(self) -> str:
        """What the assistant said in it; messages are set apart by an empty line."""
        said = [text for item in self.output_items if (text := _said(item))]
        return BETWEEN.join(said or (self.worklog.answers if self.worklog else []))

    @property
    def text(self) -> str:
        """What is said in it: the prompt, then the answer."""
        return BETWEEN.join(text for text in (self.prompt, self.answer) if text)

    @property
    def error_message(self) -> str | None:
        """Why it failed, in words; its code where there are none."""
        return (self.error and (self.error.message or (self.error.code and str(self.error.code)))) or None


class MappedTurn(Record):
    """A turn as the map of turns holds it."""

    turn: TaskTurn | None = None


class TaskTurns(Rows[TaskTurn]):
    """All turns of a task by id, and which is the current one. A list of `TaskTurn`, the oldest first."""

    turn_mapping: dict[str, MappedTurn | None]
    current_turn_id: str | None = None

    @field_validator("turn_mapping", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value

    @property
    def items(self) -> list[TaskTurn]:
        """The turns, the oldest first; those without a time are last."""
        return sorted((entry.turn for entry in self.turn_mapping.values() if entry and entry.turn), key=_age)

    @property
    def turns(self) -> list[TaskTurn]:
        """The same as ``items``."""
        return self.items

    @property
    def current(self) -> TaskTurn | None:
        """The turn that the task shows."""
        found = self.turn_mapping.get(self.current_turn_id or "")
        return found and found.turn


class SiblingTurns(Rows[TaskTurn]):
    """The other attempts at a turn. A list of `TaskTurn`, in the order in which the service numbers them."""

    sibling_turns: Annotated[list[TaskTurn], NULL_IS_EMPTY]

    @property
    def items(self) -> list[TaskTurn]:
        """The attempts in order; those without a number are last."""
        return sorted(self.sibling_turns, key=_number)


def _age(turn: TaskTurn) -> tuple[float, float]:
    return _or_last(turn.created_at), _or_last(turn.attempt_placement)


def _number(turn: TaskTurn) -> tuple[float, float]:
    return _or_last(turn.attempt_placement), _or_last(turn.created_at)


def _or_last(number: float | None) -> float:
    """Return a key that sorts; what is no number goes last."""
    return float("inf") if number is None or number != number else number  # noqa: PLR0124 - NaN


def _said(item: Any) -> str:
    """Return the text of a message, its parts on lines of their own; other items say nothing."""
    fields = _object(item)
    return "\n".join(_texts(fields.get("content"))) if fields.get("type") == "message" else ""


def _of_user(item: Any) -> bool:
    """Tell whether a message is the user's; one that does not say is."""
    role = _object(item).get("role")
    return not isinstance(role, str) or role.lower() in {"", "user"}


def _diff(item: Any) -> str | None:
    """Return the unified diff of an item: its own, or its pull request's."""
    fields = _object(item)
    holder = _object(fields.get("output_diff")) if fields.get("type") == "pr" else fields
    diff = holder.get("diff") if fields.get("type") in ("output_diff", "pr") else None
    return diff if isinstance(diff, str) and diff else None


def _texts(content: Any) -> Iterator[str]:
    """Give the texts of a content, which is a text, or a list of texts and of parts."""
    parts = cast("list[Any]", content) if isinstance(content, list) else [content]
    for part in parts:
        text = part if isinstance(part, str) else _object(part).get("text")
        if isinstance(text, str) and text:
            yield text


def _log_texts(message: dict[str, Any]) -> Iterator[str]:
    content = _object(message.get("content"))
    yield from _texts(content.get("parts") or [content])


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
