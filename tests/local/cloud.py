"""How tests ask for cloud tasks."""

import json

from codex_nb.local.sample_environments import WIDGETS
from tests.local.raw import FIXTURES

TASKS = "/backend-api/wham/tasks"


def fixture(name):
    """Return a recorded reply."""
    return json.loads((FIXTURES / name).read_text())


def page(raw, backend, **query):
    """Return one page of the list."""
    reply = raw.get(backend, f"{TASKS}/list", params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def pages(raw, backend, **query):
    """Return every page, following the cursor."""
    found = [page(raw, backend, **query)]
    while found[-1]["cursor"]:
        found.append(page(raw, backend, **query, cursor=found[-1]["cursor"]))
    return found


def ids(found):
    """Return the ids of a page, or of several."""
    found = found if isinstance(found, list) else [found]
    return [item["id"] for each in found for item in each["items"]]


def titled(raw, backend, title):
    """Return the record of the task with a title."""
    (task,) = [task for task in backend.state.tasks.all() if task.title == title]
    return raw.get(backend, f"{TASKS}/{task.id}").json()


def create(raw, backend, text="hello there", environment_id=WIDGETS, best_of=1, *, qa=False, **changes):
    """Begin a task as the official client does."""
    body = {
        "new_task": {"environment_id": environment_id, "branch": "main", "run_environment_in_qa_mode": qa},
        "input_items": [{"type": "message", "role": "user", "content": [{"content_type": "text", "text": text}]}],
        "metadata": {"best_of_n": best_of},
    } | changes
    return raw.http.post(backend.url + TASKS, json=body)
