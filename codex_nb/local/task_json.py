"""How tasks and their turns look on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_nb.local.diffs import stats_of
from codex_nb.local.tasks import MODEL

if TYPE_CHECKING:
    from codex_nb.local.pieces import Json
    from codex_nb.local.tasks import Attempt, PullRequest, Round, Task

BASE_COMMIT: Final = "c" * 40
# An attempt begins this long after its prompt.
BEGINS: Final = 1.5


def list_item(task: Task, label: str | None) -> Json:
    """Return a task as the list shows it; it names no environment id."""
    whole = {
        "id": task.id,
        "title": task.title,
        "has_generated_title": task.titled,
        "updated_at": task.updated_at,
        "created_at": task.created_at,
        "task_status_display": _display(task, label),
        "archived": task.archived,
        "has_unread_turn": task.unread,
        "pull_requests": _pull_requests(task),
    }
    return {name: value for name, value in whole.items() if name not in task.omitted}


def detail(task: Task, label: str | None) -> Json:
    """Return the whole record of a task with its latest turns."""
    last = len(task.rounds) - 1
    current, diff = assistant_turn(task, last, 0), None
    if task.last.attempts[0].diff:
        output = {"type": "output_diff", "diff": task.last.attempts[0].diff}
        diff = {"id": current["id"], "output_items": [output]}
    return {
        "task": header(task, label),
        "current_user_turn": user_turn(task, last),
        "current_assistant_turn": current,
        "current_diff_task_turn": diff,
    }


def header(task: Task, label: str | None) -> Json:
    """Return the part of the record that is about the task itself."""
    pushed = task.pull_requests[-1].branch if task.pull_requests else None
    whole: Json = {
        "id": task.id,
        "created_at": task.created_at,
        "title": task.title,
        "has_generated_title": task.titled,
        "current_turn_id": task.turn_id(len(task.rounds) - 1, 0),
        "has_unread_turn": task.unread,
        "denormalized_metadata": {"pushed_branch_name": pushed},
        "archived": task.archived,
        "external_pull_requests": _pull_requests(task),
        "task_status_display": _display(task, label),
        "environment_id": task.environment_id,
        "is_review": False,
    }
    return {name: value for name, value in whole.items() if name not in task.omitted}


def turns(task: Task) -> Json:
    """Return every turn by id, in order; of the attempts only those that lead to the latest one."""
    found = [turn for at in range(len(task.rounds)) for turn in (user_turn(task, at), assistant_turn(task, at, 0))]
    return {
        "turn_mapping": {turn["id"]: {"turn": turn} for turn in found},
        "current_turn_id": task.turn_id(len(task.rounds) - 1, 0),
    }


def user_turn(task: Task, at: int) -> Json:
    """Return the prompt of a round."""
    asked = task.rounds[at]
    items = asked.input_items
    if items is None:
        content = [{"content_type": "text", "text": asked.prompt}]
        items = [{"type": "message", "role": "user", "content": content}]
    return {
        "id": task.turn_id(at),
        "type": "user",
        "created_at": asked.created_at,
        "previous_turn_id": task.turn_id(at - 1, 0) if at else None,
        "input_items": items,
    }


def assistant_turn(task: Task, at: int, placement: int) -> Json:
    """Return one attempt at the prompt of a round."""
    asked, attempt = task.rounds[at], task.rounds[at].attempts[placement]
    begun, over = attempt.status != "pending", attempt.status not in {"pending", "in_progress"}
    event = {"text": attempt.latest_event, "event_type": "info"} if attempt.latest_event else None
    return {
        "id": task.turn_id(at, placement),
        "type": "assistant",
        "created_at": asked.created_at + BEGINS + placement,
        "previous_turn_id": task.turn_id(at),
        "attempt_placement": placement,
        "sibling_turn_ids": [task.turn_id(at, other) for other in range(len(asked.attempts)) if other != placement],
        "turn_status": attempt.status,
        "latest_event": event,
        "intent": task.intent,
        "branch": task.branch,
        "branch_name": None,
        "base_commit_sha": BASE_COMMIT,
        "model_version": MODEL,
        "output_items": list(_output(attempt)) if over else [],
        "worklog": {"messages": [_worklog(asked)]} if begun else None,
        "thread_events": {"events": _events(task, at, attempt) if over else []},
        "app_server_events": {"events": []},
        "logs": {"logs": []},
        "pull_request_status": "created" if task.pull_requests and placement == 0 else "not_created",
        "pull_request_data": None,
        "cancellation_requested_at": attempt.cancelled_at,
        "error": attempt.error,
    }


def siblings(task: Task, at: int, placement: int) -> list[Json]:
    """Return the other attempts at the same prompt."""
    others = (other for other in range(len(task.rounds[at].attempts)) if other != placement)
    return [assistant_turn(task, at, other) for other in others]


def _output(attempt: Attempt) -> list[Json]:
    found: list[Json] = []
    if attempt.message:
        content: list[Json] = [{"content_type": "text", "text": attempt.message}]
        if attempt.cited:
            path, start, end = attempt.cited
            cited = {"path": path, "line_range_start": start, "line_range_end": end}
            content.append({"content_type": "repo_file_citation", **cited})
        found.append({"type": "message", "role": "assistant", "content": content})
    if attempt.diff and attempt.pr_title:
        words = {"pr_title": attempt.pr_title, "pr_message": attempt.message}
        found.append({"type": "pr", **words, "output_diff": {"diff": attempt.diff}, "pre_apply_patch": None})
    elif attempt.diff:
        found.append({"type": "output_diff", "diff": attempt.diff})
    return found


def _worklog(asked: Round) -> Json:
    return {
        "id": "wl_1",
        "author": {"role": "user", "name": None},
        "create_time": asked.created_at + BEGINS,
        "content": {"content_type": "text", "parts": [asked.prompt]},
        "recipient": "all",
        "end_turn": None,
        "metadata": {},
    }


def _events(task: Task, at: int, attempt: Attempt) -> list[Json]:
    params: Json = {"threadId": task.id, "turn": {"id": task.turn_id(at, 0), "status": attempt.status}}
    return [{"method": "turn/completed", "params": params}]


def _display(task: Task, label: str | None) -> Json:
    attempt, last = task.last.attempts[0], len(task.rounds) - 1
    latest = {
        "turn_id": task.turn_id(last, 0),
        "turn_status": attempt.status,
        "intent": task.intent,
        "diff_stats": stats_of(attempt.diff) if attempt.diff else None,
        "sibling_turn_ids": [task.turn_id(last, other) for other in range(1, len(task.last.attempts))],
    }
    return {
        "latest_turn_status_display": latest,
        "environment_label": label,
        "branch_name": task.branch,
        "initial_intent": task.intent,
    }


def _pull_requests(task: Task) -> list[Json]:
    turn_id = task.turn_id(len(task.rounds) - 1, 0)
    return [
        {
            "id": f"epr_{found.repository.replace('/', '_')}_{found.number}",
            "assistant_turn_id": turn_id,
            "pull_request": _pull_request(found),
            "codex_updated_sha": None,
        }
        for found in task.pull_requests
    ]


def _pull_request(found: PullRequest) -> Json:
    merged = found.state == "merged"
    whole: dict[str, Any] = {
        "number": found.number,
        "url": f"https://github.com/{found.repository}/pull/{found.number}",
        "state": "closed" if merged else found.state,
        "merged": merged,
        "mergeable": None if found.state != "open" else True,
        "draft": found.draft,
        "title": found.title,
        "body": f"{found.title}.",
        "base": "main",
        "head": found.branch or None,
        "base_sha": "a" * 40,
        "head_sha": "b" * 40,
        "merge_commit_sha": "d" * 40 if merged else None,
    }
    return {name: value for name, value in whole.items() if name != "draft" or value is not None}
