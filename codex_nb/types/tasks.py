"""Tasks that Codex does in the cloud: what was asked, by turns, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import AliasChoices, Field

from codex_nb.types._base import Shape

__all__ = ["DiffStats", "PullRequest", "Task", "TaskDetail", "TaskTurn", "TaskTurns"]


def moment(seconds: float | None) -> datetime | None:
    """Return epoch seconds as an aware datetime, None for what is no time."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


class DiffStats(Shape):
    """How much a turn changed."""

    files_modified: int | None = None
    lines_added: int | None = None
    lines_removed: int | None = None


class TurnStatus(Shape):
    """The latest turn as lists show it. ``intent`` is ``pr`` (change the code) or ``qa`` (answer a question)."""

    turn_id: str | None = None
    turn_status: str | None = None
    intent: str | None = None
    diff_stats: DiffStats | None = None
    sibling_turn_ids: list[str] = Field(default_factory=list[str])


class TaskStatus(Shape):
    """Where a task stands, as lists show it."""

    latest_turn_status_display: TurnStatus | None = None
    environment_label: str | None = None
    branch_name: str | None = None
    initial_intent: str | None = None


class PullRequestFacts(Shape):
    """A pull request as its host tells it."""

    number: int | None = None
    url: str | None = None
    state: str | None = None
    merged: bool | None = None
    draft: bool | None = None
    title: str | None = None


class PullRequest(Shape):
    """A pull request that a turn made."""

    id: str | None = None
    assistant_turn_id: str | None = None
    pull_request: PullRequestFacts | None = None

    @property
    def url(self) -> str | None:
        """Where it is."""
        return self.pull_request.url if self.pull_request else None


class Task(Shape):
    """One task. ``created_at`` and ``updated_at`` are epoch seconds; `created` and `updated` aware datetimes."""

    id: str
    title: str | None = None
    has_generated_title: bool | None = None
    created_at: float | None = None
    updated_at: float | None = None
    archived: bool | None = None
    has_unread_turn: bool | None = None
    task_status_display: TaskStatus | None = None
    # Lists and details name it differently.
    pull_requests: list[PullRequest] = Field(
        default_factory=list[PullRequest], validation_alias=AliasChoices("pull_requests", "external_pull_requests")
    )

    @property
    def created(self) -> datetime | None:
        """When it was asked."""
        return moment(self.created_at)

    @property
    def updated(self) -> datetime | None:
        """When something last happened."""
        return moment(self.updated_at)

    @property
    def _latest(self) -> TurnStatus | None:
        return self.task_status_display.latest_turn_status_display if self.task_status_display else None

    @property
    def status(self) -> str | None:
        """The latest turn's: ``pending``, ``in_progress``, ``completed``, ``failed`` or ``cancelled``."""
        return self._latest.turn_status if self._latest else None

    @property
    def environment(self) -> str | None:
        """The label of the environment, mostly the repository's name."""
        return self.task_status_display.environment_label if self.task_status_display else None

    @property
    def branch(self) -> str | None:
        """The branch it began from."""
        return self.task_status_display.branch_name if self.task_status_display else None

    @property
    def diff_stats(self) -> DiffStats | None:
        """How much the latest turn changed; None where it changed nothing, or is not done."""
        return self._latest.diff_stats if self._latest else None

    @property
    def attempts(self) -> int:
        """How many answers the latest turn has (best of N)."""
        return 1 + len(self._latest.sibling_turn_ids) if self._latest else 1


class TaskTurn(Shape):
    """One turn: the user's words (``type`` is ``user``), or one attempt to answer them (``assistant``)."""

    id: str
    type: str | None = None
    created_at: float | None = None
    previous_turn_id: str | None = None
    turn_status: str | None = None
    attempt_placement: int | None = None
    sibling_turn_ids: list[str] = Field(default_factory=list[str])
    input_items: list[Any] = Field(default_factory=list[Any])
    output_items: list[Any] = Field(default_factory=list[Any])
    intent: str | None = None
    branch: str | None = None
    base_commit_sha: str | None = None
    model_version: str | None = None
    error: Any = None

    @property
    def created(self) -> datetime | None:
        """When it began."""
        return moment(self.created_at)

    @property
    def text(self) -> str:
        """What is said in it, messages joined by blank lines."""
        messages = [_said(item) for item in (*self.input_items, *self.output_items)]
        return "\n\n".join(each for each in messages if each)

    @property
    def diff(self) -> str | None:
        """The change as a unified diff; None where there is none."""
        return next(_diffs(self.output_items), None)

    @property
    def error_message(self) -> str | None:
        """Why it failed; the service says so in an object or in a text."""
        fields = _fields(self.error)
        said = fields.get("message") or fields.get("code") or self.error
        return said if isinstance(said, str) and said else None


class TaskDetail(Shape):
    """A task with its current turns."""

    task: Task
    current_user_turn: TaskTurn | None = None
    current_assistant_turn: TaskTurn | None = None
    current_diff_task_turn: TaskTurn | None = None

    @property
    def id(self) -> str:
        """The task's id."""
        return self.task.id

    @property
    def title(self) -> str | None:
        """The task's title."""
        return self.task.title

    @property
    def status(self) -> str | None:
        """The current attempt's status, else the one that lists show."""
        turn = self.current_assistant_turn
        return (turn.turn_status if turn else None) or self.task.status

    @property
    def prompt(self) -> str:
        """What was asked last."""
        return self.current_user_turn.text if self.current_user_turn else ""

    @property
    def answer(self) -> str:
        """What was answered last."""
        return self.current_assistant_turn.text if self.current_assistant_turn else ""

    @property
    def diff(self) -> str | None:
        """The change that the task made, as a unified diff; None where there is none."""
        turns = (self.current_diff_task_turn, self.current_assistant_turn)
        return next((turn.diff for turn in turns if turn and turn.diff), None)

    @property
    def error_message(self) -> str | None:
        """Why the current attempt failed."""
        return self.current_assistant_turn.error_message if self.current_assistant_turn else None


class MappedTurn(Shape):
    """A turn as the map of turns holds it."""

    turn: TaskTurn


class TaskTurns(Shape):
    """All turns of a task by id, and which is the current one. Iterates over the turns, oldest first."""

    turn_mapping: dict[str, MappedTurn] = Field(default_factory=dict[str, MappedTurn])
    current_turn_id: str | None = None

    @property
    def turns(self) -> list[TaskTurn]:
        """The turns, oldest first; those without a time come first."""
        return sorted((each.turn for each in self.turn_mapping.values()), key=lambda turn: turn.created_at or 0.0)

    @property
    def current(self) -> TaskTurn | None:
        """The current turn."""
        found = self.turn_mapping.get(self.current_turn_id or "")
        return found.turn if found else None

    def __iter__(self) -> Iterator[TaskTurn]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return iter(self.turns)

    def __len__(self) -> int:
        return len(self.turn_mapping)


class SiblingTurns(Shape):
    """The other attempts at a turn."""

    sibling_turns: list[TaskTurn] = Field(default_factory=list[TaskTurn])


def _fields(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _said(item: Any) -> str:
    """Return the text of a message; parts are texts, or objects that hold one."""
    fields = _fields(item)
    if fields.get("type") != "message":
        return ""
    texts = [part if isinstance(part, str) else _fields(part).get("text") for part in _list(fields.get("content"))]
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def _diffs(items: list[Any]) -> Iterator[str]:
    """Give the diffs of items: of an item's own, or of a pull request's."""
    for item in items:
        fields = _fields(item)
        inner = _fields(fields.get("output_diff")) if fields.get("type") == "pr" else fields
        if fields.get("type") in {"output_diff", "pr"} and isinstance(found := inner.get("diff"), str) and found:
            yield found
