"""Cloud tasks and their turns, as the service tells them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script
from codex_nb.types.tasks import Task, TaskDetail
from codex_nb.types.turns import SiblingTurns, TaskTurn, TaskTurns
from tests.client.both import each, got, tell

FIXTURES = Path(__file__).parents[1] / "fixtures"
LIST = "*/wham/tasks/list"


def recorded(name):
    """Return a payload on record."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


def answering(make_backend, path, *payloads):
    """Return a backend that answers requests of this path with the payloads, one after the other."""
    faults = [Fault.reply(200, payload, path=path, method="GET", times=1) for payload in payloads]
    return make_backend(Script(faults=faults))


def page(*ids, cursor=None):
    """Return a page of tasks."""
    return {"items": [{"id": name} for name in ids], "cursor": cursor}


def queries(backend):
    """Return the queries that arrived."""
    return [request.query for request in backend.requests]


def paged(face, backend, **options):
    """Return the ids of all tasks."""

    async def story(one):
        first = await got(one.codex.tasks.list(**options))
        return [task.id async for task in each(first.auto_paging())]

    return tell(face, backend, story)


def test_a_page_is_a_list_of_its_own_tasks(make_backend, face):
    """It counts, indexes and iterates; what is on the next page is not fetched."""
    payload = recorded("tasks_list_page1")
    backend = answering(make_backend, LIST, payload)
    found = face.run(backend, lambda one: one.codex.tasks.list(limit=2, task_filter="current", environment_id="e/1"))
    assert [task.title for task in found] == ["Fix flaky date test", "Add retry helper"]
    assert len(found) == 2
    assert found[1] is found.items[1] is found.data[1]
    assert found.cursor == payload["cursor"]
    assert found.has_more
    assert found.raw == payload
    assert "of 2, more to come" in repr(found)
    assert queries(backend) == ["limit=2&task_filter=current&environment_id=e%2F1"]


def test_the_facts_of_a_task_are_within_reach(make_backend, face):
    """Status, environment, branch, attempts, times, size of the change, and pull requests."""
    found = face.run(answering(make_backend, LIST, recorded("tasks_list_page1")), lambda one: one.codex.tasks.list())
    first, second = found
    assert (first.status, first.environment, first.branch, first.intent) == ("completed", "acme/widgets", "main", "pr")
    assert (first.attempts, second.attempts) == (1, 2)
    assert first.created == datetime(2026, 10, 24, 10, 52, 59, 500_000, UTC)
    assert first.updated > first.created
    assert (first.diff_stats.files_modified, first.diff_stats.lines_added, first.diff_stats.lines_removed) == (1, 3, 1)
    assert first.pull_requests == []
    (pull,) = second.pull_requests
    assert (pull.number, pull.state, pull.merged) == (17, "open", False)
    assert pull.url == "https://github.com/acme/widgets/pull/17"


def test_all_pages_are_walked_through(make_backend, face):
    """The cursor goes back as it came, with the same options, and each page is asked for once."""
    backend = answering(make_backend, LIST, page("a", "b", cursor="x+/=="), page("c", cursor="y"), page("d"))
    assert paged(face, backend, limit=2, task_filter="archived") == ["a", "b", "c", "d"]
    assert queries(backend) == [
        "limit=2&task_filter=archived",
        "limit=2&task_filter=archived&cursor=x%2B%2F%3D%3D",
        "limit=2&task_filter=archived&cursor=y",
    ]


def test_pages_can_be_begun_in_the_middle(make_backend, face):
    """A cursor that was kept names the page to begin with."""
    backend = answering(make_backend, LIST, page("c", cursor="z"), page("d"))
    assert paged(face, backend, cursor="y") == ["c", "d"]
    assert queries(backend) == ["cursor=y", "cursor=z"]


def test_pages_are_asked_for_when_they_are_needed(make_backend, face):
    """Who leaves the loop on the first page does not pay for the second."""
    backend = answering(make_backend, LIST, page("a", "b", cursor="x"), page("c"))

    async def story(one):
        async for task in each((await got(one.codex.tasks.list())).auto_paging()):
            if task.id == "b":
                return

    tell(face, backend, story)
    assert len(backend.requests) == 1


@pytest.mark.parametrize(
    ("pages", "ids"),
    [
        ([page()], []),
        ([recorded("tasks_list_empty")], []),
        ([{"items": None}], []),
        ([{"items": [{"id": "a"}]}], ["a"]),
        ([page("a", cursor="")], ["a"]),
        ([page("a", cursor="x"), page(cursor="y"), page("never")], ["a"]),
        ([page("a", cursor="x"), page("b", cursor="x"), page("never")], ["a", "b"]),
        ([page("a", cursor="x"), page("b", cursor="y"), page("c", cursor="x"), page("never")], ["a", "b", "c"]),
    ],
    ids=["empty", "no cursor", "null", "no cursor field", "no text", "empty later", "same cursor", "circle"],
)
def test_a_list_ends_where_it_ends(make_backend, face, pages, ids):
    """At a missing cursor, at a page without items, and where the service leads in a circle."""
    backend = answering(make_backend, LIST, *pages)
    assert paged(face, backend) == ids
    assert len(backend.requests) == len([one for one in pages if one != page("never")])


def test_a_cursor_of_the_callers_own_closes_the_circle(make_backend, face):
    """The page that the caller began with counts as passed."""
    backend = answering(make_backend, LIST, page("b", cursor="y"), page("c", cursor="x"), page("never"))
    assert paged(face, backend, cursor="x") == ["b", "c"]


def test_pages_can_be_turned_by_hand(make_backend, face):
    """``next_page`` gives the page after, and None at the end; a page can be turned twice."""
    backend = answering(make_backend, LIST, page("a", cursor="x"), page("b"), page("b"))

    async def story(one):
        first = await got(one.codex.tasks.list())
        second, again = await got(first.next_page()), await got(first.next_page())
        assert [second[0].id, again[0].id] == ["b", "b"]
        assert not second.has_more
        assert await got(second.next_page()) is None

    tell(face, backend, story)
    assert len(backend.requests) == 3


def test_an_error_between_pages_loses_nothing(make_backend, face):
    """What came before was given; the page in hand goes on where it was."""
    faults = [
        Fault.reply(200, page("a", cursor="x"), path=LIST, method="GET", times=1),
        Fault.server_error(path=LIST, method="GET", times=1),
        Fault.reply(200, page("b"), path=LIST, method="GET", times=1),
    ]

    async def story(one):
        seen = []
        first = await got(one.codex.tasks.list())
        with pytest.raises(errors.InternalServerError):
            await collect(first, seen)
        return [*seen, (await got(first.next_page()))[0].id]

    async def collect(first, seen):
        async for task in each(first.auto_paging()):
            seen.append(task.id)

    assert tell(face, make_backend(Script(faults=faults)), story) == ["a", "b"]


def test_an_async_list_needs_no_await_to_be_walked_through(make_backend):
    """``async for`` over all pages, a task of asyncio's, and several at once."""
    import asyncio

    from codex_nb import Bearer, Session

    backend = answering(make_backend, LIST, *[page("a", cursor="x"), page("b")], *[page("c")] * 3)

    async def story():
        async with Session(backend.url, auth=Bearer("made-up-bearer")) as session:
            tasks = session.aio.codex.tasks
            ids = [task.id async for task in tasks.list().auto_paging()]
            one = await asyncio.create_task(tasks.list())
            more = await asyncio.gather(tasks.list(), tasks.list())
            return [*ids, one[0].id, *(found[0].id for found in more)]

    assert asyncio.run(story()) == ["a", "b", "c", "c", "c"]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ([], "form"),
        ({}, "items"),
        ({"items": 5}, "items"),
        ({"items": [5]}, "items.0"),
        ({"items": [{"id": 5}]}, "items.0.id"),
        ({"items": [{"title": "secret-title"}]}, "items.0.id"),
        ({"items": [], "cursor": 5}, "cursor"),
        ({"items": [{"id": "a", "created_at": "secret-title"}]}, "items.0.created_at"),
    ],
)
def test_what_is_no_list_of_tasks_is_said_to_be_none(make_backend, face, payload, field):
    """The field is named, its value is not quoted."""
    with pytest.raises(errors.MalformedStream, match=field) as caught:
        face.run(answering(make_backend, LIST, payload), lambda one: one.codex.tasks.list())
    assert "secret-title" not in str(caught.value)


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "5"])
def test_a_limit_that_is_no_count_is_refused(make_backend, face, limit):
    """Before anything is sent."""
    backend = make_backend(Script())
    with pytest.raises(errors.InvalidOption, match="limit"):
        face.run(backend, lambda one: one.codex.tasks.list(limit=limit))
    assert backend.requests == []


def retrieved(make_backend, face, payload):
    """Read this payload as a task's details."""
    backend = answering(make_backend, "*/wham/tasks/task_e_1", payload)
    return face.run(backend, lambda one: one.codex.tasks.retrieve("task_e_1"))


def test_a_finished_task_has_its_change(make_backend, face):
    """Prompt, answer, one diff (which two turns tell), and its raw payload."""
    payload = recorded("task_detail_diff")
    detail = retrieved(make_backend, face, payload)
    assert detail.id == payload["task"]["id"]
    assert (detail.title, detail.status, detail.environment) == ("Fix flaky date test", "completed", "acme/widgets")
    assert (detail.branch, detail.attempts, detail.diff_stats.lines_added) == ("main", 1, 3)
    assert detail.created == datetime(2026, 10, 24, 10, 52, 59, 500_000, UTC)
    assert detail.prompt == "The date test fails around midnight.\nPlease fix it."
    assert detail.answer == "I froze the clock in the test."
    assert detail.diff.startswith("diff --git a/tests/test_dates.py")
    assert detail.diffs == [detail.diff]
    assert detail.error is None
    assert detail.raw == payload
    assert detail.current_assistant_turn.raw == payload["current_assistant_turn"]


def test_a_failed_task_says_why(make_backend, face):
    """Code and message, and a line to show."""
    detail = retrieved(make_backend, face, recorded("task_detail_error"))
    assert detail.status == "failed"
    assert detail.error.code == "ENVIRONMENT_SETUP_FAILED"
    assert str(detail.error) == "ENVIRONMENT_SETUP_FAILED: The setup script exited with status 1"
    assert detail.diff is None
    assert detail.answer == ""
    assert detail.error_message == "The setup script exited with status 1"


def test_a_running_task_tells_its_last_event(make_backend, face):
    """There is no change and no answer yet."""
    detail = retrieved(make_backend, face, recorded("task_detail_running"))
    assert (detail.status, detail.latest_event.text) == ("in_progress", "Running the tests")
    assert (detail.diff, detail.answer, detail.error) == (None, "", None)


def test_a_task_that_is_not_there(make_backend, face):
    """The service's own 404."""
    fault = Fault.reply(404, recorded("404_task"), path="*/wham/tasks/*", method="GET")
    with pytest.raises(errors.NotFoundError):
        face.run(make_backend(Script(faults=[fault])), lambda one: one.codex.tasks.retrieve("task_e_1"))


def output(diff):
    """Return a change of its own."""
    return {"type": "output_diff", "diff": diff}


def pull(diff):
    """Return a change that is a pull request."""
    return {"type": "pr", "output_diff": None if diff is None else {"diff": diff}}


@pytest.mark.parametrize(
    ("shown", "answered", "diffs"),
    [
        ([output("a")], [output("b")], ["a", "b"]),
        ([], [output("b")], ["b"]),
        (None, [pull("b")], ["b"]),
        ([output("")], [pull("b")], ["b"]),
        ([output(None)], [pull(None), pull(""), pull("c")], ["c"]),
        ([{"type": "message", "diff": "no"}], [{"type": "pr", "diff": "no"}], []),
        ([{"type": "output_diff", "output_diff": {"diff": "no"}}], None, []),
        ([output("a")], [pull("a")], ["a"]),
        (None, None, []),
    ],
)
def test_the_change_is_found_where_it_is(shown, answered, diffs):
    """The turn that is shown comes first, then the assistant's; what is empty does not count."""
    detail = TaskDetail.model_validate(
        {
            "task": {"id": "t"},
            "current_diff_task_turn": None if shown is None else {"id": "a", "output_items": shown},
            "current_assistant_turn": None if answered is None else {"id": "b", "output_items": answered},
        }
    )
    assert detail.diffs == diffs
    assert detail.diff == (diffs[0] if diffs else None)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ({"code": "A", "message": "b"}, "A: b"),
        ({"message": "b"}, "b"),
        ({"code": 7}, "7"),
        ({}, None),
        ("b", "b"),
        ("", None),
        (None, None),
    ],
)
def test_an_error_is_an_object_or_a_text(error, line):
    """An empty one is none."""
    found = TaskTurn.model_validate({"error": error}).error
    assert (None if found is None else str(found)) == line


def test_pull_requests_go_by_two_names():
    """Lists and details differ; null is none."""
    pulls = [{"id": "1", "pull_request": {"number": 5}}]
    for fields in (
        {"pull_requests": pulls},
        {"external_pull_requests": pulls},
        {"pull_requests": None, "external_pull_requests": pulls},
    ):
        task = Task.model_validate({"id": "t", **fields})
        assert [one.number for one in task.pull_requests] == [one.number for one in task.external_pull_requests] == [5]
        assert task.raw == {"id": "t", **fields}
    assert Task.model_validate({"id": "t", "external_pull_requests": None}).pull_requests == []


@pytest.mark.parametrize("shown", ["x", 5, [1], [["latest_turn_status_display"]], {"latest_turn_status_display": [0]}])
def test_a_task_whose_display_is_something_else(shown):
    """What is no object has nothing in it; what stands elsewhere under the same name is not taken for it."""
    payload = {
        "id": "t",
        "task_status_display": shown,
        "status": {"a": 1},
        "environment": {"env_vars": {}},
        "branch": 3,
    }
    task = Task.model_validate(payload)
    assert (task.status, task.environment, task.branch, task.intent, task.diff_stats) == (None,) * 5
    assert task.raw == payload
    assert task.task_status_display == shown


def test_a_dumped_task_is_the_payload_again():
    """What is read inside of the payload is not written beside it."""
    for payload in recorded("tasks_list_page1")["items"]:
        task = Task.model_validate(payload)
        assert task.model_dump(exclude_unset=True) == payload
        assert Task.model_validate(task.model_dump()).model_dump() == task.model_dump()
        assert [one.raw for one in task.pull_requests] == payload["pull_requests"]


def test_a_task_about_which_little_is_said():
    """Only the id is needed."""
    task = Task.model_validate({"id": "t", "task_status_display": {"latest_turn_status_display": None}})
    assert (task.status, task.attempts, task.diff_stats, task.created, task.environment) == (None, 1, None, None, None)
    detail = TaskDetail.model_validate({"task": {"id": "t"}})
    assert (detail.status, detail.attempts, detail.diff, detail.prompt, detail.answer, detail.error) == (
        None,
        1,
        None,
        "",
        "",
        None,
    )
    assert detail.pull_requests == []


def test_an_old_task_answers_in_its_worklog():
    """ChatGPT's own message format; the user's messages are no answer."""
    messages = [
        {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["asked"]}},
        {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["one", {"text": "two"}, 5]}},
        {"author": {"role": "assistant"}, "content": {"content_type": "text", "text": "three"}},
        {"author": "assistant", "content": 5},
        "odd",
    ]
    turn = TaskTurn.model_validate({"worklog": {"messages": messages}})
    assert turn.answer == "one\ntwo\n\nthree"
    told = {"output_items": [{"type": "message", "content": ["said"]}], "worklog": {"messages": messages}}
    assert TaskTurn.model_validate(told).answer == "said"


def test_only_the_users_messages_are_the_prompt():
    """In any spelling of the role; one without a role is the user's, and a patch is no message."""
    items = [
        {"type": "message", "role": "User", "content": "a"},
        {"type": "message", "content": [{"content_type": "text", "text": "b"}, {"content_type": "image"}]},
        {"type": "message", "role": "system", "content": ["no"]},
        {"type": "pre_apply_patch", "output_diff": {"diff": "no"}, "content": ["no"]},
    ]
    assert TaskTurn.model_validate({"input_items": items}).prompt == "a\n\nb"


def test_the_turns_of_a_task(make_backend, face):
    """The oldest first, and the current one."""
    payload = recorded("turns")
    backend = answering(make_backend, "*/wham/tasks/*/turns", payload)
    turns = face.run(backend, lambda one: one.codex.tasks.turns.list("task_e_1"))
    assert isinstance(turns, TaskTurns)
    assert [turn.type for turn in turns] == ["user", "assistant"]
    assert turns.current is turns[1]
    assert turns.raw == payload
    assert turns.current.diff
    assert backend.requests[0].path.endswith("/wham/tasks/task_e_1/turns")


def test_turns_are_put_in_order():
    """By time, then by the attempt's number; what has none is last, and nothing is no turn."""
    rows = [("d", None, None), ("c", 2.0, 1), ("b", 2.0, 0), ("a", 1.0, 5)]
    turns = {name: {"turn": {"id": name, "created_at": at, "attempt_placement": n}} for name, at, n in rows}
    payload = {"turn_mapping": {**turns, "x": {"turn": None}, "y": None}, "current_turn_id": "gone"}
    found = TaskTurns.model_validate(payload)
    assert [turn.id for turn in found] == ["a", "b", "c", "d"]
    assert found.current is None
    assert TaskTurns.model_validate({"turn_mapping": None}).items == []


def test_the_other_attempts(make_backend, face):
    """With their diffs; the id's ``~`` goes out as it is."""
    payload = recorded("sibling_turns")
    backend = answering(make_backend, "*/sibling_turns", payload)
    turn = "task_e_6abc~assttrn_e_6abc"
    found = face.run(backend, lambda one: one.codex.tasks.turns.sibling_turns("task_e_6abc", turn))
    assert [one.attempt_placement for one in found] == [1]
    assert found[0].answer == "Second attempt: used a decorator."
    assert found[0].diff
    assert found.raw == payload
    assert backend.requests[0].path == f"/backend-api/wham/tasks/task_e_6abc/turns/{turn}/sibling_turns"


def test_attempts_are_put_in_order():
    """By their numbers, then by time."""
    rows = [("d", None, 1.0), ("c", 2, 1.0), ("b", 1, 9.0), ("a", 1, 3.0)]
    turns = [{"id": name, "attempt_placement": n, "created_at": at} for name, n, at in rows]
    found = SiblingTurns.model_validate({"sibling_turns": turns})
    assert [turn.id for turn in found] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_turn(make_backend, face, wrapped):
    """Alone, or wrapped as lists have it."""
    turn = recorded("task_detail_diff")["current_assistant_turn"]
    backend = answering(make_backend, "*/turns/turn~1", {"turn": turn} if wrapped else turn)
    found = face.run(backend, lambda one: one.codex.tasks.turns.retrieve("task_e_1", "turn~1"))
    assert found.raw == turn
    assert found.diff


def test_the_logs_of_a_turn_come_as_they_are(make_backend, face):
    """Their form is not on record: an object's fields are attributes, and an array is kept."""
    for payload in ({"logs": [{"file": "file_1"}]}, [{"file": "file_1"}]):
        backend = answering(make_backend, "*/turns/turn~1/logs", payload)
        found = face.run(backend, lambda one: one.codex.tasks.turns.logs("task_e_1", "turn~1"))
        assert found.raw == payload
        assert (found.logs if isinstance(payload, dict) else found.items) == [{"file": "file_1"}]
