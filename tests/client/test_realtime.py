"""Realtime calls, and what a program needs to open a realtime socket by itself."""

import json
import logging
import uuid
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import BaseModel

from codex_nb import Bearer, CodexAuth, Session, errors
from codex_nb.local import Fault, Script
from tests.local.test_realtime import CALLS, OFFER

KEY = "sk-made-up-0123456789abcdef"
ANSWER = "v=0\r\ns=-\r\n"


@pytest.fixture
def backend(make_backend):
    """Return a backend that answers calls."""
    return make_backend(Script())


def call(face, backend, **options):
    """Open a call by one session's face."""
    return face.run(backend, lambda one: one.realtime.calls.create(sdp=OFFER, **options))


def answered(backend, **options):
    """Lay an answer of another kind."""
    fields = {"status": 201, "body": ANSWER, "content_type": "application/sdp", "location": "/v1/live/rtc_1"} | options
    location = fields.pop("location")
    headers = {} if location is None else {"location": location}
    backend.inject(Fault.reply(fields.pop("status"), fields.pop("body"), headers=headers, **fields).on(CALLS, "POST"))


def test_an_offer_goes_alone(face, backend, tmp_path):
    """As SDP, and as SDP comes the answer."""
    found = call(face, backend)
    request = backend.requests[-1]
    assert request.content == OFFER.encode()
    assert request.headers["content-type"] == request.headers["accept"] == "application/sdp"
    assert found.text.startswith("v=0\r\n")
    assert found.content == found.read() == found.text.encode()
    assert list(backend.state.calls) == [found.call_id]
    found.write_to_file(tmp_path / "answer.sdp")
    assert (tmp_path / "answer.sdp").read_bytes() == found.content
    assert repr(found) == f"RealtimeCall(call_id={found.call_id!r})"


def test_a_session_goes_in_the_present_form(face, backend):
    """JSON, with the query and the headers that the service asks for."""
    session = {"model": "gpt-live-1-codex", "audio": {"output": {"voice": "marin"}}}
    found = call(face, backend, session=session)
    request = backend.requests[-1]
    assert json.loads(request.content) == {"sdp": OFFER, "session": session}
    assert dict(parse_qsl(request.query)) == {"intent": "quicksilver", "architecture": "avas"}
    assert request.headers["openai-alpha"] == "quicksilver=v2"
    assert uuid.UUID(request.headers["session-id"]) == uuid.UUID(request.headers["thread-id"])
    assert backend.state.calls == {found.call_id: session}


def test_an_older_kind_of_session_is_told_apart(face, backend):
    """By its type."""
    call(face, backend, session={"type": "quicksilver"})
    assert backend.requests[-1].headers["openai-alpha"] == "quicksilver=v1"


def test_a_session_may_be_a_model(face, backend):
    """What is not set is not sent."""

    class Wanted(BaseModel):
        model: str
        instructions: str | None = None
        audio: dict[str, Any] = {}

    call(face, backend, session=Wanted(model="gpt-live-1.1"))
    assert json.loads(backend.requests[-1].content)["session"] == {"model": "gpt-live-1.1"}


def test_extras_stand_where_they_are_said(face, backend):
    """Fields beside ``sdp``, headers and query; they win over what would be sent."""
    answered(backend)
    extras = {"extra_body": {"phase": 1}, "extra_query": {"intent": "x"}, "extra_headers": {"OpenAI-Alpha": "y"}}
    call(face, backend, session={}, **extras)
    request = backend.requests[-1]
    assert json.loads(request.content) == {"sdp": OFFER, "session": {}, "phase": 1}
    assert dict(parse_qsl(request.query)) == {"intent": "x", "architecture": "avas"}
    assert request.headers["openai-alpha"] == "y"
    answered(backend)
    call(face, backend, extra_body={"phase": 2})
    assert json.loads(backend.requests[-1].content) == {"sdp": OFFER, "phase": 2}
    assert backend.requests[-1].query == ""


@pytest.mark.parametrize(
    ("location", "call_id"),
    [
        ("/v1/realtime/calls/rtc_test", "rtc_test"),
        ("/v1/realtime/calls/calls/rtc_test?x=1/2", "rtc_test"),
        ("https://api.openai.com/v1/live/rtc_a-b", "rtc_a-b"),
        ("/v1/live/0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ],
)
def test_the_id_is_the_last_part_of_the_location(face, backend, location, call_id):
    """Whatever stands before it, or after a question mark."""
    answered(backend, location=location)
    assert call(face, backend).call_id == call_id


@pytest.mark.parametrize(
    "options",
    [
        {"location": None},
        {"location": ""},
        {"location": "/v1/live/rtc_"},
        {"location": "/v1/live/other"},
        {"location": "/v1/live/rtc_1/"},
        {"location": "/v1/live/rtc_..%2f"},
        {"location": "/v1/live/0f8fad5bd9cb469fa16570867728950e----"},
        {"location": "/v1/live/rtc_" + "x" * 300},
        {"body": ""},
        {"body": "<html>Sign in</html>", "content_type": "text/html"},
        {"body": '{"sdp": "v=0"}', "content_type": "application/json"},
    ],
    ids=str,
)
def test_a_reply_that_is_no_call_is_an_error(face, backend, options):
    """Without an answer or without an id there is no call to speak in."""
    answered(backend, **options)
    with pytest.raises(errors.MalformedStream) as caught:
        call(face, backend)
    assert caught.value.hint


def test_what_the_service_refuses_is_told(face, backend):
    """In its words."""
    with pytest.raises(errors.BadRequestError, match="Model not found"):
        call(face, backend, session={"model": "gpt-5.4"})


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"session": {"id": "sess_1"}}, errors.UnsupportedParameter),
        ({"session": "gpt-live-1-codex"}, errors.InvalidOption),
        ({"session": ["x"]}, errors.InvalidOption),
    ],
)
def test_a_session_that_is_none_is_refused_before_anything_is_sent(face, backend, options, error):
    """And so is an id of one's own."""
    with pytest.raises(error):
        call(face, backend, **options)
    with pytest.raises(errors.InvalidOption):
        face.run(backend, lambda one: one.realtime.calls.create(sdp=""))
    assert backend.requests == []


def test_the_sockets_address_is_the_platforms():
    """Of the service, and of any other backend."""
    for one in (Session("chatgpt"), Session("chatgpt").aio):
        url = one.realtime_websocket_url(model="gpt-realtime 2&x")
        assert url == "wss://api.openai.com/v1/realtime?model=gpt-realtime+2%26x"
    assert Session("http://127.0.0.1:8/v1").realtime_websocket_url(model="m") == "ws://127.0.0.1:8/v1/realtime?model=m"
    with pytest.raises(errors.InvalidOption):
        Session("chatgpt").realtime_websocket_url(model="")


@pytest.mark.parametrize(
    "content",
    [
        {"OPENAI_API_KEY": KEY},
        {"openai_api_key": KEY, "tokens": {"access_token": "made-up"}},
        {"OPENAI_API_KEY": KEY, "auth_mode": "chatgpt", "tokens": {"access_token": "made-up"}},
    ],
)
def test_the_sockets_headers_hold_the_stored_key(tmp_path, content, caplog, capsys):
    """Wherever it stands in the login file; nothing of this package shows it."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "auth.json"
    path.write_text(json.dumps(content))
    session = Session("chatgpt", auth=CodexAuth(path))
    for one in (session, session.aio):
        found = one.realtime_websocket_headers(session_id="any")
        assert found == {"Authorization": f"Bearer {KEY}", "OpenAI-Beta": "realtime=v1"}
    shown = [repr(session), repr(session.aio), repr(session.auth), caplog.text, *capsys.readouterr()]
    assert not any(KEY[5:] in text for text in shown)


def test_a_bearer_may_be_a_platform_key():
    """One that looks like it."""
    found = Session("chatgpt", auth=Bearer(KEY)).realtime_websocket_headers()
    assert found["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "content", ['{"tokens": {"access_token": "made-up"}}', '{"OPENAI_API_KEY": 5}', "no JSON", None]
)
def test_without_a_stored_key_there_are_no_headers(tmp_path, content):
    """The error says how to get one."""
    path = tmp_path / "auth.json"
    if content is not None:
        path.write_text(content)
    for auth in (CodexAuth(path), Bearer("made-up")):
        with pytest.raises(errors.NotSignedIn) as caught:
            Session("chatgpt", auth=auth).realtime_websocket_headers()
        assert caught.value.reason == "no_api_key"
        assert "Sign in again" in caught.value.hint
    with pytest.raises(errors.NotSignedIn):
        Session("http://127.0.0.1:8/v1").realtime_websocket_headers()
