"""codex-backend-sdk, old and new, as a client of the embedded backend: every method of its own table."""

from dataclasses import replace

import pytest

from codex_nb.local import FunctionCall, LocalBackend, Script, Turn
from codex_nb.local.engines.scripted import default_text
from tests.peers.environments import run_peer


def reply(ask):
    """Call a tool when the weather is asked for; answer anything else."""
    if "weather" in ask.last_user_text() and ask.items[-1].get("type") != "function_call_output":
        return Turn(calls=[FunctionCall("get_weather", '{"city": "Paris"}')])
    return Turn(text=default_text(ask))


@pytest.fixture(scope="module", params=["sdk_033", "sdk_059"])
def results(request, tmp_path_factory):
    """What each call of one version gave."""
    with LocalBackend(Script(reply=reply, transcripts=["Hello there."])) as backend:
        backend.state.compact_v1 = request.param == "sdk_033"  # of its days
        backend.state.account = replace(backend.state.account, plan="pro")
        return run_peer(request.param, "codex_sdk.py", backend.url, CODEX_HOME=str(tmp_path_factory.mktemp("home")))


EXPECTED = {
    "authenticate": lambda it: it is True,
    "authenticate again": lambda it: it is True,
    "responses.create": lambda it: "You asked: **Hello**" in it,
    "responses.create(stream)": lambda it: "Hello" in it["text"] and it["types"][-1] == "response.completed",
    "responses.create(tools)": lambda it: it["arguments"] == '{"city": "Paris"}' and "scripted" in it["answer"],
    "responses.create(text)": lambda it: it == '{"name": "text", "age": 1}',
    "responses.parse": lambda it: it == {"name": "text", "age": 1},
    "responses.compact": lambda it: any(item["type"].startswith("compaction") for item in it["output"]),
    "responses.create(compacted)": lambda it: "What is my name?" in it,
    "models.list": lambda it: "gpt-5.4" in it,
    "models.retrieve": lambda it: it["id"] == "gpt-5.4",
    "embeddings.create": lambda it: [len(row["embedding"]) for row in it["data"]] == [3, 3],
    "audio.transcriptions.create": lambda it: it["text"] == "Hello there.",
    "files.upload": lambda it: it["uri"].startswith("sediment://") and it["file_size_bytes"] == 18,
    "codex.usage": lambda it: it["rate_limit"]["primary_window"]["limit_window_seconds"] > 0,
    "codex.config.requirements": lambda it: "contents" in it,
    "codex.tasks.list": lambda it: len(it["items"]) == 5 and it["cursor"],
    "codex.tasks.list(cursor)": lambda it: len(it["items"]) == 5,
    "codex.tasks.retrieve": lambda it: it["task"]["id"].startswith("task_e_"),
    "codex.tasks.turns.list": lambda it: it["current_turn_id"] in it["turn_mapping"],
    "codex.tasks.turns.sibling_turns": lambda it: isinstance(it["sibling_turns"], list),
    "codex.environments.list": lambda it: it[0]["repo_map"],
    "codex.memories.list": lambda it: it["memories"][0]["content"],
    "codex.user_system_messages.retrieve": lambda it: it["object"] == "user_system_message_detail",
    "codex.memories.trace_summarize": lambda it: len(it["output"]) == 1 and it["output"][0]["memory_summary"],
    "realtime.calls.create": lambda it: it["text"].startswith("v=0"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_call_gives_what_its_users_expect(results, name):
    """The method works, and its result is of the right shape."""
    assert EXPECTED[name](results[name]), results[name]


def test_nothing_failed(results):
    """Calls that only one of the versions has work too."""
    assert not {name: value for name, value in results.items() if isinstance(value, dict) and "failed" in value}
