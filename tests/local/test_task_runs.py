"""Cloud tasks that are begun here: how they run, end, go on and are put away."""

import json
import time

import pytest

from codex_nb.local import LocalBackend, Script
from codex_nb.local.tasks import Attempt
from tests.local.cloud import TASKS, create, fixture, ids, page, pages, titled


def test_new_task_runs_by_being_looked_at(raw, backend):
    """Pending, in progress, done with a diff: a state a look, the same each time."""
    reply = create(raw, backend, "Write it down")
    made = reply.json()
    assert (reply.status_code, set(made)) == (200, set(fixture("task_create.json")))
    assert set(made["turn"]) == set(fixture("task_create.json")["turn"])
    assert (made["task"]["title"], made["turn"]["turn_status"]) == ("New task", "pending")
    path = f"{TASKS}/{made['task']['id']}"
    seen = [raw.get(backend, path).json() for _ in range(4)]
    states = [each["current_assistant_turn"]["turn_status"] for each in seen]
    assert states == ["pending", "in_progress", "completed", "completed"]
    assert seen[1]["current_assistant_turn"]["latest_event"]["event_type"] == "info"
    assert seen[2] == seen[3]
    assert seen[2]["task"]["title"] == "Write it down"
    assert seen[2]["task"]["has_unread_turn"] is True
    assert "+Write it down" in seen[2]["current_diff_task_turn"]["output_items"][0]["diff"]
    assert ids(page(raw, backend, limit=1)) == [made["task"]["id"]]


def test_list_counts_as_a_look(raw, backend):
    """Whoever only watches the list sees it end too."""
    create(raw, backend)
    states = []
    for _ in range(3):
        (item,) = page(raw, backend, limit=1)["items"]
        states.append(item["task_status_display"]["latest_turn_status_display"]["turn_status"])
    assert states == ["pending", "in_progress", "completed"]


def test_new_task_may_run_by_time(raw, backend):
    """With seconds set, looks do not matter."""
    backend.state.tasks.seconds = 3600
    slow = create(raw, backend).json()["task"]["id"]
    for _ in range(5):
        assert raw.get(backend, f"{TASKS}/{slow}").json()["current_assistant_turn"]["turn_status"] == "pending"
    backend.state.tasks.seconds = 0
    fast = create(raw, backend).json()["task"]["id"]
    assert raw.get(backend, f"{TASKS}/{fast}").json()["current_assistant_turn"]["turn_status"] == "completed"


def test_new_task_with_several_attempts(raw, backend):
    """Each ends with a diff of its own."""
    made = create(raw, backend, best_of=3).json()
    task_id, turn_id = made["task"]["id"], made["turn"]["id"]
    for _ in range(3):
        raw.get(backend, f"{TASKS}/{task_id}")
    others = raw.get(backend, f"{TASKS}/{task_id}/turns/{turn_id}/sibling_turns").json()["sibling_turns"]
    assert [each["turn_status"] for each in others] == ["completed"] * 2
    assert len({json.dumps(each["output_items"]) for each in others}) == 2


def test_new_task_may_fail_or_be_made_up(raw, backend):
    """Tests say what comes of it."""
    board = backend.state.tasks
    board.reads = 0
    board.error = {"code": "X", "message": "No."}
    failed = create(raw, backend).json()["task"]["id"]
    board.error, board.result = None, lambda prompt, placement: Attempt(message=f"{prompt} {placement}")
    done = create(raw, backend, "mine").json()["task"]["id"]
    assert raw.get(backend, f"{TASKS}/{failed}").json()["current_assistant_turn"]["error"]["message"] == "No."
    turn = raw.get(backend, f"{TASKS}/{done}").json()["current_assistant_turn"]
    assert turn["output_items"][0]["content"][0]["text"] == "mine 0"


def test_question_ends_without_a_diff(raw, backend):
    """In its other mode a task only answers."""
    backend.state.tasks.reads = 0
    record = raw.get(backend, f"{TASKS}/{create(raw, backend, qa=True).json()['task']['id']}").json()
    assert (record["current_diff_task_turn"], record["current_assistant_turn"]["intent"]) == (None, "qa")


def test_what_was_sent_is_kept(raw, backend):
    """The input items come back as they went, a starting diff too."""
    message = {"type": "message", "role": "user", "content": [{"content_type": "text", "text": "Go on"}]}
    items = [message, {"type": "pre_apply_patch", "output_diff": {"diff": "diff --git a/x b/x\n"}}]
    assert create(raw, backend, input_items=items).json()["user_turn"]["input_items"] == items
    message["content"] = ["As a", "text"]
    backend.state.tasks.reads = 0
    task_id = create(raw, backend, input_items=items).json()["task"]["id"]
    assert raw.get(backend, f"{TASKS}/{task_id}").json()["task"]["title"] == "As a"


def test_follow_up_is_another_round(raw, backend):
    """It needs the latest turn of a task that has ended."""
    made = create(raw, backend).json()
    task_id, turn_id = made["task"]["id"], made["turn"]["id"]
    followed = {"task_id": task_id, "turn_id": turn_id, "run_environment_in_qa_mode": False}
    body = {"new_task": None, "follow_up": followed}
    assert create(raw, backend, "And then?", **body).status_code == 409
    for _ in range(3):
        raw.get(backend, f"{TASKS}/{task_id}")
    more = create(raw, backend, "And then?", **body).json()
    assert (more["task"]["id"], more["user_turn"]["previous_turn_id"]) == (task_id, turn_id)
    assert len(raw.get(backend, f"{TASKS}/{task_id}/turns").json()["turn_mapping"]) == 4
    assert create(raw, backend, **body).status_code == 404
    body["follow_up"]["task_id"] = "x"
    assert create(raw, backend, **body).json() == fixture("404_task.json")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"new_task": None}, 400),
        ({"input_items": None}, 400),
        ({"input_items": []}, 400),
        ({"input_items": "text"}, 400),
        ({"input_items": [{"type": "message", "content": [{"content_type": "text", "text": " "}]}]}, 400),
        ({"environment_id": "x"}, 404),
        ({"input_items": [None, {"type": "message"}, 3]}, 400),
        ({"best_of": 0}, 400),
        ({"best_of": 5}, 400),
        ({"best_of": True}, 400),
    ],
)
def test_bad_tasks_are_refused(raw, backend, changes, status):
    """And none is begun."""
    assert create(raw, backend, **changes).status_code == status
    assert len(backend.state.tasks.all()) == 26


def test_spent_quota_takes_no_task(raw):
    """The refusal is that of every answer."""
    with LocalBackend(Script(), budget=10) as backend:
        backend.state.quota.spend(10)
        reply = create(raw, backend)
        assert (reply.status_code, reply.json()["error"]["type"]) == (429, "usage_limit_reached")


def test_tasks_are_cancelled_archived_and_read(raw, backend):
    """Each change is there at once."""
    task_id = create(raw, backend).json()["task"]["id"]

    def act(name):
        assert raw.http.post(f"{backend.url}{TASKS}/{task_id}/{name}", json={}).json() == {"success": True}
        return raw.get(backend, f"{TASKS}/{task_id}").json()

    for _ in range(3):
        turn = act("cancel")["current_assistant_turn"]
        assert turn["turn_status"] == "cancelled"
        assert turn["cancellation_requested_at"] == pytest.approx(time.time(), abs=60)
    assert act("archive")["task"]["archived"] is True
    assert task_id not in ids(pages(raw, backend))
    assert act("recover")["task"]["archived"] is False
    backend.state.tasks.get(task_id).unread = True
    assert act("mark_read")["task"]["has_unread_turn"] is False
    assert raw.http.post(f"{backend.url}{TASKS}/x/cancel", json={}).status_code == 404


def test_pull_request_of_a_turn(raw, backend):
    """A diff becomes a pull request with the next number; an answer cannot."""
    done = titled(raw, backend, "Delete what 1.x needed")["task"]["current_turn_id"]
    path = f"{TASKS}/{done.partition('~')[0]}"
    reply = raw.http.post(f"{backend.url}{path}/turns/{done}/pr", json={"mode": "draft"})
    assert reply.json() == {"success": True}
    (pull,) = raw.get(backend, path).json()["task"]["external_pull_requests"]
    assert (pull["pull_request"]["number"], pull["pull_request"]["draft"]) == (18, True)
    said = titled(raw, backend, "List the public names")["task"]["current_turn_id"]
    path = f"{backend.url}{TASKS}/{said.partition('~')[0]}/turns/{said}/pr"
    assert raw.http.post(path, json={}).status_code == 400
