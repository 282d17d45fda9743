"""What a tool gave, as text that a model can read: bounded, whatever it is."""

from __future__ import annotations

from typing import Any, Final

import pydantic_core

from codex_nb.privacy import is_private, placeholder

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
        frame: Any = _masked(value)
        more = len(frame) - ROWS
        return str(frame.head(ROWS).to_csv()) + (f"… and {more} more rows\n" if more > 0 else "")
    try:
        return pydantic_core.to_json(value).decode()
    except (ValueError, TypeError, RecursionError):
        return repr(value)


def _masked(frame: Any) -> Any:
    """Return a frame or series with what is private in it hidden; itself if nothing is."""
    columns = frame.to_frame() if frame.ndim == 1 else frame
    private = [place for place, name in enumerate(columns.columns) if is_private(name)]
    levels = [name for name in columns.index.names if is_private(name)]
    if not private and not levels:
        return frame
    shown = columns.copy(deep=False)
    for place in private:
        shown.isetitem(place, placeholder(columns.dtypes.iloc[place]))
    return shown.droplevel(levels) if len(levels) < shown.index.nlevels else shown.reset_index(drop=True)


def _is_frame(value: Any) -> bool:
    return type(value).__name__ in {"DataFrame", "Series"} and hasattr(value, "to_csv")
