"""Tasks, environments, memories and the rest of the account: payloads on record, and bad ones."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from codex_nb import errors
from codex_nb.local import Fault, Script
from codex_nb.types.accounts import Accounts
from codex_nb.types.environments import Environment
from codex_nb.types.memories import Memories
from codex_nb.types.tasks import Task, TaskDetail
from codex_nb.types.turns import TaskTurns
from tests.client.both import got, tell

FIXTURES = Path(__file__).parents[1] / "fixtures"


def recorded(name):
    """Return a payload on record."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


@pytest.fixture
def answer(make_backend):
    """Return what makes a backend that answers one path with payloads, in order."""

    def laid(path, *payloads):
        backend = make_backend(Script())
        backend.inject(*(Fault.reply(200, payload).on(path, "*") for payload in payloads))
        return backend

    return laid


def test_a_list_goes_through_its_pages(face, answer):
    """Page by page, or all items at once; the cursor goes back as it came."""
    first, second = recorded("tasks_list_page1"), recorded("tasks_list_page2")
    backend = answer("*/tasks/list", *[first, second] * 2)

    async def story(one):
        page = await got(one.codex.tasks.list(limit=2, task_filter="current"))
        assert page.has_more
        assert [task.id for task in page] == [row["id"] for row in first["items"]]
        following = await got(page.next_page())
        assert not following.has_more
        assert await got(following.next_page()) is None
        page = await got(one.codex.tasks.list())
        paging = page.auto_paging()
        return [t async for t in paging] if hasattr(paging, "__aiter__") else list(paging)

    tasks = tell(face, backend, story)
    assert [task.id for task in tasks] == [row["id"] for row in first["items"] + second["items"]]
    queries = [request.query for request in backend.requests]
    assert queries[0] == "limit=2&task_filter=current"
    assert queries[1].startswith("limit=2&task_filter=current&cursor=")
    assert queries[2] == ""


ROW = {"id": "task_e_1", "title": "x"}
CIRCLES = {
    "the same cursor again": [{"items": [ROW], "cursor": "a"}] * 9,
    "a circle of three": [{"items": [ROW], "cursor": c} for c in "abcabcabc"],
    "a cursor behind nothing": [{"items": [ROW], "cursor": "a"}, {"items": [], "cursor": "b"}, *[{"items": [ROW]}] * 7],
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_list_that_goes_round_in_a_circle_ends(face, answer, name):
    """A cursor that led here already leads nowhere."""
    backend = answer("*/tasks/list", *CIRCLES[name])

    async def story(one):
        paging = (await got(one.codex.tasks.list())).auto_paging()
        return [t async for t in paging] if hasattr(paging, "__aiter__") else list(paging)

    tell(face, backend, story)
    assert len(backend.requests) == {"the same cursor again": 2, "a circle of three": 4}.get(name, 2)


def test_a_task_tells_what_lists_show():
    """Status, place, size, attempts and times are at hand."""
    task = Task.model_validate(recorded("tasks_list_page1")["items"][0])
    assert (task.status, task.environment, task.branch, task.attempts) == ("completed", "acme/widgets", "main", 1)
    assert (task.diff_stats.lines_added, task.diff_stats.lines_removed) == (3, 1)
    assert task.created == datetime.fromtimestamp(1792839179.5, UTC)
    assert task.raw == recorded("tasks_list_page1")["items"][0]
    bare = Task(id="task_e_2")
    assert (bare.status, bare.environment, bare.diff_stats, bare.created, bare.attempts) == (None, None, None, None, 1)


def test_a_task_in_detail(face, answer):
    """What was asked, what was answered, and the diff from where the service has put it."""
    payload = recorded("task_detail_diff")
    backend = answer("*/tasks/task_e_1", payload)
    detail = face.run(backend, lambda one: one.codex.tasks.retrieve("task_e_1"))
    assert detail.status == "completed"
    assert detail.prompt == "The date test fails around midnight.\nPlease fix it."
    assert detail.answer == "I froze the clock in the test."
    assert detail.diff.startswith("diff --git a/tests/test_dates.py")
    assert detail.raw["current_assistant_turn"]["worklog"] == payload["current_assistant_turn"]["worklog"]
    without = payload | {"current_diff_task_turn": None}
    assert TaskDetail.model_validate(without).diff == detail.diff
    failed = TaskDetail.model_validate(recorded("task_detail_error"))
    assert (failed.status, failed.diff) == ("failed", None)
    assert failed.error_message
    running = TaskDetail.model_validate(recorded("task_detail_running"))
    assert running.status in {"pending", "in_progress"}


def test_the_turns_of_a_task(face, answer):
    """By id, in order of time; the other attempts in order of their place."""
    turns = recorded("turns")
    siblings = recorded("sibling_turns")
    siblings["sibling_turns"] += [{"id": "z", "attempt_placement": 0}]
    task = "task_e_1"
    turn = f"{task}~assttrn_e_1"
    backend = answer(f"*/{task}/turns", turns)
    backend.inject(Fault.reply(200, siblings).on("*/sibling_turns", "GET"))

    async def story(one):
        found = await got(one.codex.tasks.turns.list(task))
        return found, await got(one.codex.tasks.turns.sibling_turns(task, turn))

    found, others = tell(face, backend, story)
    assert isinstance(found, TaskTurns)
    assert [each.type for each in found] == ["user", "assistant"]
    assert found.current.id == found.current_turn_id
    assert [each.attempt_placement for each in others] == [0, 1]
    assert backend.requests[-1].path.endswith(f"/{task}/turns/{turn}/sibling_turns")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb"])
def test_an_id_cannot_lead_elsewhere(face, make_backend, name):
    """It is refused before anything is sent."""
    backend = make_backend(Script())
    for call in (
        lambda one: one.codex.tasks.retrieve(name),
        lambda one: one.codex.tasks.turns.list(name),
        lambda one: one.codex.tasks.turns.sibling_turns("task", name),
    ):
        with pytest.raises(errors.InvalidOption):
            face.run(backend, call)
    assert backend.requests == []


def test_odd_characters_of_an_id_are_encoded(face, answer):
    """A question mark does not begin a query."""
    backend = answer("*/tasks/*", recorded("task_detail_diff"))
    face.run(backend, lambda one: one.codex.tasks.retrieve("a?b=c#d~e f"))
    assert backend.requests[0].path.endswith("/tasks/a?b=c#d~e f")
    assert backend.requests[0].query == ""


def test_environments_show_no_secrets(face, answer):
    """The list is typed; variables and secrets are in the payload alone."""
    rows = recorded("environments")
    rows[0] |= {"env_vars": {"KEY": "hush-hush"}, "secrets": {"TOKEN": "hush-hush"}, "setup": "echo hush-hush"}
    backend = answer("*/environments", rows)
    found = face.run(backend, lambda one: one.codex.environments.list())
    assert [each.id for each in found] == [row["id"] for row in rows]
    assert found[0].repositories == ["acme/widgets"]
    assert found[0].created is not None
    assert "hush" not in repr(found) + str(found[0])
    assert found[0].raw["env_vars"] == {"KEY": "hush-hush"}


def test_memories_and_instructions(face, answer):
    """Both are ChatGPT's, outside of the account data of Codex."""
    backend = answer("*/memories", recorded("memories"))
    backend.inject(Fault.reply(200, recorded("user_system_messages")).on("*/user_system_messages", "GET"))

    async def story(one):
        return await got(one.codex.memories.list()), await got(one.codex.user_system_messages.retrieve())

    memories, messages = tell(face, backend, story)
    assert len(memories) == 1
    assert next(iter(memories)).content == "Prefers short answers."
    assert (messages.enabled, messages.disabled_tools, messages.raw["name_user_message"]) == (True, ["dalle"], "Ada")
    assert [request.path for request in backend.requests] == [
        "/backend-api/memories",
        "/backend-api/user_system_messages",
    ]


def test_requirements_are_empty_where_there_are_none(face, answer):
    """404 says that no rules are set."""
    backend = answer("*/config/requirements", recorded("requirements"))
    found = face.run(backend, lambda one: one.codex.config.requirements())
    assert "allowed_sandbox_modes" in found.contents
    backend.inject(Fault.reply(404, {"detail": "Not Found"}).on("*/config/requirements", "GET"))
    assert face.run(backend, lambda one: one.codex.config.requirements()).contents is None


@pytest.mark.parametrize("name", ["accounts_check", "accounts_check_map"])
def test_accounts_in_both_forms(face, answer, name):
    """The list of today, and the map of old."""
    backend = answer("*/accounts/check", recorded(name))
    found = face.run(backend, lambda one: one.codex.accounts.check())
    assert [each.id for each in found.accounts] == found.account_ordering
    assert found.accounts[0].structure == "personal"


def test_traces_are_summarized(face, answer):
    """The request says what it is for; the answer is one summary a trace."""
    backend = answer("*/trace_summarize", recorded("trace_summarize"))
    traces = ({"id": str(n), "metadata": {"source_path": "x"}, "items": []} for n in range(2))
    found = face.run(
        backend, lambda one: one.codex.memories.trace_summarize(traces=traces, reasoning={"effort": "low"})
    )
    assert [each.memory_summary for each in found.output] == ["Project tests should freeze the clock.", ""]
    request = backend.requests[-1]
    assert request.path == "/backend-api/codex/memories/trace_summarize"
    assert request.body["model"] == "gpt-5.4"
    assert request.body["reasoning"] == {"effort": "low"}
    assert request.headers["x-openai-subagent"] == "memory_consolidation"
    with pytest.raises(errors.InvalidOption):
        face.run(backend, lambda one: one.codex.memories.trace_summarize(traces=[]))


def test_a_server_without_accounts_says_so(face, make_backend):
    """An OpenAI-compatible server is not asked for what it cannot have."""
    backend = make_backend(Script())
    for call in (
        lambda one: one.codex.tasks.list(),
        lambda one: one.codex.environments.list(),
        lambda one: one.codex.memories.list(),
    ):
        with pytest.raises(errors.UnsupportedByBackend):
            face.run(f"{backend.url}/v1", call)
    assert backend.requests == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=8,
)
SHAPES = {
    Task: ["id", "title", "created_at", "task_status_display", "pull_requests"],
    TaskDetail: ["task", "current_user_turn", "current_assistant_turn", "current_diff_task_turn"],
    TaskTurns: ["turn_mapping", "current_turn_id"],
    Environment: ["id", "repos", "repo_map", "created_at"],
    Memories: ["memories", "memory_max_tokens"],
    Accounts: ["accounts", "account_ordering"],
}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_any_payload_is_a_value_or_one_kind_of_error(shape):
    """Whatever stands in a field, reading what was taken never fails."""

    @given(st.fixed_dictionaries({}, optional=dict.fromkeys(SHAPES[shape], JSON)))
    def check(payload):
        try:
            value = shape.model_validate(payload)
        except ValidationError:
            return
        for name in dir(shape):
            if not name.startswith("__") and isinstance(getattr(shape, name, None), property):
                getattr(value, name)
        repr(value)

    check()


ITEMS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["message", "output_diff", "pr"])},
        optional={"content": JSON, "diff": JSON, "output_diff": JSON},
    )
    | JSON,
    max_size=4,
)


@given(ITEMS, JSON)
def test_any_items_of_a_turn_can_be_read(items, error):
    """Text, diff and error are found where they are, and nothing else happens."""
    turn = {"id": "t", "input_items": items, "output_items": items, "error": error}
    detail = TaskDetail.model_validate({"task": {"id": "x"}, "current_assistant_turn": turn})
    assert isinstance(detail.answer, str)
    assert detail.diff is None or isinstance(detail.diff, str)
    assert detail.error_message is None or isinstance(detail.error_message, str)
