"""What an answer did to the quota: its windows before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from codex_nb.durations import window_name

if TYPE_CHECKING:
    from codex_nb.wire.headers import QuotaWindow

__all__ = ["QuotaUse", "quota_use"]

# Two words for the same reset may differ by this many seconds: some services round it to the minute.
SAME_RESET = 120.0


class QuotaUse(NamedTuple):
    """One window. ``before`` and ``after`` are percent 0-100; ``before`` is None where a new window has begun.

    ``name`` is made of the window's length (``weekly``), and of the limit where it is not the usual one;
    ``resets_in`` is in seconds, None where the service does not say.
    """

    name: str
    before: float | None
    after: float
    resets_in: float | None


def quota_use(before: Sequence[QuotaWindow], after: Sequence[QuotaWindow], now: float) -> tuple[QuotaUse, ...]:
    """Return the windows of ``after``, the most used first, beside what they were ``before``.

    ``now`` is in epoch seconds.
    """
    earlier = {(window.limit, window.slot): window for window in before}
    used = [_use(earlier.get((window.limit, window.slot)), window, now) for window in after]
    return tuple(sorted(used, key=lambda each: -each.after))


def _use(before: QuotaWindow | None, after: QuotaWindow, now: float) -> QuotaUse:
    length = window_name(after.minutes * 60) if after.minutes else None
    name = " ".join(part for part in (after.limit if after.limit != "codex" else "", length or "quota") if part)
    resets_in = after.resets_at - now if after.resets_at and after.resets_at > now else None
    return QuotaUse(name, before.used if before and _same(before, after) else None, after.used, resets_in)


def _same(before: QuotaWindow, after: QuotaWindow) -> bool:
    """Whether both are the same span of time: one that was emptied meanwhile says nothing of an answer."""
    if before.minutes != after.minutes or before.used > after.used:
        return False
    return not before.resets_at or not after.resets_at or abs(after.resets_at - before.resets_at) <= SAME_RESET
