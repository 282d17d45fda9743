"""Tasks that Codex does in the cloud (``session.codex.tasks``). Nothing here starts or changes one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast, overload

from codex_nb.client._drivers import SyncDriver
from codex_nb.client._faces import Async, F, Resource, Sync, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client._pages import AsyncPage, Page, PageContent
from codex_nb.client._paths import segment
from codex_nb.types.tasks import SiblingTurns, Task, TaskDetail, TaskTurn, TaskTurns
from codex_nb.wire.call import Call, Flow
from codex_nb.wire.json import as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from codex_nb.wire.call import Reply

__all__ = ["Tasks", "Turns"]

TASKS = "account/wham/tasks"


class Turns(Resource[F]):
    """``session.codex.tasks.turns``."""

    @endpoint
    def list(self, task_id: str) -> Flow[TaskTurns]:
        """Return all turns of a task, by id.

        Raises:
            NotFoundError: there is no such task.
            InvalidOption: the id cannot be one.

        """
        reply: Reply = yield Call("GET", f"{TASKS}/{segment(task_id, 'task')}/turns")
        return shaped(TaskTurns, reply.json())

    @endpoint
    def sibling_turns(self, task_id: str, turn_id: str) -> Flow[list[TaskTurn]]:
        """Return the other attempts at a turn, in the order in which they are shown.

        Raises:
            NotFoundError: there is no such task or turn.
            InvalidOption: an id cannot be one.

        """
        path = f"{TASKS}/{segment(task_id, 'task')}/turns/{segment(turn_id, 'turn')}/sibling_turns"
        reply: Reply = yield Call("GET", path)
        found = shaped(SiblingTurns, reply.json()).sibling_turns
        return sorted(found, key=lambda turn: (turn.attempt_placement or 0, turn.created_at or 0.0))


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
    ) -> Coroutine[Any, Any, AsyncPage[Task]]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        task_filter: str | None = None,
        environment_id: str | None = None,
    ) -> Any:
        """List tasks, newest first: one page; its ``auto_paging()`` goes on to the last.

        ``limit`` is the size of a page, ``task_filter`` ``current`` or ``archived``, ``cursor`` where an earlier page
        ended.

        Raises:
            AuthenticationError, APIError: the list cannot be had.
            UnsupportedByBackend: an OpenAI-compatible server has no tasks.

        """
        wanted = {"limit": limit, "task_filter": task_filter, "environment_id": environment_id}
        params = {name: value for name, value in wanted.items() if value is not None}
        driver = self._driver
        if isinstance(driver, SyncDriver):

            def fetch(cursor: str | None, passed: frozenset[str]) -> PageContent[Task]:
                return driver.run(_page(params, cursor, passed))

            return Page(fetch(cursor, frozenset()), fetch)

        async def afetch(cursor: str | None, passed: frozenset[str]) -> PageContent[Task]:
            return await driver.run(_page(params, cursor, passed))

        async def first() -> AsyncPage[Task]:
            return AsyncPage(await afetch(cursor, frozenset()), afetch)

        return first()

    @endpoint
    def retrieve(self, task_id: str) -> Flow[TaskDetail]:
        """Return a task with its current turns, answer and diff.

        Raises:
            NotFoundError: there is no such task.
            InvalidOption: the id cannot be one.

        """
        reply: Reply = yield Call("GET", f"{TASKS}/{segment(task_id, 'task')}")
        return shaped(TaskDetail, reply.json())


def _page(params: dict[str, Any], cursor: str | None, passed: frozenset[str]) -> Flow[PageContent[Task]]:
    reply: Reply = yield Call("GET", f"{TASKS}/list", params=params | ({"cursor": cursor} if cursor else {}) or None)
    payload = as_object(reply.json())
    rows: Any = payload.get("items")
    items = [shaped(Task, row) for row in (cast("list[Any]", rows) if isinstance(rows, list) else [])]
    return PageContent(
        items, as_text(payload.get("cursor")), payload, passed | frozenset[str]({cursor} if cursor else ())
    )
