"""Cloud tasks: what was asked of Codex in an environment, and how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import AliasChoices, AliasPath, ConfigDict, Field

from codex_nb.types._base import Part
from codex_nb.types._record import NULL_IS_EMPTY, Record, moment
from codex_nb.types.turns import TaskTurn, TurnError, TurnEvent  # noqa: TC001 - pydantic reads it

__all__ = [
    "DiffStats",
    "PullRequest",
    "Task",
    "TaskDetail",
    "TaskPage",
]


# Where a task keeps what lists show beside the title, and there what its newest turn is doing.
SHOWN: Final = "task_status_display"
NEWEST: Final = "latest_turn_status_display"


def _within(*path: str) -> Any:
    """Return a field read at ``path``, inside of what is kept as it came: an object for each level costs much more."""
    return Field(default=None, validation_alias=AliasPath(*path), exclude=True)


class DiffStats(Part):
    """How large a change is: counts of files and lines."""

    files_modified: int | None = None
    lines_added: int | None = None
    lines_removed: int | None = None


class PullRequest(Part):
    """A pull request that came of a turn of a task. ``pull_request`` is all that its host tells of it, a dict."""

    model_config = ConfigDict(populate_by_name=False)

    id: str | None = None
    assistant_turn_id: str | None = None
    number: int | None = _within("pull_request", "number")
    url: str | None = _within("pull_request", "url")
    # In its host's words, such as `open`.
    state: str | None = _within("pull_request", "state")
    merged: bool | None = _within("pull_request", "merged")
    draft: bool | None = _within("pull_request", "draft")
    title: str | None = _within("pull_request", "title")
    pull_request: Any = Field(default=None, repr=False)
    codex_updated_sha: str | None = None


class Task(Record):
    """A task as lists show it. Times are epoch seconds; ``created`` and ``updated`` are the same as datetimes.

    ``status`` is ``pending``, ``in_progress``, ``completed``, ``failed`` or ``cancelled``; ``environment`` is the label
    of the environment that it runs in, whose id is not in lists; ``branch`` is the one that it started from;
    ``diff_stats`` says how large the newest change is. What is not said is None.
    """

    # The names below are those of paths alone: what the service calls by one of them may be something else.
    model_config = ConfigDict(populate_by_name=False)

    id: str
    title: str | None = None
    has_generated_title: bool | None = None
    created_at: float | None = None
    updated_at: float | None = None
    archived: bool | None = None
    has_unread_turn: bool | None = None
    current_turn_id: str | None = None
    environment_id: str | None = None
    is_review: bool | None = None
    task_status_display: Any = None
    environment: str | None = _within(SHOWN, "environment_label")
    branch: str | None = _within(SHOWN, "branch_name")
    initial_intent: str | None = _within(SHOWN, "initial_intent")
    status: str | None = _within(SHOWN, NEWEST, "turn_status")
    turn_intent: str | None = _within(SHOWN, NEWEST, "intent")
    diff_stats: DiffStats | None = _within(SHOWN, NEWEST, "diff_stats")
    sibling_turn_ids: list[str] | None = _within(SHOWN, NEWEST, "sibling_turn_ids")
    # Lists and details name the same thing differently.
    pull_requests: list[PullRequest] = Field(
        default_factory=list[PullRequest],
        validation_alias=AliasChoices("pull_requests", "external_pull_requests"),
    )

    shown: ClassVar[tuple[str, ...]] = ("id", "title", "status", "environment", "branch", "created")

    @property
    def external_pull_requests(self) -> list[PullRequest]:
        """The same as ``pull_requests``: the service's word for them in a task's details."""
        return self.pull_requests

    @property
    def pull_request(self) -> PullRequest | None:
        """The newest pull request."""
        return self.pull_requests[-1] if self.pull_requests else None

    @property
    def intent(self) -> str | None:
        """What it is for: ``pr``, a change, or ``qa``, a question."""
        return self.turn_intent or self.initial_intent

    @property
    def attempts(self) -> int:
        """How many attempts there are at the newest turn (best of N)."""
        return 1 + len(self.sibling_turn_ids or ())

    @property
    def created(self) -> datetime | None:
        """When it was asked: aware, UTC."""
        return moment(self.created_at)

    @property
    def updated(self) -> datetime | None:
        """When something last happened to it: aware, UTC."""
        return moment(self.updated_at)


class TaskPage(Record):
    """One page of a list of tasks, as it comes."""

    items: Annotated[list[Task], NULL_IS_EMPTY]
    cursor: str | None = None


class TaskDetail(Record):
    """A task with its current turns: the prompt, the answer, the change, the error."""

    task: Task
    current_user_turn: TaskTurn | None = None
    current_assistant_turn: TaskTurn | None = None
    current_diff_task_turn: TaskTurn | None = None

    shown: ClassVar[tuple[str, ...]] = ("id", "title", "status", "environment", "branch", "created", "error")

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
        """``pending``, ``in_progress``, ``completed``, ``failed`` or ``cancelled``; None if that is not said."""
        return (self.current_assistant_turn and self.current_assistant_turn.status) or self.task.status

    @property
    def environment(self) -> str | None:
        """The label of the environment that it runs in."""
        return self.task.environment

    @property
    def branch(self) -> str | None:
        """The branch that it started from."""
        return self.task.branch or (self.current_assistant_turn and self.current_assistant_turn.branch)

    @property
    def attempts(self) -> int:
        """How many attempts there are at the newest turn (best of N)."""
        turn = self.current_assistant_turn
        return max(self.task.attempts, 1 + len(turn.sibling_turn_ids) if turn else 1)

    @property
    def created(self) -> datetime | None:
        """When it was asked: aware, UTC."""
        return self.task.created

    @property
    def diff_stats(self) -> DiffStats | None:
        """How large the change is."""
        return self.task.diff_stats

    @property
    def pull_requests(self) -> list[PullRequest]:
        """The pull requests that came of it."""
        return self.task.pull_requests

    @property
    def diffs(self) -> list[str]:
        """The unified diffs of the current turns, each once."""
        turns = (self.current_diff_task_turn, self.current_assistant_turn)
        return list(dict.fromkeys(diff for turn in turns if turn for diff in turn.diffs))

    @property
    def diff(self) -> str | None:
        """The change as a unified diff; None as long as there is none."""
        return next(iter(self.diffs), None)

    @property
    def prompt(self) -> str:
        """What was asked last."""
        return self.current_user_turn.prompt if self.current_user_turn else ""

    @property
    def answer(self) -> str:
        """What was answered last."""
        return self.current_assistant_turn.answer if self.current_assistant_turn else ""

    @property
    def error(self) -> TurnError | None:
        """Why it failed; ``str()`` of it is a line to show."""
        return self.current_assistant_turn and self.current_assistant_turn.error

    @property
    def error_message(self) -> str | None:
        """Why it failed, in words."""
        return self.current_assistant_turn and self.current_assistant_turn.error_message

    @property
    def latest_event(self) -> TurnEvent | None:
        """The last thing that a running task told."""
        return self.current_assistant_turn and self.current_assistant_turn.latest_event
