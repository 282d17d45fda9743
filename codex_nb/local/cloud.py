"""The endpoints of cloud tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from starlette.responses import JSONResponse, Response

from codex_nb.local import task_json
from codex_nb.local.board import CursorError
from codex_nb.local.bodies import json_body
from codex_nb.local.checks import Refusal, detail, error
from codex_nb.local.paths import wham
from codex_nb.local.state import state_of
from codex_nb.local.task_requests import read_page, read_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import Route

    from codex_nb.local.board import Board
    from codex_nb.local.pieces import Json
    from codex_nb.local.tasks import Task

INVALID_ID: Final = detail("Invalid task ID", 404)
INVALID_TURN: Final = detail("Invalid turn ID", 404)


async def list_(request: Request) -> Response:
    """Serve ``GET wham/tasks/list``."""
    return _page(request, "")


async def search(request: Request) -> Response:
    """Serve ``GET wham/tasks/search``: tasks whose title or prompts hold the text."""
    query = request.query_params.get("query", "").strip()
    return _page(request, query) if query else _refused(error("Missing required parameter: 'query'.", "query"))


def _page(request: Request, query: str) -> Response:
    board, asked = state_of(request).tasks, read_page(request.query_params)
    if isinstance(asked, Refusal):
        return _refused(asked)

    def chosen(task: Task) -> bool:
        return asked.takes(task) and _speaks_of(task, query)

    try:
        with board.page(chosen, asked.limit, asked.cursor) as (tasks, cursor):
            items = [task_json.list_item(task, board.label(task)) for task in tasks]
    except CursorError:
        return _refused(error("Invalid cursor", "cursor"))
    return JSONResponse({"items": items, "cursor": cursor or None})


def _speaks_of(task: Task, query: str) -> bool:
    texts = [task.title, *(each.prompt for each in task.rounds)]
    return any(query.casefold() in text.casefold() for text in texts)


async def retrieve(request: Request) -> Response:
    """Serve ``GET wham/tasks/{task_id}``."""
    board = state_of(request).tasks
    with board.shown(request.path_params["task_id"]) as task:
        return _refused(INVALID_ID) if task is None else JSONResponse(task_json.detail(task, board.label(task)))


async def turns(request: Request) -> Response:
    """Serve ``GET wham/tasks/{task_id}/turns``."""
    return _with_task(request, lambda _, task: task_json.turns(task))


async def turn(request: Request) -> Response:
    """Serve ``GET wham/tasks/{task_id}/turns/{turn_id}``."""
    return _with_turn(request, task_json.user_turn, task_json.assistant_turn)


async def sibling_turns(request: Request) -> Response:
    """Serve ``GET wham/tasks/{task_id}/turns/{turn_id}/sibling_turns``: the other attempts; a prompt has none."""

    def others(task: Task, at: int, placement: int) -> Json:
        return {"sibling_turns": task_json.siblings(task, at, placement)}

    return _with_turn(request, lambda _, __: {"sibling_turns": []}, others)


async def create(request: Request) -> Response:
    """Serve ``POST wham/tasks``: a new task, or another prompt for one that is there."""
    state = state_of(request)
    body = await json_body(request)
    asked = body if isinstance(body, Refusal) else read_task(body, state.tasks)
    if isinstance(asked, Refusal):
        return _refused(asked)
    if (spent := state.quota.refusal()) is not None:
        return JSONResponse(spent, 429, headers=state.quota.headers())
    board = state.tasks
    with board.lock:
        task = board.begin(asked)
        last = len(task.rounds) - 1
        whole = {
            "task": task_json.header(task, board.label(task)),
            "user_turn": task_json.user_turn(task, last),
            "turn": task_json.assistant_turn(task, last, 0),
        }
    return JSONResponse(whole | {"rate_limit": state.quota.as_json()["rate_limit"]})


async def cancel(request: Request) -> Response:
    """Serve ``POST wham/tasks/{task_id}/cancel``."""
    return _with_task(request, lambda _, task: _did(task.cancel()))


async def archive(request: Request) -> Response:
    """Serve ``POST wham/tasks/{task_id}/archive``."""
    return _with_task(request, lambda _, task: _did(setattr(task, "archived", True)))


async def recover(request: Request) -> Response:
    """Serve ``POST wham/tasks/{task_id}/recover``: back from the archive."""
    return _with_task(request, lambda _, task: _did(setattr(task, "archived", False)))


async def mark_read(request: Request) -> Response:
    """Serve ``POST wham/tasks/{task_id}/mark_read``."""
    return _with_task(request, lambda _, task: _did(setattr(task, "unread", False)))


async def pull_request(request: Request) -> Response:
    """Serve ``POST wham/tasks/{task_id}/turns/{turn_id}/pr``."""
    body = await json_body(request)
    if isinstance(body, Refusal):
        return _refused(body)
    mode = cast("Json", body).get("mode") if isinstance(body, dict) else None
    board = state_of(request).tasks

    def opened(task: Task, at: int, placement: int) -> Json | Refusal:
        if not task.rounds[at].attempts[placement].diff:
            return detail("The turn has no diff")
        board.open_pull_request(task, draft=mode == "draft", merge=mode == "auto_merge")
        return {"success": True}

    return _with_turn(request, lambda _, __: detail("The turn has no diff"), opened)


def _did(_: None) -> Json:
    return {"success": True}


def _with_task(request: Request, use: Callable[[Board, Task], Json | Refusal]) -> Response:
    """Answer with what ``use`` makes of the task that the path names."""
    board = state_of(request).tasks
    with board.lock:
        task = board.get(request.path_params["task_id"])
        found = INVALID_ID if task is None else use(board, task)
        return _refused(found) if isinstance(found, Refusal) else JSONResponse(found)


def _with_turn(
    request: Request,
    user: Callable[[Task, int], Json | Refusal],
    assistant: Callable[[Task, int, int], Json | Refusal],
) -> Response:
    """Answer with what is made of the turn that the path names, a prompt or an attempt."""

    def use(_: Board, task: Task) -> Json | Refusal:
        turn_id = request.path_params["turn_id"]
        for at, asked in enumerate(task.rounds):
            if turn_id == task.turn_id(at):
                return user(task, at)
            for placement in range(len(asked.attempts)):
                if turn_id == task.turn_id(at, placement):
                    return assistant(task, at, placement)
        return INVALID_TURN

    return _with_task(request, use)


async def environments(request: Request) -> Response:
    """Serve ``GET wham/environments``: an array, with the count of tasks that each environment has."""
    return JSONResponse(_counted(state_of(request).tasks))


async def environments_by_repo(request: Request) -> Response:
    """Serve ``GET wham/environments/by-repo/github/{owner}/{repo}``."""
    board = state_of(request).tasks
    if not board.github:
        return _refused(detail("GitHub is not connected"))
    name = "{owner}/{repo}".format(**request.path_params).casefold()
    return JSONResponse([each for each in _counted(board) if name in _repositories(each)])


def _counted(board: Board) -> list[Any]:
    tasks = board.all()
    return [
        # The bare one stays bare.
        each | {"task_count": sum(task.environment_id == each["id"] for task in tasks)} if "repos" in each else each
        for each in board.environments
    ]


def _repositories(environment: Json) -> set[str]:
    found = cast("dict[str, Json]", environment.get("repo_map") or {})
    return {str(each.get("repository_full_name", "")).casefold() for each in found.values()}


def _refused(refusal: Refusal) -> Response:
    return JSONResponse(refusal.body, refusal.status)


ROUTES: Final[list[Route]] = [
    *wham("/tasks/list", list_),
    *wham("/tasks/search", search),
    *wham("/tasks", create, "POST"),
    *wham("/tasks/{task_id}", retrieve),
    *wham("/tasks/{task_id}/turns", turns),
    *wham("/tasks/{task_id}/turns/{turn_id}", turn),
    *wham("/tasks/{task_id}/turns/{turn_id}/sibling_turns", sibling_turns),
    *wham("/tasks/{task_id}/turns/{turn_id}/pr", pull_request, "POST"),
    *wham("/tasks/{task_id}/cancel", cancel, "POST"),
    *wham("/tasks/{task_id}/archive", archive, "POST"),
    *wham("/tasks/{task_id}/recover", recover, "POST"),
    *wham("/tasks/{task_id}/mark_read", mark_read, "POST"),
    *wham("/environments", environments),
    *wham("/environments/by-repo/github/{owner}/{repo}", environments_by_repo),
]
