"""Cloud tasks as a backend holds them: rounds of a prompt and the attempts at it, and how a new one runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from codex_nb.local.diffs import Edit, diff_of

if TYPE_CHECKING:
    from codex_nb.local.pieces import Json

Intent: TypeAlias = Literal["pr", "qa"]
Status: TypeAlias = str

RUNNING: Final = ("pending", "in_progress")
MODEL: Final = "gpt-6.1-sol"


@dataclass(slots=True, kw_only=True)
class PullRequest:
    """A pull request that came of an attempt. ``state`` is "open", "closed" or "merged"."""

    number: int
    repository: str
    title: str
    state: Literal["open", "closed", "merged"] = "open"
    draft: bool | None = None
    branch: str = ""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try at a prompt: an assistant's turn.

    ``status`` is "pending", "in_progress", "completed", "failed", "cancelled", or any other word. ``error`` is an
    object with ``code`` and ``message``, or a text. With ``pr_title`` the diff comes as a proposed pull request.
    """

    status: Status = "completed"
    message: str = ""
    diff: str = field(default="", repr=False)
    pr_title: str | None = None
    error: Json | str | None = None
    latest_event: str | None = None
    cited: tuple[str, int, int] | None = None
    cancelled_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Round:
    """A prompt and the attempts at it, in order. ``input_items`` are what was really sent, when it was sent."""

    prompt: str
    created_at: float
    attempts: list[Attempt] = field(default_factory=lambda: [Attempt()])
    input_items: list[Any] | None = None


@dataclass(slots=True, kw_only=True)
class Run:
    """What becomes of a task that runs. Each of its two running states lasts ``reads`` replies, or ``seconds``."""

    results: list[Attempt]
    reads: int
    seconds: float | None
    began: float = field(default_factory=time.monotonic)
    seen: int = 0

    def look(self) -> tuple[Status, bool]:
        """Return the state at this look, and whether it is the last one."""
        self.seen += 1
        passed, length = (self.seen - 1, self.reads) if self.seconds is None else (self._passed(), self.seconds)
        step = int(passed // length) if length > 0 else len(RUNNING)
        return (RUNNING[step], False) if step < len(RUNNING) else ("completed", True)

    def _passed(self) -> float:
        return time.monotonic() - self.began


@dataclass(slots=True, kw_only=True)
class Task:
    """A cloud task. Times are epoch seconds.

    ``omitted`` names the optional fields that replies leave out: old tasks lack some. ``run`` is what will become
    of it; without one it stays as it is.
    """

    id: str
    title: str
    environment_id: str | None
    rounds: list[Round]
    updated_at: float
    branch: str = "main"
    intent: Intent = "pr"
    titled: bool = True
    archived: bool = False
    unread: bool = False
    pull_requests: list[PullRequest] = field(default_factory=list[PullRequest])
    omitted: frozenset[str] = frozenset()
    run: Run | None = None

    @property
    def created_at(self) -> float:
        """When the first prompt came."""
        return self.rounds[0].created_at

    @property
    def last(self) -> Round:
        """The latest prompt and its attempts."""
        return self.rounds[-1]

    def turn_id(self, number: int, placement: int | None = None) -> str:
        """Return the id of a round's user turn, or of the attempt at a placement."""
        kind, attempt = ("usertrn", 0) if placement is None else ("assttrn", placement)
        return f"{self.id}~{kind}_e_{self.id[-12:]}{number:016x}{attempt:04x}"

    def step(self) -> None:
        """Go on as far as the run has come by now."""
        if self.run is None:
            return
        status, over = self.run.look()
        if not over:
            for attempt in self.last.attempts:
                attempt.status, attempt.latest_event = status, "Working" if status == "in_progress" else None
            return
        self.last.attempts = self.run.results
        self.updated_at, self.unread, self.run = max(self.updated_at, time.time()), True, None
        if not self.titled:
            self.title, self.titled = title_of(self.rounds[0].prompt), True

    def cancel(self) -> None:
        """Stop what runs; what is over stays as it is."""
        self.run = None
        for attempt in self.last.attempts:
            if attempt.status in RUNNING:
                attempt.status, attempt.cancelled_at, attempt.latest_event = "cancelled", time.time(), None


@dataclass(frozen=True, slots=True)
class NewTask:
    """A prompt to work on: for a new task in an environment, or for the task that it ``follows``."""

    prompt: str
    items: list[Any]
    environment_id: str = ""
    branch: str = "main"
    qa: bool = False
    attempts: int = 1
    follows: Task | None = None


def title_of(prompt: str) -> str:
    """Return the title that a task gets once it has run."""
    line = (prompt.strip().splitlines() or ["Task"])[0]
    return line if len(line) <= 60 else f"{line[:59].rstrip()}…"


def result_of(prompt: str, placement: int, *, answer_only: bool = False) -> Attempt:
    """Return what an attempt at a prompt comes to: a note added to the repository, the same for the same prompt."""
    if answer_only:
        return Attempt(message=f"About “{title_of(prompt)}”: nothing needs to change.", cited=("README.md", 1, 1))
    note = Edit(f"notes/attempt-{placement + 1}.md", None, f"# {title_of(prompt)}\n\n{prompt.strip()}\n")
    readme = Edit("README.md", "# Widgets\n", f"# Widgets\n\nSee [the note](notes/attempt-{placement + 1}.md).\n")
    return Attempt(
        message=f"Attempt {placement + 1}: I wrote a note and linked it.",
        diff=diff_of([readme, note]),
        pr_title=title_of(prompt),
        cited=("README.md", 3, 3),
    )
