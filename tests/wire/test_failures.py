"""What a failure on the wire means."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb import errors
from codex_nb.wire.call import Reply
from codex_nb.wire.failures import Failure, event_error, status_error, wait
from codex_nb.wire.headers import quota

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOW = 1_792_843_200.0


def reply(status, content=b"", **headers):
    """Return a reply with this body and these headers (underscores for dashes)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, "https://host.example/path", NOW, content)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("400_unsupported.json", errors.BadRequestError, None),
        ("400_model_not_supported.json", errors.BadRequestError, None),
        ("400_invalid_request.json", errors.BadRequestError, "missing_required_parameter"),
        ("401.json", errors.SignInExpired, None),
        ("401_token_invalidated.json", errors.SignInExpired, "token_invalidated"),
        ("402_deactivated_workspace.json", errors.PermissionDeniedError, "deactivated_workspace"),
        ("403.html", errors.CloudflareChallenge, None),
        ("404.json", errors.NotFoundError, None),
        ("413_audio.json", errors.BadRequestError, "server_error"),
        ("429_usage_limit.json", errors.UsageLimitReached, "usage_limit_reached"),
        ("429_usage_not_included.json", errors.UsageLimitReached, "usage_not_included"),
        ("429_rate_limit.json", errors.RateLimitError, "rate_limit_exceeded"),
        ("503_overloaded.json", errors.InternalServerError, "server_is_overloaded"),
    ],
)
def test_recorded_bodies_are_their_exact_errors(name, kind, code):
    """With a hint, the status, and a message that is not the whole body."""
    error = status_error(reply(int(name[:3]), (FIXTURES / name).read_bytes(), x_request_id="req_1"))
    assert type(error) is kind
    assert (error.status_code, error.code, error.request_id) == (int(name[:3]), code, "req_1")
    assert error.hint
    assert len(error.message) < 450
    assert "<" not in error.message


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry_after": "7"}, "", 7.0),
        ({"retry_after": "0.5"}, "", 0.5),
        ({"retry_after": "Sat, 24 Oct 2026 12:01:00 GMT", "date": "Sat, 24 Oct 2026 12:00:00 GMT"}, "", 60.0),
        ({"retry_after": "Sat, 24 Oct 2026 12:00:30 GMT"}, "", 30.0),
        ({"retry_after": "Sat, 24 Oct 2020 12:00:30 GMT"}, "", 0.0),
        ({"retry_after": "soon"}, "Please try again in 1.5s.", 1.5),
        ({}, f"Please try again in {'9' * 400}s.", None),
        ({}, "try again in 250ms", 0.25),
        ({}, "Try again in 3 seconds", 3.0),
        ({}, "later", None),
    ],
)
def test_the_wait_is_read_in_every_form(headers, message, seconds):
    """Seconds, a date measured by the reply's own clock, or words."""
    assert wait(reply(429, **headers), Failure({"error": {"message": message}})) == seconds


@pytest.mark.parametrize(
    ("headers", "said"), [({"retry_after": "20"}, "20 s"), ({"retry_after": "0.2"}, "1 s"), ({}, "a")]
)
def test_too_many_requests_say_how_long_to_wait(headers, said):
    """As far as the service tells it."""
    assert status_error(reply(429, **headers)).hint.startswith(f"Wait {said} ")


def test_the_words_of_the_service_end_before_the_hint_begins():
    """With a full stop, whether it wrote one or not."""
    for said in (b"Invalid cursor", b"Invalid cursor."):
        error = status_error(reply(400, b'{"detail": "%s"}' % said))
        assert "Invalid cursor. Check the request" in str(error)
    assert str(errors.CodexError("Stopped")) == "Stopped"


@given(st.integers(300, 599), st.binary(max_size=400), st.text(max_size=20))
def test_any_body_is_an_error_with_a_short_message(status, content, kind):
    """Whatever a server answers with."""
    error = status_error(reply(status, content, content_type=kind))
    assert isinstance(error, errors.APIStatusError)
    assert error.hint
    assert len(error.message) < 450
    assert all(c.isprintable() for c in error.message)


@pytest.mark.parametrize(
    "secret", ["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "sk-proj-0123456789abcdef", "Bearer abcdefgh12345"]
)
def test_credentials_in_a_body_are_hidden(secret):
    """Also ones that were never ours."""
    error = status_error(reply(400, f'{{"detail": "rejected {secret}"}}'.encode()))
    assert secret not in error.message + error.body
    assert "[hidden]" in error.message


@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda x: st.dictionaries(st.sampled_from(["error", "code", "message", "type", "response", "resets_at"]), x),
    )
)
def test_any_error_event_is_an_error(event):
    """Fields of any shape."""
    error = event_error(event if isinstance(event, dict) else {}, partial="so far", at=NOW)
    assert error.partial == "so far"


def test_quota_headers_are_read_whatever_the_windows_are():
    """A weekly primary alone, with zeros and an empty time for the second; another family beside it."""
    windows = quota(
        {
            "x-codex-primary-used-percent": "41",
            "x-codex-primary-window-minutes": "10080",
            "x-codex-primary-reset-at": "1793231200",
            "x-codex-secondary-used-percent": "0",
            "x-codex-secondary-window-minutes": "0",
            "x-codex-secondary-reset-at": "",
            "x-codex-bengalfox-primary-used-percent": "7.5",
            "x-codex-bengalfox-primary-window-minutes": "nonsense",
        }
    )
    assert windows == [("codex", "primary", 41.0, 10080, 1793231200.0), ("codex-bengalfox", "primary", 7.5, None, None)]
