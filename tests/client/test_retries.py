"""What is sent again, and what is not."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script, Turn

ANSWERED = "answered"

CASES = {
    # The faults, the retries allowed, the error, the requests that arrive.
    "two 5xx": ([Fault.server_error(503, times=2)], 2, None, 3),
    "three 5xx": ([Fault.server_error(500, times=3)], 2, errors.InternalServerError, 3),
    "no retries asked for": ([Fault.server_error(503)], 0, errors.InternalServerError, 1),
    "429 that names no wait": ([Fault.throttled()], 1, None, 2),
    "429 with seconds": ([Fault.throttled(0)], 1, None, 2),
    "429 with a date": ([Fault.throttled(datetime.now(UTC) - timedelta(seconds=5))], 1, None, 2),
    "429 after its retries": ([Fault.throttled(0, times=2)], 1, errors.RateLimitError, 2),
    "429 for more than a minute": ([Fault.throttled(61)], 2, errors.RateLimitError, 1),
    "a spent quota": ([Fault.usage_limit()], 2, errors.UsageLimitReached, 1),
    "a bad request": ([Fault.reply(400, {"detail": "Unsupported parameter: x"})], 2, errors.BadRequestError, 1),
    "a web page of the guard": ([Fault.cloudflare()], 2, errors.CloudflareChallenge, 1),
    "a sign-in that is over": ([Fault.reply(401, {"detail": "Unauthorized"})], 2, errors.SignInExpired, 1),
    "dropped before the headers": ([Fault.drop()], 1, None, 2),
    "cut after the answer began": ([Fault.cut_after(6)], 2, errors.StreamInterrupted, 1),
    "silent before the headers": ([Fault.silence(30)], 2, errors.APITimeoutError, 1),
    "a redirect": ([Fault.redirect("http://localhost:9/elsewhere")], 2, errors.APIStatusError, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_requests_are_repeated_only_while_nothing_came(make_backend, face, name, monkeypatch):
    """The error and the number of requests, on both faces."""
    monkeypatch.setattr("codex_nb.wire.retry.FIRST_WAIT", 0.01)
    faults, retries, kind, requests = CASES[name]
    backend = make_backend(Script(turns=[Turn(text=ANSWERED)], faults=faults))
    if kind is None:
        assert face.answer(backend, streamed=False, max_retries=retries).output_text == ANSWERED
    else:
        with pytest.raises(kind) as caught:
            face.answer(backend, streamed=False, max_retries=retries, timeout=0.7 if "silen" in name else 5)
        assert type(caught.value) is kind
        assert caught.value.hint
    assert len(backend.requests) == requests


def test_a_refused_connection_is_tried_again_and_said_plainly(face, monkeypatch):
    """Nothing listens there; the host and port are named, without a path or a token."""
    monkeypatch.setattr("codex_nb.wire.retry.FIRST_WAIT", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(errors.APIConnectionError, match=f"Cannot connect to 127.0.0.1:{port}"):
        face.answer(f"http://127.0.0.1:{port}", streamed=False, max_retries=1)


def test_the_quota_error_says_plan_and_time(make_backend, face):
    """An aware time, the plan, and the seconds to wait."""
    backend = make_backend(Script(faults=[Fault.usage_limit(3300, plan="pro")]))
    with pytest.raises(errors.UsageLimitReached) as caught:
        face.answer(backend, streamed=True, max_retries=3)
    assert caught.value.plan == "pro"
    assert abs(caught.value.resets_at - datetime.now(UTC) - timedelta(seconds=3300)) < timedelta(seconds=30)
    assert caught.value.retry_after == pytest.approx(3300, abs=30)


def test_a_redirect_never_carries_the_login_elsewhere(make_backend, face):
    """The other server sees no request at all."""
    other = make_backend(Script())
    backend = make_backend(Script(faults=[Fault.redirect(f"{other.url}/backend-api/codex/responses")]))
    with pytest.raises(errors.APIStatusError, match="redirects"):
        face.answer(backend, streamed=False)
    assert other.requests == []
