"""Twenty-six made-up tasks over six weeks: done, running, failed, cancelled, archived, retried and merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_nb.local import sample_edits as edits
from codex_nb.local.diffs import diff_of
from codex_nb.local.sample_environments import ATLAS, BARE, WIDGETS
from codex_nb.local.tasks import Attempt, PullRequest, Round, Task

if TYPE_CHECKING:
    from codex_nb.local.pieces import Json

DAY: Final = 86_400
FIRST_NUMBER: Final = 0x6ABC << 112
SETUP_FAILED: Final = {"code": "ENVIRONMENT_SETUP_FAILED", "message": "The setup script exited with status 1"}
# What old records do not have.
BARE_RECORD: Final = frozenset({"created_at", "has_generated_title", "task_status_display", "pull_requests"})


def sample_tasks(now: float) -> list[Task]:
    """Return the tasks as they stand at ``now`` (epoch seconds), newest first."""
    return [_task(number, now, **row) for number, row in enumerate(_rows(), start=1)]


def _done(*changed: edits.Edit, message: str = "Done.", pr: str | None = None) -> Attempt:
    return Attempt(message=message, diff=diff_of(changed), pr_title=pr, cited=(changed[0].path, 1, 2))


def _said(message: str) -> Attempt:
    return Attempt(message=message)


def _pr(
    number: int, title: str, state: Any = "open", *, draft: bool | None = None, repo: str = "acme/widgets"
) -> PullRequest:
    branch = f"codex/{title.lower().replace(' ', '-')}"
    return PullRequest(number=number, repository=repo, title=title, state=state, draft=draft, branch=branch)


def _running(status: str, latest: str | None = None) -> Attempt:
    return Attempt(status=status, latest_event=latest)


def _failed(error: Json | str) -> Attempt:
    return Attempt(status="failed", error=error)


def _rows() -> list[dict[str, Any]]:
    """Return what is told of each task: its age in days, title, attempts and what is out of the ordinary."""
    retry, dates = (edits.RETRY, edits.CLIENT), (edits.DATES,)
    atlas = (edits.ATLAS, edits.ATLAS_TEST)
    return [
        {"age": 0.002, "title": "New task", "tries": [_running("pending")], "titled": False},
        {"age": 0.01, "title": "New task", "tries": [_running("in_progress", "Running the tests")], "titled": False},
        {"age": 0.2, "title": "Fix flaky date test", "tries": [_done(*dates, pr="Freeze the clock")], "unread": True},
        {
            "age": 0.4,
            "title": "Add retry helper",
            "tries": [
                _done(*changed, message=f"Attempt {number}.", pr="Add retry helper")
                for number, changed in enumerate((retry, (edits.RETRY_UNTIL, edits.CLIENT), (edits.TRANSPORT,)), 1)
            ],
            "prs": [_pr(17, "Add retry helper", draft=True)],
        },
        {"age": 0.9, "title": "Explain the cache layer", "tries": [_failed(SETUP_FAILED)], "intent": "qa"},
        {"age": 1.3, "title": "Delete what 1.x needed", "tries": [_done(edits.LEGACY, edits.README)], "unread": True},
        {"age": 2.0, "title": "Why is the scale wrong?", "tries": [_said("Degrees, not radians.")], **_in_atlas("qa")},
        {
            "age": 2.1,
            "title": "Take degrees in scale()",
            "tries": [_done(*atlas, pr="Take degrees")],
            "prs": [_pr(4, "Take degrees", "merged", draft=False, repo="acme/atlas")],
            **_in_atlas(),
        },
        {"age": 3.5, "title": "Spell Łódź right 🏙️", "tries": [_done(edits.LABELS)], **_in_atlas()},
        {"age": 4.0, "title": "Update the pinned versions", "tries": [Attempt(status="cancelled", cancelled_at=1.0)]},
        {
            "age": 6.2,
            "title": "Retry in the client too",
            "tries": [_done(edits.CLIENT)],
            "before": [("Add a retry helper first", _done(edits.RETRY))],
            "prs": [_pr(15, "Retry helper", "closed"), _pr(16, "Retry in the client", "merged")],
        },
        {"age": 7.7, "title": "Say what the library is", "tries": [_done(edits.README)], "environment": BARE},
        {"age": 8.1, "title": "List the public names", "tries": [_said("There are 14.")], "intent": "qa"},
        {"age": 10.0, "title": "Time out after ten seconds", "tries": [_done(edits.CLIENT, pr="Time out")]},
        {"age": 11.4, "title": "Run on Windows", "tries": [_failed("The container was lost.")], "environment": BARE},
        {"age": 13.0, "title": "Compare two ways to retry", "tries": [_done(*retry), _failed(SETUP_FAILED)]},
        {"age": 14.5, "title": "Map of the modules", "tries": [_said("See below.")], **_in_atlas("qa")},
        {"age": 17.0, "title": "Test the projection", "tries": [_done(edits.ATLAS_TEST)], **_in_atlas()},
        {
            "age": 20.0,
            "title": "Freeze the clock everywhere",
            "tries": [_done(*dates, *retry)],
            "branch": "release/2.x",
        },
        {"age": 24.0, "title": "Old record", "tries": [_done(*dates)], "omitted": BARE_RECORD},
        {"age": 27.5, "title": "No environment any more", "tries": [_said("Nothing to do.")], "environment": None},
        {
            "age": 30.0,
            "title": "One change after another",
            "tries": [_done(*retry, edits.README, edits.LEGACY, pr="Clean up")],
            "before": [("What is there to clean up?", _said("Two things.")), ("Do it", _done(edits.LEGACY))],
            "prs": [_pr(11, "Clean up", "merged")],
        },
        {"age": 33.3, "title": "A" * 300, "tries": [_done(edits.README)], "environment": BARE},
        {"age": 36.0, "title": "Archived and done", "tries": [_done(*dates)], "archived": True},
        {"age": 39.0, "title": "Archived and failed", "tries": [_failed(SETUP_FAILED)], "archived": True},
        {"age": 41.9, "title": "The first task", "tries": [_done(edits.README)], "archived": True, **_in_atlas()},
    ]


def _in_atlas(intent: str = "pr") -> dict[str, Any]:
    return {"environment": ATLAS, "intent": intent}


def _task(
    number: int,
    now: float,
    *,
    age: float,
    title: str,
    tries: list[Attempt],
    before: list[tuple[str, Attempt]] | None = None,
    prs: list[PullRequest] | None = None,
    environment: str | None = WIDGETS,
    **rest: Any,
) -> Task:
    began = round(now - age * DAY, 6)
    earlier = before or []
    rounds = [
        Round(prompt=prompt, created_at=began + 600 * at, attempts=[attempt])
        for at, (prompt, attempt) in enumerate(earlier)
    ]
    rounds.append(Round(prompt=f"{title}.", created_at=began + 600 * len(earlier), attempts=tries))
    return Task(
        id=f"task_e_{FIRST_NUMBER + number:032x}",
        title=title,
        environment_id=environment,
        rounds=rounds,
        updated_at=rounds[-1].created_at + 420.754775,
        pull_requests=prs or [],
        **rest,
    )
