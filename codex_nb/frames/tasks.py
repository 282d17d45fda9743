"""Cloud tasks and their turns as tables. Nothing here changes a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from codex_nb.client.default import session_of
from codex_nb.columns import FLAG, NUMBER, TEXT, TIME, Column, ordered, table
from codex_nb.errors import InvalidOption, NotFoundError
from codex_nb.frames.counts import is_count
from codex_nb.frames.patch import changes
from codex_nb.frames.payload import with_payload
from codex_nb.frames.progress import paged

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.types.tasks import Task, TaskDetail
    from codex_nb.types.turns import TaskTurn

__all__ = ["STATUSES", "all_turns", "attempt_number", "task", "tasks", "turns"]

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
INTENTS = ("qa", "pr")
# The official client's page.
PAGE = 20


TASKS: list[Column[Task]] = [
    Column("id", TEXT),
    Column("title", TEXT),
    Column("status", ordered(STATUSES)),
    Column("intent", ordered(INTENTS)),
    Column("environment", TEXT),
    Column("branch", TEXT),
    Column("created", TIME, "created_at"),
    Column("updated", TIME, "updated_at"),
    Column("attempts", NUMBER),
    Column("files", NUMBER, "diff_stats.files_modified"),
    Column("added", NUMBER, "diff_stats.lines_added"),
    Column("removed", NUMBER, "diff_stats.lines_removed"),
    Column("pull_request", NUMBER, "pull_request.number"),
    Column("pull_request_state", TEXT, "pull_request.state"),
    Column("merged", FLAG, "pull_request.merged"),
    Column("pull_request_url", TEXT, "pull_request.url"),
    Column("archived", FLAG),
    Column("unread", FLAG, "has_unread_turn"),
    Column("review", FLAG, "is_review"),
]


def tasks(
    session: Session | None = None,
    *,
    limit: int | None = None,
    task_filter: str | None = None,
    environment_id: str | None = None,
    page: int = PAGE,
    raw: bool = False,
) -> pd.DataFrame:
    """Return the cloud tasks, the newest first, one row each; a bar shows how far it is when there are several pages.

    ``limit`` is the number of rows at most, None for all; ``page`` how many are asked for at once; ``task_filter`` is
    ``current`` or ``archived``; ``environment_id`` is one of `environments`.

    Columns: ``id``, ``title`` (text), ``status``, ``intent`` (ordered categories; ``pr`` is a change, ``qa`` a
    question), ``environment`` (its label), ``branch`` (text), ``created``, ``updated`` (datetime64[us, UTC]),
    ``attempts``, ``files``, ``added``, ``removed`` (Int64; the last two are lines), ``pull_request`` (Int64, the
    newest), ``pull_request_state``, ``pull_request_url`` (text), ``merged``, ``archived``, ``unread``, ``review``
    (boolean); with ``raw`` the payload (object).

    Raises:
        InvalidOption: ``limit`` or ``page`` is no count above 0; nothing was sent.
        UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

    """
    if not is_count(page) or not (limit is None or is_count(limit)):
        raise InvalidOption("limit and page are counts of tasks, at least 1.", hint="Nothing was sent.")
    most = int(page if limit is None else min(limit, page))
    ask = session_of(session).codex.tasks.list
    rows = paged(
        ask(limit=most, task_filter=task_filter, environment_id=environment_id), limit, "tasks", "Reading tasks"
    )
    return table(with_payload(TASKS, raw), rows, source="wham/tasks/list")


def _of_task(column: Column[Task]) -> Column[TaskDetail]:
    # What a detail knows better than the task in it.
    within = "" if column.name in {"status", "branch", "attempts"} else "task."
    return Column(column.name, column.cast, f"{within}{column.value or column.name}")


DETAIL: list[Column[TaskDetail]] = [
    *map(_of_task, TASKS),
    Column("prompt", TEXT, lambda detail: detail.prompt or None),
    Column("answer", TEXT, lambda detail: detail.answer or None),
    Column("error", TEXT, "error_message"),
    Column("latest_event", TEXT, "latest_event.text"),
    Column("diff", TEXT),
]


def task(task_id: str, session: Session | None = None, *, raw: bool = False) -> pd.DataFrame:
    """Return one task with its latest prompt and answer, in one row.

    Columns: those of `tasks`, and as text ``prompt``, ``answer``, ``error`` (why it failed), ``latest_event`` (while it
    runs) and ``diff`` (the change, as a unified diff; `diffs` takes it apart).

    Raises:
        InvalidOption: ``task_id`` is no id; nothing was sent.
        NotFoundError: there is no such task.

    """
    detail = session_of(session).codex.tasks.retrieve(task_id)
    return table(with_payload(DETAIL, raw), [detail], source=f"wham/tasks/{detail.id}")


def attempt_number(turn: TaskTurn) -> int | None:
    """Return which attempt a turn is, from 1, as the official client counts them."""
    return None if turn.attempt_placement is None else turn.attempt_placement + 1


def _lines(name: str) -> Callable[[TaskTurn], int | None]:
    return lambda turn: sum(getattr(change, name) for change in changes(turn.diff)) if turn.diff else None


TURNS: list[Column[TaskTurn]] = [
    Column("id", TEXT),
    Column("type", ordered(("user", "assistant"))),
    Column("status", ordered(STATUSES)),
    Column("attempt", NUMBER, attempt_number),
    Column("created", TIME, "created_at"),
    Column("prompt", TEXT, lambda turn: turn.prompt or None),
    Column("answer", TEXT, lambda turn: turn.answer or None),
    Column("files", NUMBER, lambda turn: len(changes(turn.diff)) if turn.diff else None),
    Column("added", NUMBER, _lines("added")),
    Column("removed", NUMBER, _lines("removed")),
    Column("error", TEXT, "error_message"),
    Column("model", TEXT, "model_version"),
    Column("branch", TEXT),
    Column("commit", TEXT, "base_commit_sha"),
    Column("previous", TEXT, "previous_turn_id"),
]


def turns(task_id: str, session: Session | None = None, *, attempts: bool = True, raw: bool = False) -> pd.DataFrame:
    """Return the turns of a task, the user's and the assistant's, the oldest first, one row each.

    With ``attempts`` every attempt at a turn is a row; that takes a request for each turn that was tried several times.

    Columns: ``id`` (text), ``type``, ``status`` (ordered categories), ``attempt`` (Int64, from 1), ``created``
    (datetime64[us, UTC]), ``prompt``, ``answer`` (text), ``files``, ``added``, ``removed`` (Int64, of the change; the
    last two are lines), and as text ``error``, ``model``, ``branch``, ``commit``, ``previous`` (the turn before).

    Raises:
        InvalidOption: ``task_id`` is no id; nothing was sent.
        NotFoundError: there is no such task.

    """
    rows = all_turns(session_of(session), task_id, attempts=attempts)
    return table(with_payload(TURNS, raw), rows, source=f"wham/tasks/{task_id}/turns")


def all_turns(session: Session, task_id: str, *, attempts: bool) -> Iterator[TaskTurn]:
    """Give the turns of a task in order, with every attempt at them if that is asked for, each once."""
    shown: set[str | None] = set()
    for turn in session.codex.tasks.turns.list(task_id):
        found = [turn]
        if attempts and turn.sibling_turn_ids and turn.id and turn.id not in shown:
            found = sorted([turn, *_siblings(session, task_id, turn.id)], key=lambda one: attempt_number(one) or 0)
        for one in found:
            if one.id is None or one.id not in shown:
                shown.add(one.id)
                yield one


def _siblings(session: Session, task_id: str, turn_id: str) -> list[TaskTurn]:
    try:
        return session.codex.tasks.turns.sibling_turns(task_id, turn_id).items
    except NotFoundError:  # it is named, but no longer kept
        return []
