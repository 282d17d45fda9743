"""Moments as people have them at hand, in epoch seconds: one reading of them everywhere."""

from __future__ import annotations

from datetime import date, datetime, time
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Moment", "epoch", "no_time", "timestamp"]

# A datetime is a date, and pandas' Timestamp a datetime.
Moment: TypeAlias = "date | np.datetime64 | float"

# Seconds that 64 bits hold as microseconds.
FARTHEST: Final = 9.2e12


def epoch(when: Moment, option: str = "since") -> float:
    """Return a moment in epoch seconds, which it may be already.

    Raises:
        InvalidOption: it is no moment; ``option`` is what the user called it.

    """
    try:
        seconds = float(when) if isinstance(when, Real) else timestamp(when)
    except (ValueError, TypeError, OverflowError):
        raise no_time(when, option) from None
    if not abs(seconds) < FARTHEST:  # a NaN, too
        raise no_time(when, option)
    return seconds


def timestamp(when: Any) -> float:
    """Return a date (its beginning) or a datetime, also pandas' or numpy's, in epoch seconds.

    One without a zone is local time.

    Raises:
        TypeError, ValueError, OverflowError: it is none.

    """
    if getattr(getattr(when, "dtype", None), "kind", "") == "M":
        when = when.astype("datetime64[us]").item()
    if isinstance(when, date) and not isinstance(when, datetime):
        when = datetime.combine(when, time())
    if isinstance(when, datetime) and not 1 <= when.year <= 9999:
        raise ValueError("No datetime has this year.")  # pandas' NaT has none
    # Not its own method: pandas' takes one without a zone for UTC.
    return datetime.timestamp(when)


def no_time(said: Any, option: str = "since") -> InvalidOption:
    """Return the error that what was said is no time."""
    return InvalidOption(
        f"{option} is {str(said)[:40]!r}, which is no time.", hint='Say "7 days", "2026-10-01" or a datetime.'
    )
