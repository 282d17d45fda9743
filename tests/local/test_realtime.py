"""Realtime calls on the embedded backend: an offer in, an answer and an id out."""

import uuid

import pytest

CALLS = "/backend-api/codex/realtime/calls"
SDP = {"content-type": "application/sdp", "accept": "application/sdp"}
NEWEST = {"intent": "quicksilver", "architecture": "avas"}
OFFER = "\r\n".join(
    [
        *("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"),
        *("m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendonly", "a=setup:actpass"),
        *("a=ice-ufrag:mine", "a=ice-pwd:alsomine", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2"),
        *("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:1", "a=setup:actpass", "a=sctp-port:5000", ""),
    ]
)


def who():
    """Return the headers that the newest form needs."""
    return {"openai-alpha": "quicksilver=v2", "session-id": str(uuid.uuid4()), "thread-id": str(uuid.uuid4())}


def call(raw, backend, session=None, **options):
    """Open a call with a session."""
    return raw.http.post(backend.url + CALLS, json={"sdp": OFFER, "session": session or {}}, **options)


def test_a_bare_offer_is_answered(raw, backend):
    """201, a description that turns the offer around, and the id in the location."""
    reply = raw.http.post(backend.url + CALLS, content=OFFER, headers=SDP)
    assert (reply.status_code, reply.headers["content-type"]) == (201, "application/sdp")
    call_id = reply.headers["location"].rpartition("/")[2]
    assert reply.headers["location"].startswith("/v1/realtime/calls/rtc_")
    assert backend.state.calls == {call_id: {}}
    lines = reply.text.split("\r\n")
    assert lines[0] == "v=0"
    assert [line for line in lines if line.startswith("m=")] == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    ]
    for line in ("a=group:BUNDLE 0 1", "a=recvonly", "a=setup:active", "a=mid:1", "a=sctp-port:5000"):
        assert line in lines
    assert "a=ice-ufrag:mine" not in lines


def test_each_call_has_its_own_id(raw, backend):
    """Also for one offer twice."""
    places = {raw.http.post(backend.url + CALLS, content=OFFER, headers=SDP).headers["location"] for _ in range(3)}
    assert len(places) == 3


def test_a_session_is_kept(raw, backend):
    """The older form with a session, and the newest with its headers and query."""
    session = {"model": "gpt-live-1-codex", "instructions": "Be kind.", "audio": {"output": {"voice": "marin"}}}
    assert call(raw, backend, session).status_code == 201
    assert call(raw, backend, session, params=NEWEST, headers=who()).status_code == 201
    assert list(backend.state.calls.values()) == [session, session]


@pytest.mark.parametrize(
    ("changes", "params", "param"),
    [
        ({"session-id": "not-one"}, NEWEST, "session-id"),
        ({"thread-id": ""}, NEWEST, "thread-id"),
        ({}, {}, "intent"),
        ({}, {"intent": "quicksilver"}, "architecture"),
    ],
)
def test_the_newest_form_needs_all_of_it(raw, backend, changes, params, param):
    """Two ids, two words in the query."""
    reply = call(raw, backend, headers=who() | changes, params=params)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        ({"sdp": OFFER, "phase": 1}, 400, "Unknown parameter: phase"),
        ({"sdp": OFFER, "session": {"id": "x"}}, 400, "Unknown parameter: session.id"),
        ({"sdp": OFFER, "session": {"model": "gpt-1"}}, 400, "Model not found"),
        ({"sdp": OFFER, "session": []}, 400, "expected an object"),
        ({"session": {}}, 400, "Missing required parameter: 'sdp'."),
        ([], 400, "Missing required parameter: 'sdp'."),
        ({"sdp": "hello"}, 400, "Invalid SDP offer."),
        ({"sdp": "v=0\r\nm\r\n"}, 400, "Invalid SDP offer."),
    ],
)
def test_refusals(raw, backend, content, status, said):
    """In the words that are on record, where there are any."""
    reply = raw.http.post(backend.url + CALLS, json=content)
    assert reply.status_code == status
    assert said in reply.json()["error"]["message"]
    assert backend.state.calls == {}


def test_another_content_is_not_taken(raw, backend):
    """Neither SDP nor JSON."""
    assert raw.http.post(backend.url + CALLS, data={"sdp": OFFER}).status_code == 415
