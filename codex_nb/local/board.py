"""All cloud tasks of a backend, and the environments that they run in."""

from __future__ import annotations

import base64
import binascii
import itertools
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from codex_nb.local.sample_environments import sample_environments
from codex_nb.local.sample_tasks import sample_tasks
from codex_nb.local.tasks import Attempt, NewTask, PullRequest, Round, Run, Task, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from codex_nb.local.pieces import Json

NEW_TITLE: Final = "New task"
FIRST_NUMBER: Final = 0x6ABD << 112


class CursorError(Exception):
    """A cursor that no page was given out with."""


class Board:
    """The tasks of one backend, newest first. Thread-safe; hold `lock` to read or change tasks by hand.

    It begins with 26 made-up tasks in three environments; `replace` and `add` put others there. A task that is
    created is pending for ``reads`` replies that show it (in the list or as a record), in progress for as many more,
    and then done; with ``seconds`` each state lasts that long instead. ``error`` is what new tasks fail with, None
    for success; ``result`` makes an attempt of a prompt and its placement from 0. ``github`` says whether the account
    has a GitHub connection. Settings hold for tasks created later.
    """

    def __init__(self, tasks: Iterable[Task] | None = None) -> None:
        self.environments = sample_environments()
        self.reads = 1
        self.seconds: float | None = None
        self.error: Json | str | None = None
        self.result: Callable[[str, int], Attempt] | None = None
        self.github = True
        self.lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._tasks: dict[str, Task] = {}
        self.replace(sample_tasks(time.time()) if tasks is None else tasks)

    def all(self) -> list[Task]:
        """Return every task, newest first."""
        with self.lock:
            return sorted(self._tasks.values(), key=_place, reverse=True)

    def get(self, task_id: str) -> Task | None:
        """Return a task as it stands, None for an unknown id."""
        with self.lock:
            return self._tasks.get(task_id)

    def replace(self, tasks: Iterable[Task]) -> None:
        """Hold these tasks and no others."""
        with self.lock:
            self._tasks = {task.id: task for task in tasks}

    def add(self, *tasks: Task) -> None:
        """Hold these tasks too."""
        with self.lock:
            self._tasks |= {task.id: task for task in tasks}

    @contextmanager
    def shown(self, task_id: str) -> Generator[Task | None]:
        """Give a task to a reply that shows it: one that runs has gone on by then."""
        with self.lock:
            task = self._tasks.get(task_id)
            if task is not None:
                task.step()
            yield task

    @contextmanager
    def page(self, chosen: Callable[[Task], bool], limit: int, cursor: str | None) -> Generator[tuple[list[Task], str]]:
        """Give the tasks after ``cursor`` that are chosen, and the next cursor, empty at the end.

        A cursor names the last task shown: tasks that come meanwhile move nothing from one page to another.

        Raises:
            CursorError: the cursor cannot be read.

        """
        with self.lock:
            after = None if cursor is None else _read_cursor(cursor)
            left = [task for task in self.all() if chosen(task) and (after is None or _place(task) < after)]
            shown = left[:limit]
            for task in shown:
                task.step()
            yield shown, _cursor(shown[-1]) if len(left) > limit else ""

    def environment(self, environment_id: str | None) -> Json | None:
        """Return an environment, None for an unknown id."""
        return next((each for each in self.environments if each["id"] == environment_id), None)

    def label(self, task: Task) -> str | None:
        """Return the label of a task's environment."""
        return (self.environment(task.environment_id) or {}).get("label")

    def begin(self, asked: NewTask) -> Task:
        """Begin what is asked for: a task, or another round of one."""
        with self.lock:
            now = max(time.time(), *(task.last.created_at + 0.001 for task in self._tasks.values()), 0.0)
            task = asked.follows or self._new(asked, now)
            task.rounds.append(Round(prompt=asked.prompt, created_at=now, input_items=asked.items))
            task.updated_at, task.intent, task.archived = now, "qa" if asked.qa else "pr", False
            task.last.attempts = [Attempt(status="pending") for _ in range(asked.attempts)]
            results = [self._result(task, placement) for placement in range(asked.attempts)]
            task.run = Run(results=results, reads=self.reads, seconds=self.seconds)
            self._tasks[task.id] = task
            return task

    def open_pull_request(self, task: Task, *, draft: bool, merge: bool) -> None:
        """Make a pull request of the latest attempt."""
        with self.lock:
            numbers = [found.number for each in self._tasks.values() for found in each.pull_requests]
            repository = self.label(task) or "acme/widgets"
            task.pull_requests.append(
                PullRequest(
                    number=max(numbers, default=0) + 1,
                    repository=repository,
                    title=task.last.attempts[0].pr_title or task.title,
                    state="merged" if merge else "open",
                    draft=draft,
                    branch=f"codex/{task.id[-6:]}",
                )
            )

    def _new(self, asked: NewTask, now: float) -> Task:
        return Task(
            id=f"task_e_{FIRST_NUMBER + next(self._numbers):032x}",
            title=NEW_TITLE,
            environment_id=asked.environment_id,
            rounds=[],
            updated_at=now,
            branch=asked.branch,
            titled=False,
        )

    def _result(self, task: Task, placement: int) -> Attempt:
        if self.error is not None:
            return Attempt(status="failed", error=self.error)
        if self.result is not None:
            return self.result(task.last.prompt, placement)
        return result_of(task.last.prompt, placement, answer_only=task.intent == "qa")


def _place(task: Task) -> tuple[float, str]:
    return task.created_at, task.id


def _cursor(task: Task) -> str:
    created_at, task_id = _place(task)
    return base64.urlsafe_b64encode(f"{created_at!r}|{task_id}".encode()).decode()


def _read_cursor(text: str) -> tuple[float, str]:
    try:
        created_at, separator, task_id = base64.urlsafe_b64decode(text).decode().partition("|")
        if separator:
            return float(created_at), task_id
    except (ValueError, binascii.Error) as error:
        raise CursorError from error
    raise CursorError
