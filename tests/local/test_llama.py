"""A real language model behind the wire."""

import json
import threading
import time

import pytest
from openai import OpenAI

from codex_nb.local import LocalBackend, shared_url
from tests.local.raw import events, missing_model, text_of
from tests.requirements_gate import require
from tests.waiting import until

pytestmark = pytest.mark.model
QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module")
def llama():
    """Give one backend with a model for all tests of this file."""
    require("model", missing_model())
    with LocalBackend() as backend:
        yield backend


@pytest.fixture
def model(llama):
    """Give the model's name."""
    return llama.state.models()[0]


def test_short_question_gets_a_sensible_answer(raw, llama, model):
    """Real tokens come one by one, with real counts, and say where they are from."""
    reply = raw.post(llama, text=QUESTION, model=model, instructions="You are a helpful assistant.")
    assert "Paris" in text_of(reply.text)
    assert reply.headers["x-codex-nb-engine"] == "llama"
    found = events(reply.text)
    deltas = [event for event in found if event["type"] == "response.output_text.delta"]
    usage = found[-1]["response"]["usage"]
    assert 4 < len(deltas) <= usage["output_tokens"] + 1
    assert 10 < usage["input_tokens"] < 60


def test_answers_are_repeatable(raw, llama, model):
    """The same question gets the same answer."""
    assert len({text_of(raw.post(llama, text="Say hi", model=model).text) for _ in range(3)}) == 1


def test_schema_is_followed(llama, model):
    """A JSON schema binds even a small model."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "big": {"type": "boolean"}},
        "required": ["city", "big"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "city", "schema": schema, "strict": True}
    with OpenAI(base_url=llama.url + "/v1", api_key="x") as client:
        reply = client.responses.create(model=model, input="Tell me of Paris.", text={"format": form})
    found = json.loads(reply.output_text)
    assert set(found) == {"city", "big"}
    assert isinstance(found["big"], bool)


def test_limits_are_told(llama, model):
    """Too few tokens end incomplete; too long an input fails as on the service."""
    with OpenAI(base_url=llama.url + "/v1", api_key="x") as client:
        short = client.responses.create(model=model, input="Tell me a story.", max_output_tokens=5)
        assert (short.incomplete_details.reason, short.usage.output_tokens) == ("max_output_tokens", 5)
        long = client.responses.create(model=model, input="word " * 9000)
        assert long.error.code == "context_length_exceeded"
        odd = {"type": "json_schema", "name": "x", "schema": {"type": "nonsense"}}
        assert client.responses.create(model=model, input="x", text={"format": odd}).error.code == "invalid_prompt"


@pytest.mark.parametrize("text", ["Tell me a very long story.", "word " * 4000])
def test_disconnect_stops_the_model(raw, llama, model, text):
    """When the client goes the model stops, while it writes and while it still reads."""
    with raw.stream(llama, text=text, model=model) as response:
        chunks = response.iter_bytes()  # without a name it would be closed at once, and the connection with it
        next(chunks)
        assert until(lambda: llama.state.engine.busy)
    assert until(lambda: not llama.open_streams)
    assert until(lambda: not llama.state.engine.busy)


def test_requests_queue(raw, llama, model):
    """Two at once are answered one after the other, both in full."""
    found = []

    def ask():
        found.append(events(raw.post(llama, text=QUESTION, model=model).text)[-1]["type"])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["response.completed"] * 3


def test_shared_backend_starts_once(llama):
    """Everybody in this process gets the same address."""
    found = set()
    threads = [threading.Thread(target=lambda: found.add(shared_url())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert llama.url not in found


def test_loading_is_quick_and_quiet(llama, capfd):
    """A model of this size loads in a moment, without llama.cpp's log, and stops as fast."""
    assert llama.url
    began = time.perf_counter()
    with LocalBackend() as another:
        assert another.state.models()
        loaded = time.perf_counter()
    assert loaded - began < 60
    assert time.perf_counter() - loaded < 20
    assert capfd.readouterr() == ("", "")
