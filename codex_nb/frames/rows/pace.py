"""When the next question may go out: after a pause that the service asked for, and not beyond a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from codex_nb.errors import CodexError, InvalidOption
from codex_nb.moments import timestamp

if TYPE_CHECKING:
    from codex_nb.client.budget import Meter

__all__ = ["Limits", "NotAsked", "Pace", "Until"]

Until: TypeAlias = datetime | timedelta | time_of_day | str

# Seconds that are waited when the service does not say how long, then twice as many, up to the longest.
FIRST_HOLD: Final = 2.0
LONGEST_HOLD: Final = 60.0
# Failures of the service, one after the other, after which it is not asked any more.
IN_A_ROW: Final = 12


class NotAsked(CodexError):
    """A question that did not go out, because the run stops."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a run stops: ``max_quota`` percent of the tightest window, ``until`` in epoch seconds."""

    max_quota: float | None = None
    until: float | None = None

    @classmethod
    def of(cls, max_quota: float | None = None, until: Until | None = None) -> Limits:
        """Return the limits; ``until`` is a moment, a time of day (``"17:30"``, the next one), or a span from now.

        Raises:
            InvalidOption: one of them is none.

        """
        if max_quota is not None and not (isinstance(max_quota, Real) and 0 < max_quota <= 100):
            raise InvalidOption("max_quota is a percentage above 0, up to 100.", hint="Example: max_quota=5.")
        return cls(max_quota, None if until is None else _moment(until))


def _moment(until: Until) -> float:
    try:
        if isinstance(until, str):
            until = time_of_day.fromisoformat(until) if len(until) <= len("17:30:00") else datetime.fromisoformat(until)
        if isinstance(until, timedelta):
            return time.time() + until.total_seconds()
        if isinstance(until, time_of_day):
            now = datetime.now(until.tzinfo)
            moment = datetime.combine(now.date(), until)
            until = moment if moment > now else moment + timedelta(days=1)
        return timestamp(until)
    except (ValueError, TypeError, OverflowError):
        raise InvalidOption(
            f"until is {str(until)[:40]!r}, which is no time.",
            hint='It is a datetime, a timedelta, or a text such as "17:30" or "2026-05-01 17:30".',
        ) from None


class Pace:
    """What the workers of one run share. ``stopped`` says why no more is asked, None while it is."""

    def __init__(self, limits: Limits, spent: Callable[[], float] = lambda: 0.0) -> None:
        self.limits, self.spent = limits, spent
        self.meter: Meter | None = None  # one that counts for longer than one run of this object
        self.stopped: str | None = None
        self.cause: CodexError | None = None
        self.halted = threading.Event()
        self.held_until = 0.0
        self._holds = self._failures = 0
        self._lock = threading.Lock()

    def lease(self) -> AbstractContextManager[Any]:
        """Return what is held while a question is under way, where others than this run's workers ask as well."""
        return nullcontext()

    def turn(self) -> None:
        """Wait until the next question may go out.

        Raises:
            NotAsked: none may any more.

        """
        while True:
            self._check()
            left = self.held_until - time.time()
            if left <= 0:
                return
            self.halted.wait(min(left, 1.0))

    def _check(self) -> None:
        most, until = self.limits.max_quota, self.limits.until
        if self.stopped is None and most is not None and (spent := self.spent()) >= most:
            self.stop(f"{spent:g} of {most:g} % of quota are used.")
        if self.stopped is None and until is not None and time.time() >= until:
            self.stop(f"It is {datetime.fromtimestamp(until).astimezone():%H:%M:%S}, the time to stop.")
        if self.stopped is not None:
            raise NotAsked(self.stopped)

    def hold(self, seconds: float | None) -> None:
        """Let nobody ask for so many seconds; without a number a little longer each time."""
        with self._lock:
            wait = min(FIRST_HOLD * 2.0**self._holds, LONGEST_HOLD) if seconds is None else seconds
            self._holds += 1
            self.held_until = max(self.held_until, time.time() + wait)

    def went_well(self) -> None:
        """Take note that the service answers."""
        self._holds = self._failures = 0

    def went_wrong(self, error: CodexError) -> None:
        """Take note of a failure of the service; many in a row stop the run."""
        with self._lock:
            self._failures += 1
            many = self._failures >= IN_A_ROW
        if many:
            self.stop(f"{IN_A_ROW} questions in a row failed, the last with: {error.message}", error)

    def stop(self, reason: str, cause: CodexError | None = None) -> None:
        """Ask nothing more; what is under way comes to its end."""
        with self._lock:
            if self.stopped is None:
                self.stopped, self.cause = reason, cause

    def halt(self, reason: str) -> None:
        """Ask nothing more, and leave what is under way."""
        self.stop(reason)
        self.halted.set()
