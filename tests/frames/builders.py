"""Every frame of account data: its builder, the request behind it, and the fixtures that answer it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from codex_nb import Bearer, Session, frames
from codex_nb.local import Fault

FIXTURES = Path(__file__).parents[1] / "fixtures"
STR = str(pd.Series(["x"]).dtype)
TIME, LENGTH, COUNT, FLAG, KIND, PERCENT = (
    "datetime64[us, UTC]",
    "timedelta64[us]",
    "Int64",
    "boolean",
    "category",
    "float64",
)
TASK = "task_e_1"
TASKS = {
    **dict.fromkeys(("id", "title"), STR),
    **dict.fromkeys(("status", "intent"), KIND),
    **dict.fromkeys(("environment", "branch"), STR),
    **dict.fromkeys(("created", "updated"), TIME),
    **dict.fromkeys(("attempts", "files", "added", "removed", "pull_request"), COUNT),
    "pull_request_state": STR,
    "merged": FLAG,
    "pull_request_url": STR,
    **dict.fromkeys(("archived", "unread", "review"), FLAG),
}


def fixture(name):
    """Return a payload on record."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


@dataclass
class Builder:
    """One frame: how it is built, its dtypes, and payloads that say nothing, little and much."""

    name: str
    build: object
    path: str
    dtypes: dict
    empty: object
    minimal: object
    full: list

    def frame(self, backend, payload, **options):
        """Return the frame of ``payload``."""
        backend.inject(Fault.reply(200, payload, path=self.path, method="GET", times=1))
        with Session(backend.url, auth=Bearer("made-up"), max_retries=0) as session:
            return self.build(session, **options)


BUILDERS = [
    Builder(
        "models",
        frames.models,
        "*/models",
        {
            **dict.fromkeys(("id", "name", "description"), STR),
            "context_window": COUNT,
            "effort": KIND,
            **dict.fromkeys(("efforts", "input"), STR),
            "verbosity": FLAG,
            **dict.fromkeys(("tiers", "plans"), STR),
            "visibility": KIND,
            "in_api": FLAG,
            "priority": COUNT,
            "upgrade": STR,
        },
        {"models": []},
        {"models": [{"slug": "m"}]},
        [fixture("models"), fixture("models_legacy")],
    ),
    Builder(
        "usage",
        frames.usage,
        "*/wham/usage",
        {
            **dict.fromkeys(("limit", "window"), STR),
            **dict.fromkeys(("used", "left"), PERCENT),
            "resets_at": TIME,
            **dict.fromkeys(("resets_in", "length"), LENGTH),
            **dict.fromkeys(("allowed", "reached"), FLAG),
            "plan": STR,
        },
        {},
        {"rate_limit": {"primary_window": {}}},
        [fixture("usage"), fixture("usage_pro_additional"), fixture("usage_limit_reached")],
    ),
    Builder(
        "tasks",
        frames.tasks,
        "*/wham/tasks/list",
        TASKS,
        {"items": []},
        {"items": [{"id": "t"}]},
        [fixture("tasks_list_page2"), {**fixture("tasks_list_page1"), "cursor": None}],
    ),
    Builder(
        "task",
        lambda session, **options: frames.task(TASK, session, **options),
        "*/wham/tasks/*",
        {**TASKS, **dict.fromkeys(("prompt", "answer", "error", "latest_event", "diff"), STR)},
        {"task": {"id": TASK}},
        {"task": {"id": TASK}, "current_assistant_turn": {}},
        [fixture("task_detail_diff"), fixture("task_detail_error"), fixture("task_detail_running")],
    ),
    Builder(
        "turns",
        lambda session, **options: frames.turns(TASK, session, attempts=False, **options),
        "*/turns",
        {
            "id": STR,
            **dict.fromkeys(("type", "status"), KIND),
            "attempt": COUNT,
            "created": TIME,
            **dict.fromkeys(("prompt", "answer"), STR),
            **dict.fromkeys(("files", "added", "removed"), COUNT),
            **dict.fromkeys(("error", "model", "branch", "commit", "previous"), STR),
        },
        {"turn_mapping": {}},
        {"turn_mapping": {"a": {"turn": {}}, "b": None, "c": {}}},
        [fixture("turns")],
    ),
    Builder(
        "diffs",
        lambda session, **_: frames.diffs(TASK, session, attempts=False),
        "*/turns",
        {
            "path": STR,
            "change": KIND,
            **dict.fromkeys(("added", "removed"), COUNT),
            "binary": FLAG,
            "attempt": COUNT,
            **dict.fromkeys(("turn", "old_path", "diff"), STR),
        },
        {"turn_mapping": {}},
        {"turn_mapping": {"a": {"turn": {"output_items": [{"type": "output_diff", "diff": "no diff"}]}}}},
        [fixture("turns")],
    ),
    Builder(
        "environments",
        frames.environments,
        "*/environments",
        {
            **dict.fromkeys(("id", "label", "description", "repositories"), STR),
            "tasks": COUNT,
            "pinned": FLAG,
            "created": TIME,
            "network": STR,
            **dict.fromkeys(("variables", "secrets"), COUNT),
            "machine": STR,
        },
        [],
        [{"id": "e"}],
        [fixture("environments")],
    ),
    Builder(
        "memories",
        frames.memories,
        "*/memories",
        {
            **dict.fromkeys(("id", "content", "status"), STR),
            **dict.fromkeys(("created", "updated"), TIME),
            "conversation": STR,
        },
        {"memories": None},
        {"memories": [{"id": "m"}]},
        [fixture("memories")],
    ),
]


def dtypes(frame):
    """Return the dtypes as texts."""
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def round_trip(frame, path):
    """Write a frame to Parquet, read it, and compare it; categories that no row has need not come back."""
    frame.to_parquet(path)
    read = pd.read_parquet(path)
    assert dtypes(read) == dtypes(frame)
    assert read.attrs == frame.attrs
    pd.testing.assert_frame_equal(pd.DataFrame(read), pd.DataFrame(frame), check_categorical=len(frame) > 0)
