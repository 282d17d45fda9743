"""Cloud tasks of the local backend: pages, records, turns and environments."""

import time

import pytest

from codex_nb.local import Fault
from codex_nb.local.sample_environments import ATLAS, BARE, WIDGETS
from codex_nb.local.sample_tasks import sample_tasks
from codex_nb.local.tasks import Attempt, Round, Task
from tests.local.cloud import TASKS, create, fixture, ids, page, pages, titled

STYLES = ("/backend-api/wham", "/api/codex")


def test_list_has_two_pages_newest_first(raw, backend):
    """Twenty come first, the rest after the cursor, and none of the archived ones."""
    first, second = pages(raw, backend)
    assert (len(first["items"]), len(second["items"]), second["cursor"]) == (20, 3, None)
    archived = pages(raw, backend, task_filter="archived")
    assert len(ids(archived)) == 3
    assert all(item["archived"] for item in archived[0]["items"])
    times = [item["updated_at"] for item in first["items"] + second["items"]]
    assert times == sorted(times, reverse=True)
    assert len(set(ids([first, second]) + ids(archived))) == 26


def test_items_look_like_the_recorded_ones(raw, backend):
    """The same fields, at every depth, and the environment's id in none of them."""
    recorded = fixture("tasks_list_page1.json")["items"]
    items = {item["title"]: item for item in page(raw, backend)["items"]}
    mine = items["Add retry helper"]
    assert set(mine) == set(recorded[1])
    assert set(mine["task_status_display"]) == set(recorded[1]["task_status_display"])
    latest = mine["task_status_display"]["latest_turn_status_display"]
    assert set(latest) == set(recorded[1]["task_status_display"]["latest_turn_status_display"])
    assert latest["diff_stats"] == {"files_modified": 2, "lines_added": 15, "lines_removed": 1}
    assert len(latest["sibling_turn_ids"]) == 2
    (pull,) = mine["pull_requests"]
    assert set(pull["pull_request"]) == set(recorded[1]["pull_requests"][0]["pull_request"])
    assert pull["assistant_turn_id"] == latest["turn_id"]


@pytest.mark.parametrize("limit", [1, 7, 23, 100])
def test_any_limit_gives_the_same_tasks(raw, backend, limit):
    """Pages of any size join without a gap or a twin; the last one has no cursor."""
    found = pages(raw, backend, limit=limit)
    assert ids(found) == ids(pages(raw, backend))
    assert len(found) == -(-23 // limit)


def test_tasks_that_come_between_pages_move_nothing(raw, backend):
    """A cursor names a task, not a count."""
    first = page(raw, backend, limit=5)
    new = create(raw, backend).json()["task"]["id"]
    rest, cursor = [], first["cursor"]
    while cursor:
        rest.append(page(raw, backend, limit=5, cursor=cursor))
        cursor = rest[-1]["cursor"]
    assert new not in ids(rest)
    assert len(ids(first) + ids(rest)) == len(set(ids(first) + ids(rest))) == 23
    assert ids(page(raw, backend, limit=1)) == [new]


def test_environment_filters(raw, backend):
    """Only its tasks; an unknown one has none."""
    counts = {name: len(ids(pages(raw, backend, environment_id=name))) for name in (WIDGETS, BARE, ATLAS, "other")}
    assert sum(counts.values()) == 22  # one has no environment any more
    assert counts["other"] == 0
    assert min(counts[name] for name in (WIDGETS, BARE, ATLAS)) >= 3
    labels = {
        item["task_status_display"]["environment_label"] for item in page(raw, backend, environment_id=ATLAS)["items"]
    }
    assert labels == {"acme/atlas"}


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": "-1"}, {"limit": "²"}, {"task_filter": "all"}]
    + [{"cursor": text} for text in ("", "x", "!!", "MQ==", "eHx5")],
)
def test_bad_queries_are_400(raw, backend, query):
    """What no page was given out with is refused, in words."""
    reply = raw.get(backend, f"{TASKS}/list", params=query)
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "invalid_request_error")


def test_search_reads_titles_and_prompts(raw, backend):
    """Case does not matter; earlier prompts count."""
    reply = raw.get(backend, f"{TASKS}/search", params={"query": "RETRY"}).json()
    assert len(reply["items"]) == 3
    assert raw.get(backend, f"{TASKS}/search").status_code == 400


def test_record_with_a_diff(raw, backend):
    """The diff is found in both places, and the record has the recorded fields."""
    record, recorded = titled(raw, backend, "Fix flaky date test"), fixture("task_detail_diff.json")
    assert set(record) == set(recorded)
    assert set(record["task"]) >= set(recorded["task"])
    for name in ("current_user_turn", "current_assistant_turn", "current_diff_task_turn"):
        assert set(record[name]) == set(recorded[name])
    turn = record["current_assistant_turn"]
    (pr,) = [item for item in turn["output_items"] if item["type"] == "pr"]
    (output,) = record["current_diff_task_turn"]["output_items"]
    assert pr["output_diff"]["diff"] == output["diff"]
    assert output["diff"].startswith("diff --git a/tests/test_dates.py b/tests/test_dates.py\n")
    assert turn["previous_turn_id"] == record["current_user_turn"]["id"]
    assert turn["id"] == record["task"]["current_turn_id"]


def test_record_with_an_error(raw, backend):
    """An error is an object, or a text."""
    record, recorded = titled(raw, backend, "Explain the cache layer"), fixture("task_detail_error.json")
    assert record["current_assistant_turn"]["error"] == recorded["current_assistant_turn"]["error"]
    assert record["current_assistant_turn"]["turn_status"] == "failed"
    assert record["current_diff_task_turn"] is None
    assert titled(raw, backend, "Run on Windows")["current_assistant_turn"]["error"] == "The container was lost."


def test_record_of_a_running_task_stays_as_it_is(raw, backend):
    """The made-up ones never end, so that tests find them running."""
    recorded = fixture("task_detail_running.json")["current_assistant_turn"]
    (task,) = [each for each in backend.state.tasks.all() if each.last.attempts[0].status == "in_progress"]
    for _ in range(4):
        turn = raw.get(backend, f"{TASKS}/{task.id}").json()["current_assistant_turn"]
        assert {name: turn[name] for name in ("turn_status", "latest_event", "output_items")} == {
            name: recorded[name] for name in ("turn_status", "latest_event", "output_items")
        }


@pytest.mark.parametrize("path", ["x", "task_e_0", "x/turns", "x/turns/y", "x/turns/y/sibling_turns"])
def test_unknown_tasks_are_404(raw, backend, path):
    """In the recorded words."""
    reply = raw.get(backend, f"{TASKS}/{path}")
    assert (reply.status_code, reply.json()) == (404, fixture("404_task.json"))


def test_turns_are_a_chain(raw, backend):
    """Each prompt follows the attempt before it."""
    task = next(each for each in backend.state.tasks.all() if len(each.rounds) == 3)
    reply = raw.get(backend, f"{TASKS}/{task.id}/turns").json()
    assert set(reply) == set(fixture("turns.json"))
    at, chain = reply["current_turn_id"], []
    while at is not None:
        turn = reply["turn_mapping"][at]["turn"]
        assert (turn["id"], "~" in at) == (at, True)
        chain.append(turn["type"])
        at = turn["previous_turn_id"]
    assert chain == ["assistant", "user"] * 3


@pytest.mark.parametrize("escape", [False, True])
def test_turn_ids_hold_a_tilde(raw, backend, escape):
    """As it is, or escaped."""
    turn_id = titled(raw, backend, "Add retry helper")["task"]["current_turn_id"]
    task_id = turn_id.partition("~")[0]
    asked = turn_id.replace("~", "%7E") if escape else turn_id
    reply = raw.get(backend, f"{TASKS}/{task_id}/turns/{asked}")
    assert (reply.status_code, reply.json()["id"]) == (200, turn_id)
    assert raw.get(backend, f"{TASKS}/{task_id}/turns/{turn_id}x").status_code == 404


def test_siblings_are_the_other_attempts(raw, backend):
    """In order of placement, each naming the others; a prompt has none."""
    record = titled(raw, backend, "Add retry helper")
    task_id, turn = record["task"]["id"], record["current_assistant_turn"]
    found = raw.get(backend, f"{TASKS}/{task_id}/turns/{turn['id']}/sibling_turns").json()["sibling_turns"]
    assert set(found[0]) == set(fixture("sibling_turns.json")["sibling_turns"][0])
    assert [each["attempt_placement"] for each in found] == [1, 2]
    assert [each["id"] for each in found] == turn["sibling_turn_ids"]
    assert turn["id"] in found[0]["sibling_turn_ids"]
    user = record["current_user_turn"]["id"]
    assert raw.get(backend, f"{TASKS}/{task_id}/turns/{user}/sibling_turns").json() == {"sibling_turns": []}


def test_old_records_lack_fields(raw, backend):
    """Optional fields may be missing from the list and the record."""
    (item,) = [item for each in pages(raw, backend) for item in each["items"] if item["title"] == "Old record"]
    assert set(item) == {"id", "title", "updated_at", "archived", "has_unread_turn"}
    assert "created_at" not in titled(raw, backend, "Old record")["task"]


def test_sample_has_every_kind(raw, backend):
    """What tables are made of: states, pull requests, several files, long and foreign words."""
    items = [
        item
        for name in ("current", "archived")
        for each in pages(raw, backend, task_filter=name)
        for item in each["items"]
    ]
    shown = [
        item["task_status_display"]["latest_turn_status_display"] for item in items if "task_status_display" in item
    ]
    states = {latest["turn_status"] for latest in shown}
    assert states == {"pending", "in_progress", "completed", "failed", "cancelled"}
    assert {latest["intent"] for latest in shown} == {"pr", "qa"}
    assert max(latest["diff_stats"]["files_modified"] for latest in shown if latest["diff_stats"]) == 4
    pulls = [pull["pull_request"] for item in items for pull in item.get("pull_requests", [])]
    assert {(pull["state"], pull["merged"]) for pull in pulls} == {("open", False), ("closed", False), ("closed", True)}
    assert any("draft" not in pull for pull in pulls)
    assert items[-1]["updated_at"] < time.time() - 35 * 86_400


def test_tasks_can_be_replaced_and_added(raw, backend):
    """A test brings its own, of any state."""
    mine = Task(
        id="task_e_1",
        title="Mine",
        environment_id=None,
        rounds=[Round(prompt="x", created_at=1.5, attempts=[Attempt(status="someday")])],
        updated_at=2.5,
    )
    backend.state.tasks.replace([mine])
    (item,) = page(raw, backend)["items"]
    assert item["task_status_display"]["latest_turn_status_display"]["turn_status"] == "someday"
    backend.state.tasks.add(*sample_tasks(now=1_792_843_200.0))
    assert len(ids(pages(raw, backend))) == 24
    backend.state.tasks.replace([])
    assert page(raw, backend) == {"items": [], "cursor": None}


def test_environments_count_their_tasks(raw, backend):
    """An array; the fields of the recorded one, and one that is bare."""
    found = raw.get(backend, "/backend-api/wham/environments").json()
    recorded = fixture("environments.json")
    assert [set(each) for each in found[:2]] == [set(each) for each in recorded]
    before = found[0]["task_count"]
    create(raw, backend)
    assert raw.get(backend, "/backend-api/wham/environments").json()[0]["task_count"] == before + 1


def test_environments_by_repository(raw, backend):
    """Those of a repository; without a connection to GitHub the question is wrong."""
    path = "/backend-api/wham/environments/by-repo/github"
    assert [each["id"] for each in raw.get(backend, f"{path}/Acme/Atlas").json()] == [ATLAS]
    assert raw.get(backend, f"{path}/acme/other").json() == []
    backend.state.tasks.github = False
    assert raw.get(backend, f"{path}/acme/atlas").status_code == 400


@pytest.mark.parametrize("style", STYLES)
def test_both_path_styles_need_a_bearer(raw, backend, style):
    """The same resources under both addresses, and nothing without a login."""
    for path in ("/tasks/list", "/environments", "/usage", "/tasks/x"):
        assert raw.get(backend, style + path).status_code == (404 if path.endswith("x") else 200)
        reply = raw.get(backend, style + path, headers={"authorization": ""})
        assert (reply.status_code, reply.json()) == (401, fixture("401.json"))


def test_faults_strike_tasks(raw, backend):
    """Any fault, any of these paths."""
    backend.inject(Fault.throttled(1, path="*/tasks/list", method="GET"))
    reply = raw.get(backend, f"{TASKS}/list")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "1")
    assert raw.get(backend, f"{TASKS}/list").status_code == 200
