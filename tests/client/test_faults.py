"""Every fault at every kind of endpoint, on both faces: its exact error, how often it was asked, and nothing left."""

import logging
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest
from pydantic import BaseModel

from codex_nb import errors
from codex_nb.local import Fault, Script, Turn
from tests.client.both import busy, got, tell
from tests.conftest import TOKEN

SILENCE = 0.7
# A silence of this length is never waited out; the bound tells a time-out from a wait.
LONG = 60
PAGE = "<!DOCTYPE html><html><body>Sign in to the network</body></html>"


FINE = [Turn(text='{"word": "fine"}')] * 3
SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
TASK = "task_e_6abc0000000000000000000000000001"


class Word(BaseModel):
    """What is asked for."""

    word: str


@dataclass(frozen=True)
class Expected:
    """What comes of a fault. ``error`` None: it is got over. With one retry allowed, ``requests`` are made."""

    error: type | None
    requests: int = 1
    message: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A kind of endpoint: how it is called, where its request goes, and what turns an answer that streams plays."""

    call: object
    path: str
    method: str = "POST"
    turns: list | None = None


ANSWERS = "*/responses"
ENDPOINTS = {
    "a list": Endpoint(lambda one: one.models.list(refresh=True), "*/models", "GET"),
    "an object": Endpoint(lambda one: one.codex.usage(), "*/usage", "GET"),
    "a page": Endpoint(lambda one: one.codex.tasks.list(), "*/tasks/list", "GET"),
    "an id": Endpoint(lambda one: one.codex.tasks.retrieve(TASK), f"*/tasks/{TASK}", "GET"),
    "vectors": Endpoint(lambda one: one.embeddings.create(input="x", model="text-embedding-3-small"), "*/embeddings"),
    "a file, announced": Endpoint(lambda one: one.files.upload(b"x", name="x.txt"), "*/files"),
    "a file, finished": Endpoint(lambda one: one.files.upload(b"x", name="x.txt"), "*/uploaded"),
    "a call": Endpoint(lambda one: one.realtime.calls.create(sdp=SDP), "*/realtime/calls"),
    "an answer, collected": Endpoint(lambda one: one.responses.create(input="x"), ANSWERS, turns=FINE),
    "an answer, streamed": Endpoint(lambda one: one.responses.stream(input="x").final(), ANSWERS, turns=FINE),
    "an answer, parsed": Endpoint(lambda one: one.responses.parse(input="x", text_format=Word), ANSWERS, turns=FINE),
    "a short form": Endpoint(lambda one: one.responses.compact(input="x"), ANSWERS, turns=[]),
}

# Fault -> what it is at an endpoint that answers with one JSON object.
FAULTS = {
    "a burst of 503": (Fault.server_error(503), Expected(None, 2)),
    "500 that stays": (Fault.server_error(500, times=None), Expected(errors.InternalServerError, 2)),
    "429 without a wait": (Fault.throttled(), Expected(None, 2)),
    "429 with seconds": (Fault.throttled(0), Expected(None, 2)),
    "429 with a date": (Fault.throttled(datetime.now(UTC) - timedelta(seconds=5)), Expected(None, 2)),
    "429 that stays": (Fault.throttled(0, times=None), Expected(errors.RateLimitError, 2)),
    "429 for longer than a minute": (Fault.throttled(90), Expected(errors.RateLimitError)),
    "a spent quota": (Fault.usage_limit(), Expected(errors.UsageLimitReached)),
    "the guard's web page": (Fault.cloudflare(), Expected(errors.CloudflareChallenge)),
    "a login that is over": (Fault.reply(401, {"detail": "Unauthorized"}, times=None), Expected(errors.SignInExpired)),
    "denied": (Fault.reply(403, {"detail": "Forbidden"}), Expected(errors.PermissionDeniedError)),
    "a bad request": (Fault.reply(400, {"detail": "Unsupported parameter: x"}), Expected(errors.BadRequestError)),
    "not found": (Fault.reply(404, {"detail": "Not Found"}), Expected(errors.NotFoundError)),
    "a redirect": (Fault.redirect("http://127.0.0.1:9/elsewhere"), Expected(errors.APIStatusError)),
    "dropped before the headers": (Fault.drop(), Expected(None, 2)),
    "reset before the headers": (Fault.drop(cut="reset"), Expected(None, 2)),
    "dropped each time": (Fault.drop(times=None), Expected(errors.APIConnectionError, 2)),
    "silence before the headers": (Fault.silence(LONG), Expected(errors.APITimeoutError, 1, "sent nothing for")),
    "a web page": (Fault.reply(200, PAGE), Expected(errors.MalformedStream)),
    "nothing at all": (Fault.reply(200, b"", content_type="application/json"), Expected(errors.MalformedStream)),
    "half of a JSON object": (
        Fault.reply(200, b'{"models": [{"slug": "a"', content_type="application/json"),
        Expected(errors.MalformedStream),
    ),
    "gzip that is none": (
        Fault.reply(200, b"no gzip", headers={"content-encoding": "gzip"}),
        Expected(errors.MalformedStream),
    ),
    "cut inside the body": (Fault.cut_after(size=20), Expected(errors.APIConnectionError, 2)),
    "slow drips": (Fault.slow(64, 0.001), Expected(None)),
}
# The same at an endpoint that streams, where it is not the same: what began is never asked for again.
STREAMED = {
    "cut inside the body": Expected(errors.StreamInterrupted),
    "half of a JSON object": Expected(errors.MalformedStream),
}


async def outcome(call, one):
    """Return the error that a call ends in, None for a result."""
    try:
        await got(call(one))
    except errors.CodexError as error:
        return error
    return None


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_fault_is_its_exact_error(make_backend, face, endpoint, fault, monkeypatch, caplog):
    """The class, the number of requests, no wait, no token in anything shown, and a clean pool."""
    monkeypatch.setattr("codex_nb.wire.retry.FIRST_WAIT", 0.01)
    caplog.set_level(logging.DEBUG, "codex_nb")
    caplog.set_level(logging.INFO, "httpx")
    at = ENDPOINTS[endpoint]
    laid, expected = FAULTS[fault]
    if at.turns is not None:
        expected = STREAMED.get(fault, expected)
    times = 2 if fault == "cut inside the body" else laid.times
    backend = make_backend(Script(turns=at.turns or []))
    laid = laid.on(at.path, at.method)
    backend.inject(*[laid] * times if times else [laid])
    shown = []

    async def story(one):
        began = time.monotonic()
        error = await outcome(at.call, one)
        assert type(error) is (expected.error or type(None))
        assert time.monotonic() - began < LONG / 2
        assert busy(one) == []
        if error:
            assert error.hint
            assert expected.message in error.message
            shown.extend([str(error), repr(error), repr(vars(error))])
            shown.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))

    tell(face, backend, story, max_retries=1, timeout=SILENCE if "silence" in fault else 20)
    asked = [one for one in backend.requests if one.method == at.method and fnmatchcase(one.path, at.path)]
    assert len(asked) == expected.requests
    shown.extend(record.getMessage() for record in caplog.records)
    assert TOKEN[5:-5] not in "\n".join(shown)
