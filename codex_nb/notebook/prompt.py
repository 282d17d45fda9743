"""A cell's first line: the variable that the answer goes to, apart from the options."""

from __future__ import annotations

import re

__all__ = ["split_target"]

TARGET = re.compile(r"\s*(?P<name>[^\W\d]\w*)\s*<<(?P<rest>.*)", re.DOTALL)


def split_target(line: str) -> tuple[str | None, str]:
    """Return the variable of ``name << …`` and the rest of ``line``; None and all of it where there is no target."""
    match = TARGET.fullmatch(line)
    return (match["name"], match["rest"]) if match else (None, line)
