"""What the Codex path refuses, and what lets a request in."""

import gzip
import json
import sys

import pytest

from codex_nb.local import jwt
from tests.local.raw import FIXTURES, RESPONSES, body

CALL = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "call_1"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "1"}
SYSTEM = {"role": "system", "content": "x"}
DEVELOPER = {"role": "developer", "content": [{"type": "input_text", "text": "x"}]}


def fixture(name):
    """Return a recorded error body."""
    return json.loads((FIXTURES / name).read_text())


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"stream": False}, "Stream must be set to true"),
        ({"stream": None}, "Stream must be set to true"),
        ({"store": True}, "Store must be set to false"),
        ({"store": None}, "Store must be set to false"),
        ({"input": "Hi"}, "Input must be a list"),
        ({"instructions": None}, "Instructions are required"),
        ({"instructions": ""}, "Instructions are required"),
        ({"temperature": 0}, "Unsupported parameter: temperature"),
        ({"max_output_tokens": 5}, "Unsupported parameter: max_output_tokens"),
        ({"previous_response_id": "resp_1"}, "Unsupported parameter: previous_response_id"),
        ({"tools": [{"type": "function", "name": "f"}]}, "Tool choice is required when tools are given"),
        ({"input": [SYSTEM]}, "System messages are not allowed"),
        ({"model": "gpt-4o"}, "The 'gpt-4o' model is not supported when using Codex with a ChatGPT account."),
    ],
)
def test_refused_with_a_sentence(raw, backend, changes, detail):
    """The service's limits hold here too, in its words."""
    reply = raw.post(backend, **changes)
    assert (reply.status_code, reply.json()) == (400, {"detail": detail})


def test_recorded_refusals_are_met(raw, backend):
    """Three refusals are byte for byte those that were recorded."""
    assert raw.post(backend, model="gpt-4o").json() == fixture("400_model_not_supported.json")
    assert raw.post(backend, temperature=1).json() == fixture("400_unsupported.json")
    assert raw.post(backend, input=None).json() == fixture("400_invalid_request.json")


@pytest.mark.parametrize(("items", "word"), [([CALL], "No tool output"), ([OUTPUT], "No tool call")])
def test_unpaired_tool_items_are_refused(raw, backend, items, word):
    """A call without its output, or the reverse, is a mistake of the client."""
    reply = raw.post(backend, input=items)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith(word)


def test_developer_message_replaces_instructions(raw, backend):
    """Recent official clients send their prompt that way."""
    assert raw.post(backend, instructions=None, input=[DEVELOPER, *body()["input"]]).status_code == 200


@pytest.mark.parametrize("header", [None, "", "Basic x", "Bearer"])
def test_bearer_is_needed(raw, backend, header):
    """Without a bearer everything is 401, also what does not exist."""
    for path in ("/backend-api/codex/models", "/v1/models", "/nothing"):
        headers = {"authorization": header or ""}
        reply = raw.get(backend, path, headers=headers)
        assert (reply.status_code, reply.json()) == (401, fixture("401.json"))


def test_expired_and_revoked_tokens_are_refused(raw, backend):
    """A token whose time is over, or that was revoked, is told apart from a missing one."""
    live = backend.state.tokens.issue()["access_token"]
    assert raw.get(backend, "/v1/models", headers={"authorization": f"Bearer {live}"}).status_code == 200
    backend.state.tokens.revoke(live)
    for token in (live, jwt.encode({"exp": 1})):
        reply = raw.get(backend, "/v1/models", headers={"authorization": f"Bearer {token}"})
        assert (reply.status_code, reply.json()) == (401, fixture("401_token_invalidated.json"))


def test_unknown_path_is_not_found(raw, backend):
    """The rest of the service is not here."""
    reply = raw.get(backend, "/backend-api/ps/plugins/installed")
    assert (reply.status_code, reply.json()) == (404, fixture("404.json"))


def test_websocket_form_is_turned_away(raw, backend):
    """Clients that get 426 post instead."""
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    assert raw.get(backend, RESPONSES, headers=upgrade).status_code == 426
    assert raw.get(backend, RESPONSES).status_code == 405


def test_undecodable_bodies_are_refused(raw, backend):
    """What is no JSON object is a client's mistake, not ours."""
    for content in (b"", b"{", b"[]", b"\xff"):
        assert raw.http.post(backend.url + RESPONSES, content=content).status_code == 400


def test_gzip_body_is_read(raw, backend):
    """A compressed body means what it held."""
    packed = gzip.compress(json.dumps(body()).encode())
    reply = raw.http.post(backend.url + RESPONSES, content=packed, headers={"content-encoding": "gzip"})
    assert reply.status_code == 200
    assert backend.requests[-1].body == body()
    broken = raw.http.post(backend.url + RESPONSES, content=b"no", headers={"content-encoding": "gzip"})
    assert broken.status_code == 400


def test_a_zstd_body_is_read(raw, backend):
    """The official client sends large ones so."""
    packed = _zstd(json.dumps(body()).encode())
    reply = raw.http.post(backend.url + RESPONSES, content=packed, headers={"content-encoding": "zstd"})
    assert reply.status_code == 200


def _zstd(data):
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.compress(data)
