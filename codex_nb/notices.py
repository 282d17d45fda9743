"""Warnings to the user, said of the line of theirs that led to them."""

from __future__ import annotations

import inspect
import warnings

__all__ = ["warn"]


def warn(message: str) -> None:
    """Warn of the first line outside of this package that led here, however deep that was."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level)
