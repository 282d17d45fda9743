"""One retry policy: what is sent again, when, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from codex_nb.errors import APIConnectionError, CodexError, InternalServerError, RateLimitError, UsageLimitReached
from codex_nb.wire.call import Call, Pause
from codex_nb.wire.failures import Failure, status_error, wait

if TYPE_CHECKING:
    from codex_nb.wire.call import Flow, Reply

__all__ = ["Retry", "retrying"]

T = TypeVar("T")

# Seconds; a service that asks for more is not waited for.
LONGEST_WAIT: Final = 60.0
FIRST_WAIT: Final = 0.5
BACKOFF_LIMIT: Final = 8.0


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is sent again when nothing of its answer came.

    Connections that fail and replies 429 and 5xx are; a time-out is not (each would cost the whole silence), a
    spent quota is not (only time heals it), and once an answer began nothing is.
    """

    max_retries: int = 2

    def delay(self, error: CodexError, attempt: int, asked: float | None) -> float | None:
        """Return the seconds to wait before attempt ``attempt + 1``, or None to give up.

        ``attempt`` counts from 0, ``asked`` is the wait that the service named.
        """
        if attempt >= self.max_retries or isinstance(error, UsageLimitReached):
            return None
        lost = isinstance(error, APIConnectionError) and error.repeatable
        if not lost and not isinstance(error, (RateLimitError, InternalServerError)):
            return None
        if asked is None:
            return min(FIRST_WAIT * 2.0**attempt, BACKOFF_LIMIT)
        return asked if asked <= LONGEST_WAIT else None


def retrying(flow: Flow[T], policy: Retry) -> Flow[T]:
    """Wrap ``flow``: each call it makes is sent again as ``policy`` says, and a status it did not ask for is raised."""
    outcome: Any = None
    failed: CodexError | None = None
    try:
        while True:
            step = flow.throw(failed) if failed else flow.send(outcome)
            failed = None
            try:
                outcome = (yield from _attempts(step, policy)) if isinstance(step, Call) else (yield step)
            except CodexError as error:
                failed = error
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        flow.close()


def _attempts(call: Call, policy: Retry) -> Flow[Reply]:
    for attempt in count():
        error, asked = None, None
        try:
            reply: Reply = yield call
        except APIConnectionError as lost:
            error = lost
        else:
            if reply.status < 300 or reply.status in call.also_fine:
                return reply
            error, asked = status_error(reply), wait(reply, Failure.of(reply))
        delay = policy.delay(error, attempt, asked)
        if delay is None:
            raise error
        yield Pause(delay)
    raise AssertionError  # `count` has no end
