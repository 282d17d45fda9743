"""Faults: each one breaks what its name says, on the endpoint it is laid on, as often as it is told."""

import time
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from codex_nb.local import Fault, LocalBackend, Script, Turn
from tests.local.raw import text_of
from tests.waiting import until

MODELS = "/backend-api/codex/models"


def test_bursts_end(raw, backend):
    """A burst of two lets the third request through."""
    backend.inject(Fault.server_error(502, times=2))
    assert [raw.post(backend).status_code for _ in range(3)] == [502, 502, 200]


def test_faults_are_aimed(raw, backend):
    """A fault strikes one method and path, after those that are skipped."""
    backend.inject(Fault.server_error(skip=1).on("*/models", "GET"))
    assert raw.post(backend).status_code == 200
    assert [raw.get(backend, MODELS).status_code for _ in range(3)] == [200, 503, 200]


def test_faults_strike_in_order(raw, backend):
    """Several faults of one endpoint take turns."""
    backend.inject(Fault.reply(401, {"detail": "Unauthorized"}), Fault.throttled(), Fault.reply(500))
    assert [raw.post(backend).status_code for _ in range(4)] == [401, 429, 500, 200]
    backend.inject(Fault.reply(500, times=None))
    assert [raw.post(backend).status_code for _ in range(3)] == [500] * 3
    backend.state.faults.clear()
    assert raw.post(backend).status_code == 200


def test_fault_on_the_token_endpoint(raw, backend):
    """Any endpoint can fail, also the one without a bearer."""
    backend.inject(Fault.server_error().on("/oauth/token"))
    assert raw.http.post(backend.url + "/oauth/token", json={}).status_code == 503
    assert raw.http.post(backend.url + "/oauth/token", json={}).status_code == 400


def test_cloudflare_is_a_web_page(raw, backend):
    """The guard's 403 is HTML."""
    backend.inject(Fault.cloudflare())
    reply = raw.post(backend)
    assert reply.status_code == 403
    assert reply.headers["content-type"].startswith("text/html")
    assert "Cloudflare" in reply.text


def test_throttling_says_when(raw, backend):
    """Retry-After comes in seconds, as a date, or not at all."""
    later = datetime.now(UTC) + timedelta(seconds=30)
    backend.inject(Fault.throttled(1.5), Fault.throttled(later), Fault.throttled(), Fault.usage_limit(60))
    assert raw.post(backend).headers["retry-after"] == "1.5"
    date = parsedate_to_datetime(raw.post(backend).headers["retry-after"])
    assert abs(date - later) < timedelta(seconds=1)
    assert "retry-after" not in raw.post(backend).headers
    assert raw.post(backend).json()["error"]["resets_in_seconds"] == 60


@pytest.mark.parametrize(
    ("content", "kind"),
    [("<html>", "text/html; charset=utf-8"), ({"ok": 1}, "application/json"), (b"", None), ("plain", "text/plain")],
)
def test_success_that_is_no_stream(raw, backend, content, kind):
    """A 200 may hold a page, JSON or nothing."""
    backend.inject(Fault.reply(200, content))
    reply = raw.post(backend)
    assert reply.status_code == 200
    assert (reply.headers.get("content-type") or "").startswith(kind or "")


def test_redirect_to_another_host(raw, backend):
    """The location is where it is told to be."""
    backend.inject(Fault.redirect("http://localhost:1/elsewhere"))
    reply = raw.post(backend)
    assert (reply.status_code, reply.headers["location"]) == (307, "http://localhost:1/elsewhere")


def test_drop_sends_no_header(raw, backend):
    """The connection closes before the status line."""
    backend.inject(Fault.drop())
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        raw.post(backend)
    assert raw.post(backend).status_code == 200


def test_drop_by_reset(raw, backend):
    """A reset is an error of the socket."""
    backend.inject(Fault.drop(cut="reset"))
    with pytest.raises(httpx.ReadError):
        raw.post(backend)


def received(raw, backend):
    """Return what arrives before a stream breaks, and how it breaks."""
    content, error = b"", None
    try:
        with raw.stream(backend) as response:
            for chunk in response.iter_bytes():
                content += chunk
    except httpx.TransportError as broken:
        error = type(broken)
    return content, error


@pytest.mark.parametrize(
    ("how", "error"), [("clean", None), ("abrupt", httpx.RemoteProtocolError), ("reset", httpx.ReadError)]
)
def test_stream_is_cut_after_events(raw, backend, how, error):
    """Exactly so many events arrive, then the connection ends in the named way."""
    backend.inject(Fault.cut_after(5, how=how))
    content, broken = received(raw, backend)
    assert (content.count(b"\n\n"), broken) == (5, error)
    assert content.endswith(b"\n\n")
    assert until(lambda: backend.open_streams == 0)


@pytest.mark.parametrize("size", [1, 100, 2000])
def test_stream_is_cut_after_bytes(raw, backend, size):
    """Exactly so many bytes arrive, also inside an event."""
    backend.inject(Fault.cut_after(size=size))
    content, broken = received(raw, backend)
    assert (len(content), broken) == (size, httpx.RemoteProtocolError)


def test_cut_at_zero_sends_headers_only(raw, backend):
    """A stream may end before its first event."""
    backend.inject(Fault.cut_after(0, how="clean"))
    assert raw.post(backend).content == b""


def test_silence_before_the_headers(raw, backend):
    """The answer comes whole, only later."""
    backend.inject(Fault.silence(0.1))
    began = time.perf_counter()
    assert raw.post(backend).status_code == 200
    assert time.perf_counter() - began >= 0.1


def test_silence_in_the_stream_ends_with_the_client(raw, backend):
    """A stall is a read time-out for a client, and its leaving ends the stall."""
    backend.inject(Fault.silence(30, after_events=3))
    fields = {"model": "gpt-5.5", "input": "x", "stream": True}
    events = bytearray()
    with raw.http.stream("POST", backend.url + "/v1/responses", json=fields, timeout=0.5) as response:
        chunks = response.iter_bytes()
        with pytest.raises(httpx.ReadTimeout):
            deque(map(events.extend, chunks))
    assert events.count(b"\n\n") == 3
    assert until(lambda: backend.open_streams == 0)


def test_slow_drip_is_whole(raw):
    """A dripping answer takes its time and loses nothing."""
    with LocalBackend(Script.of("drip"), faults=[Fault.slow(500, 0.005)]) as backend:
        began = time.perf_counter()
        assert text_of(raw.post(backend).text) == "drip"
        assert time.perf_counter() - began > 0.03


def test_gzipped_stream_flushes_each_event(raw):
    """A compressed stream is readable as it comes."""
    turn = Turn(text=["first", "second"], pause=0.01)
    with LocalBackend(Script(turns=[turn]), faults=[Fault.gzipped()]) as backend, raw.stream(backend) as response:
        assert response.headers["content-encoding"] == "gzip"
        chunks = list(response.iter_bytes())
    assert len(chunks) > 3
    assert text_of(b"".join(chunks).decode()) == "firstsecond"


def test_replaced_body_can_be_cut(raw, backend):
    """Cuts work on any body, with its promised length too."""
    backend.inject(Fault.reply(200, {"models": []}, cut="abrupt", after_bytes=4))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        raw.post(backend)
