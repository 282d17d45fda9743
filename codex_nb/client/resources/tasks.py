"""Cloud tasks and their turns (``session.codex.tasks``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from codex_nb.client._faces import Async, F, Resource, Sync, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client._pages import pages
from codex_nb.client._paths import segment
from codex_nb.client.resources._asking import read
from codex_nb.types._record import Payload
from codex_nb.types.tasks import Task, TaskDetail, TaskPage
from codex_nb.types.turns import SiblingTurns, TaskTurn, TaskTurns
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from codex_nb.client._pages import AsyncPaginator, Page
    from codex_nb.wire.call import Flow

__all__ = ["Tasks", "Turns"]


class Tasks(Resource[F]):
    """``session.codex.tasks``."""

    @cached_property
    def turns(self) -> Turns[F]:
        """The turns of a task."""
        return Turns(self._core, self._driver)

    @overload
    def list(
        self: Tasks[Sync],
        *,
        limit: int | None = None,
        cursor: str | None = None,
        task_filter: str | None = None,
        environment_id: str | None = None,
    ) -> Page[Task]: ...
    @overload
    def list(
        self: Tasks[Async],
        *,
        limit: int | None = None,
        cursor: str | None = None,
        task_filter: str | None = None,
        environment_id: str | None = None,
    ) -> AsyncPaginator[Task]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        task_filter: str | None = None,
        environment_id: str | None = None,
    ) -> Any:
        """List the tasks, the newest first, in pages: ``for task in session.codex.tasks.list().auto_paging()``.

        The page itself iterates over its own tasks; ``.next_page()`` is the one after it. ``limit`` is the number of
        tasks on a page, ``task_filter`` is ``current`` or ``archived``, ``cursor`` names a page to begin with.

        Raises:
            InvalidOption: ``limit`` is no count; nothing was sent.
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.
            MalformedStream: what came is no list of tasks.

        """

        def fetch(after: str | None) -> Flow[TaskPage]:
            return read(
                TaskPage,
                "account/wham/tasks/list",
                limit=limit,
                task_filter=task_filter,
                cursor=after,
                environment_id=environment_id,
            )

        return pages(self._driver, fetch, cursor)

    @endpoint
    def retrieve(self, task_id: str) -> Flow[TaskDetail]:
        """Read a task with its prompt, answer, change (``.diff``) and error.

        Raises:
            InvalidOption: ``task_id`` is no id; nothing was sent.
            NotFoundError: there is no such task.

        """
        return (yield from read(TaskDetail, f"account/wham/tasks/{segment(task_id, 'task')}"))


class Turns(Resource[F]):
    """``session.codex.tasks.turns``."""

    @endpoint
    def list(self, task_id: str) -> Flow[TaskTurns]:
        """List all turns of a task, the user's and the assistant's, the oldest first.

        Raises:
            InvalidOption: ``task_id`` is no id; nothing was sent.
            NotFoundError: there is no such task.

        """
        return (yield from read(TaskTurns, f"account/wham/tasks/{segment(task_id, 'task')}/turns"))

    @endpoint
    def retrieve(self, task_id: str, turn_id: str) -> Flow[TaskTurn]:
        """Read one turn.

        Raises:
            InvalidOption: one of the two is no id; nothing was sent.
            NotFoundError: there is no such turn.

        """
        payload = (yield from read(Payload, _turn(task_id, turn_id))).raw
        return shaped(TaskTurn, as_object(payload).get("turn") or payload)  # wrapped, as in the list of turns, or alone

    @endpoint
    def sibling_turns(self, task_id: str, turn_id: str) -> Flow[SiblingTurns]:
        """List the other attempts at a turn, in the order of their numbers; the turn itself is not among them.

        Raises:
            InvalidOption: one of the two is no id; nothing was sent.
            NotFoundError: there is no such turn.

        """
        return (yield from read(SiblingTurns, f"{_turn(task_id, turn_id)}/sibling_turns"))

    @endpoint
    def logs(self, task_id: str, turn_id: str) -> Flow[Payload]:
        """Read a turn's logs. Their form is not on record: fields are attributes, ``.raw`` is the payload.

        Raises:
            InvalidOption: one of the two is no id; nothing was sent.
            NotFoundError: there is no such turn.

        """
        return (yield from read(Payload, f"{_turn(task_id, turn_id)}/logs"))


def _turn(task_id: str, turn_id: str) -> str:
    return f"account/wham/tasks/{segment(task_id, 'task')}/turns/{segment(turn_id, 'turn')}"
