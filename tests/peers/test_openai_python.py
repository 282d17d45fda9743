"""openai-python, in both versions that are about, as a client of the embedded backend."""

import json

import pytest

from codex_nb.local import FunctionCall, LocalBackend, Script, Turn
from codex_nb.local.pieces import Item, Usage
from tests.peers.environments import run_peer

CITY = {"name": "Paris", "people": 2_100_000, "twins": [{"name": "Rome", "people": 2_700_000, "twins": []}]}
REFUSAL = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
CALLS = [FunctionCall("City", json.dumps(CITY | {"name": name})) for name in ("Oslo", "Bergen")]
TURNS = {
    "text": Turn(text="Hello there.", reasoning="Hm.", usage=Usage(7, 3)),
    "city": Turn(text=json.dumps(CITY)),
    "calls": Turn(calls=CALLS),
    "refusal": Turn(calls=[Item(REFUSAL | {"content": [{"type": "refusal", "refusal": "No."}]})]),
    "incomplete": Turn(text="Half", incomplete="max_output_tokens"),
    "failure": Turn(failure="server_error"),
}

SEEN = {
    "create": ["Hello there.", ["reasoning", "message"], 10, "completed"],
    "create_streamed": ["Hello there.", "response.completed", True],
    "stream": ["Hello there.", "Hello there."],
    "parse": [CITY, "City"],
    "parse_streamed": CITY,
    "tools": [["Oslo", "Bergen"], "Hello there."],
    "endings": [None, "No.", "max_output_tokens", "server_error"],
    "content": "completed",
    "embeddings": [True, True, [0, 1], True],
    "files": 404,
    "refusals": ["NotFoundError", "BadRequestError"],
    "asynchronous": ["Paris", "Hello there."],
}


@pytest.fixture(scope="module", params=[None, "openai_2"], ids=["openai 3", "openai 2"])
def peer(request):
    """Run all scenes of one version, once."""
    script = Script(
        reply=lambda ask: TURNS["text" if "_output" in ask.items[-1].get("type", "") else ask.last_user_text()]
    )
    with LocalBackend(script) as backend:
        return request.param, run_peer(request.param, "openai_python.py", backend.url)


@pytest.mark.parametrize("scene", SEEN)
def test_the_peer_gets_what_its_users_expect(peer, scene):
    """Scene by scene."""
    _, scenes = peer
    assert "raised" not in scenes[scene], scenes[scene]["raised"]
    assert scenes[scene]["saw"] == SEEN[scene]


def test_models_and_sounds_are_there(peer):
    """The list, one of it, none that is not; text of a sound."""
    _, scenes = peer
    ids, one, missing = scenes["models"]["saw"]
    assert one in ids
    assert missing == 404
    assert scenes["transcriptions"]["saw"]


def test_each_version_is_the_one_that_is_meant(peer):
    """Two environments, two versions."""
    name, scenes = peer
    assert scenes["version"]["saw"].startswith("2." if name else "3.")
