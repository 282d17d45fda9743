"""Numbers that no honest server sends: they are passed over, wherever they stand."""

import math

import pytest

from codex_nb import errors
from codex_nb.wire.call import Reply
from codex_nb.wire.failures import status_error
from codex_nb.wire.headers import quota
from codex_nb.wire.json import as_number
from codex_nb.wire.sse import SSEDecoder

HUGE = "9" * 400
NUMBERS = [HUGE, "-" + HUGE, "1e999", "-1e999", "NaN", "1e300", "-1", "253402300800", "true", '"12"', "null"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", ["resets_at", "resets_in_seconds"])
def test_a_reset_time_that_is_none_is_left_out(field, number):
    """The error stays what it is."""
    body = f'{{"error": {{"type": "usage_limit_reached", "{field}": {number}}}}}'.encode()
    error = status_error(Reply(429, {}, "http://host/x", 1.8e9, body))
    assert type(error) is errors.UsageLimitReached
    assert error.resets_at is None or error.resets_at.tzinfo is not None
    assert error.retry_after is None or error.retry_after >= 0


def test_only_what_a_float_holds_is_a_number():
    """Neither a flag nor a number of four hundred digits is one."""
    assert [as_number(value) for value in (1, 1.5, True, None, "1", int(HUGE), -int(HUGE))] == [1, 1.5, *[None] * 5]
    assert math.isnan(as_number(math.nan))


@pytest.mark.parametrize("text", [HUGE, "-5", "1e5", "nan", "inf", "٤٢", "²", "", " 7 ", "0x1"])
def test_a_quota_header_that_is_no_number_is_passed_over(text):
    """Each of the three alone, and all together."""
    names = [f"x-codex-primary-{field}" for field in ("used-percent", "window-minutes", "reset-at")]
    for headers in (dict.fromkeys(names, text), *({names[0]: "5", name: text} for name in names[1:])):
        for window in quota(headers):
            assert math.isfinite(window.used)


@pytest.mark.parametrize("text", [HUGE, "9" * 5_000, "-1", "1.5", "x", "", "²"])
def test_a_retry_field_that_is_no_number_is_passed_over(text):
    """A decoder that reads digits must not trip over too many."""
    decoder = SSEDecoder()
    assert [event.data for event in decoder.feed(f"retry: {text}\ndata: x\n\n".encode())] == [b"x"]
    assert decoder.retry is None


@pytest.mark.parametrize("text", [HUGE, "-5", "1e5", "soon", "Sat, 99 Foo 2026 99:99:99 GMT", "Sat, 24 Oct 99999", ""])
def test_a_wait_that_is_none_is_no_wait(text):
    """The reply is an error all the same."""
    for headers in ({"retry-after": text}, {"retry-after": "Sat, 24 Oct 2026 12:00:30 GMT", "date": text}):
        error = status_error(Reply(429, headers, "http://host/x", 1.8e9, b""))
        assert error.retry_after is None or 0 <= error.retry_after < math.inf
