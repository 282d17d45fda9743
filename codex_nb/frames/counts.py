"""What counts as a number of things."""

from __future__ import annotations

from numbers import Integral
from typing import Any

__all__ = ["is_count"]


def is_count(value: Any) -> bool:
    """Whether ``value`` is a whole number, at least 1; numpy's are as good."""
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= 1
