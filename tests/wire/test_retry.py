"""The retry policy, and the flow around flows, driven by hand: no clock, no network."""

import pytest

from codex_nb import errors
from codex_nb.wire.call import Call, Pause, Reply
from codex_nb.wire.retry import Retry, retrying

CALL = Call("GET", "codex/models")


def reply(status, content=b"", **headers):
    """Return a reply."""
    return Reply(status, {name.replace("_", "-"): v for name, v in headers.items()}, "http://host/x", 0.0, content)


def lost(kind=errors.APIConnectionError, *, repeatable=True):
    """Return a connection error."""
    return kind("Lost.", hint="Try again.", repeatable=repeatable)


def drive(outcomes, *, max_retries=2, call=CALL):
    """Feed a flow that makes one call; return the pauses it asked for and what came of it."""

    def endpoint():
        return (yield call)

    flow = retrying(endpoint(), Retry(max_retries))
    outcomes, pauses = iter(outcomes), []
    step = next(flow)
    try:
        while True:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                step = flow.send(None)
                continue
            assert step is call
            outcome = next(outcomes)
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
    except StopIteration as end:
        return pauses, end.value.status
    except errors.CodexError as error:
        return pauses, type(error)


@pytest.mark.parametrize(
    ("outcomes", "pauses", "end"),
    [
        ([reply(200)], [], 200),
        ([reply(503), reply(200)], [0.5], 200),
        ([reply(500), reply(502), reply(529)], [0.5, 1.0], errors.InternalServerError),
        ([reply(503, retry_after="7"), reply(200)], [7.0], 200),
        ([reply(429), reply(200)], [0.5], 200),
        ([reply(429, retry_after="60"), reply(200)], [60.0], 200),
        ([reply(429, retry_after="60.1")], [], errors.RateLimitError),
        ([reply(429, b'{"error":{"message":"try again in 250ms"}}'), reply(200)], [0.25], 200),
        ([reply(429, b'{"error":{"type":"usage_limit_reached","resets_in_seconds":1}}')], [], errors.UsageLimitReached),
        ([lost(), lost(), reply(200)], [0.5, 1.0], 200),
        ([lost(), lost(), lost()], [0.5, 1.0], errors.APIConnectionError),
        ([lost(repeatable=False)], [], errors.APIConnectionError),
        ([lost(errors.APITimeoutError, repeatable=False)], [], errors.APITimeoutError),
        ([lost(), reply(429, retry_after="0"), reply(500)], [0.5, 0.0], errors.InternalServerError),
        ([reply(302)], [], errors.APIStatusError),
        ([reply(400)], [], errors.BadRequestError),
        ([reply(401)], [], errors.SignInExpired),
        ([reply(403)], [], errors.PermissionDeniedError),
        ([reply(404)], [], errors.NotFoundError),
    ],
)
def test_what_is_sent_again_and_after_which_wait(outcomes, pauses, end):
    """The service's word counts before our own; waits double, and more than a minute is not waited."""
    assert drive(outcomes) == (pauses, end)


def test_no_retries_means_one_request():
    """Every failure is raised at once."""
    for outcome in (reply(500), reply(429, retry_after="0"), lost()):
        assert drive([outcome], max_retries=0)[0] == []


def test_waits_do_not_grow_without_end():
    """However many retries are allowed."""
    pauses, _ = drive([reply(503)] * 9, max_retries=8)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]


def test_a_status_that_the_flow_asked_for_is_its_own():
    """304 is no failure to who sent a tag."""
    call = Call("GET", "codex/models", also_fine=frozenset({304}))
    assert drive([reply(304)], call=call) == ([], 304)
    assert drive([reply(304)]) == ([], errors.APIStatusError)


def test_a_flow_can_catch_what_became_of_its_call():
    """The error arrives where the call was made, and the flow goes on."""

    def endpoint():
        try:
            yield CALL
        except errors.NotFoundError:
            reply = yield CALL
            return reply.status

    flow = retrying(endpoint(), Retry())
    assert next(flow) is CALL
    assert flow.send(reply(404)) is CALL
    with pytest.raises(StopIteration) as end:
        flow.send(reply(200))
    assert end.value.value == 200
