"""Ids in paths."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from codex_nb.errors import InvalidOption

__all__ = ["segment"]


def segment(value: Any, what: str) -> str:
    """Return an id as one segment of a path; ``~`` stays, since turns have it in their ids.

    Raises:
        InvalidOption: it would lead elsewhere: it is empty, has a slash, or is ``.`` or ``..``.

    """
    if (
        not isinstance(value, str)
        or not value.strip()
        or value in {".", ".."}
        or "/" in value
        or "\\" in value
        or not value.isprintable()
    ):
        raise InvalidOption(f"{str(value)[:60]!r} is no id of a {what}.", hint="Pass the id as the service lists it.")
    return quote(value, safe="~")
