"""What is asked of tasks: the query of a page, and the body that begins one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.local.ask import text_of
from codex_nb.local.checks import Refusal, detail, error
from codex_nb.local.tasks import NewTask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codex_nb.local.board import Board
    from codex_nb.local.pieces import Json
    from codex_nb.local.tasks import Task

LIMIT: Final = 20
LARGEST: Final = 100
MOST_ATTEMPTS: Final = 4
FILTERS: Final = ("current", "archived")
KINDS: Final = ("new_task", "follow_up", "review_fix")


@dataclass(frozen=True, slots=True)
class Page:
    """Which tasks are asked for."""

    limit: int
    cursor: str | None
    archived: bool
    environment_id: str | None

    def takes(self, task: Task) -> bool:
        """Whether a task belongs to the whole list."""
        return task.archived == self.archived and self.environment_id in {None, task.environment_id}


def read_page(query: Mapping[str, str]) -> Page | Refusal:
    """Read the query of a list."""
    limit, chosen = query.get("limit", str(LIMIT)), query.get("task_filter", FILTERS[0])
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= LARGEST):
        return error(f"limit must be a whole number from 1 to {LARGEST}.", "limit")
    if chosen not in FILTERS:
        return error(f"task_filter must be one of {', '.join(FILTERS)}.", "task_filter")
    return Page(int(limit), query.get("cursor"), chosen == "archived", query.get("environment_id"))


def read_task(body: Any, board: Board) -> NewTask | Refusal:
    """Read the body that begins a task or goes on with one."""
    fields = cast("Json", body) if isinstance(body, dict) else {}
    kind = next((name for name in KINDS if isinstance(fields.get(name), dict)), None)
    if kind is None:
        return error(f"One of {', '.join(KINDS)} is required.")
    items = fields.get("input_items")
    if not isinstance(items, list) or not items:
        return error("Missing required parameter: 'input_items'.", "input_items")
    items = cast("list[Any]", items)
    prompt = _prompt(items)
    if not prompt.strip():
        return error("input_items holds no message with text.", "input_items")
    asked, metadata = cast("Json", fields[kind]), fields.get("metadata")
    if kind == "new_task":
        best_of = cast("Json", metadata).get("best_of_n", 1) if isinstance(metadata, dict) else 1
        return _new(asked, prompt, items, best_of, board)
    return _following(asked, prompt, items, board)


def _new(asked: Json, prompt: str, items: list[Any], best_of: Any, board: Board) -> NewTask | Refusal:
    if type(best_of) is not int or not 1 <= best_of <= MOST_ATTEMPTS:
        return error(f"best_of_n must be a whole number from 1 to {MOST_ATTEMPTS}.", "metadata.best_of_n")
    environment_id = str(asked.get("environment_id") or "")
    if board.environment(environment_id) is None:
        return detail("Environment not found", 404)
    branch, qa = str(asked.get("branch") or "main"), asked.get("run_environment_in_qa_mode") is True
    return NewTask(prompt, items, environment_id, branch, qa, best_of)


def _following(asked: Json, prompt: str, items: list[Any], board: Board) -> NewTask | Refusal:
    task = board.get(str(asked.get("task_id")))
    if task is None:
        return detail("Invalid task ID", 404)
    if asked.get("turn_id") not in {task.turn_id(len(task.rounds) - 1, at) for at in range(len(task.last.attempts))}:
        return detail("Invalid turn ID", 404)
    if task.run is not None:
        return detail("The task is still running", 409)
    return NewTask(prompt, items, qa=asked.get("run_environment_in_qa_mode") is True, follows=task)


def _prompt(items: list[Any]) -> str:
    """Return the text of the messages; a part is an object with a text, or the text itself."""
    messages = [cast("Json", item) for item in items if isinstance(item, dict)]
    contents = [each.get("content") for each in messages if each.get("type", "message") == "message"]
    parts = [
        part
        for content in contents
        for part in (cast("list[Any]", content) if isinstance(content, list) else [content])
    ]
    return "\n".join(part if isinstance(part, str) else text_of([part]) for part in parts)
