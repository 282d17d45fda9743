"""What a tool gave, as text that a model can read: bounded, whatever it is."""

from __future__ import annotations

from typing import Any, Final

import pydantic_core

__all__ = ["LONGEST", "as_text"]

LONGEST: Final = 20_000
ROWS: Final = 200


def as_text(value: Any, limit: int = LONGEST) -> str:
    """Return ``value`` as text of at most ``limit`` characters, and a note of what was cut.

    An object's own ``_repr_llm_`` or ``__llm__`` comes first; text stays text; a frame is CSV; what JSON can say is
    JSON; of anything else the repr.
    """
    text = _text(value)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… cut here: {len(text) - limit} of {len(text)} characters are left out."


def _text(value: Any) -> str:
    for name in ("_repr_llm_", "__llm__"):
        own = getattr(value, name, None)
        if callable(own) and not isinstance(value, type):
            return str(own())
    if isinstance(value, str):
        return value
    if _is_frame(value):
        frame: Any = value
        more = len(frame) - ROWS
        return str(frame.head(ROWS).to_csv()) + (f"… and {more} more rows\n" if more > 0 else "")
    try:
        return pydantic_core.to_json(value).decode()
    except (ValueError, TypeError, RecursionError):
        return repr(value)


def _is_frame(value: Any) -> bool:
    return type(value).__name__ in {"DataFrame", "Series"} and hasattr(value, "to_csv")
