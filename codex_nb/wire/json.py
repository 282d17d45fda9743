"""JSON that came from elsewhere: what is not of the expected kind counts as not there."""

from __future__ import annotations

from typing import Any, cast

__all__ = ["JSONObject", "as_number", "as_object", "as_text"]

JSONObject = dict[str, Any]


def as_object(value: Any) -> JSONObject:
    """Return ``value`` if it is a JSON object, else an empty one."""
    return cast("JSONObject", value) if isinstance(value, dict) else {}


def as_text(value: Any) -> str | None:
    """Return ``value`` if it is a text that says something, else None."""
    return value if isinstance(value, str) and value else None


def as_number(value: Any) -> float | None:
    """Return ``value`` if it is a number that a float can hold, else None."""
    try:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    except OverflowError:
        return None
