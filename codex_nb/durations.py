"""How long something takes, in words: one form in receipts, charts, tables and names of windows."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

__all__ = ["span", "window_name"]

UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
NAMES: Final = {86_400: "daily", 604_800: "weekly", 2_592_000: "monthly"}


def span(seconds: float) -> str:
    """Return a length of time in its two largest units: ``3 d 4 h``, ``1 h 05 m``, ``2 m 05 s``, ``40 s``.

    The smaller one is left out where it is 0. What is negative is no time at all.
    """
    left = max(0, round(seconds))
    for (unit, length), (smaller, part) in pairwise(UNITS.items()):
        if left >= length:
            rest = left % length // part
            width = 1 if smaller == "h" else 2
            return f"{left // length} {unit}{f' {rest:0{width}} {smaller}' if rest else ''}"
    return f"{left} s"


def window_name(seconds: float | None) -> str | None:
    """Return what a window of this length is called: ``5 h``, ``30 m``, ``daily``, ``weekly``, ``10 d``.

    The service's windows are a minute or so off the round number, so the name allows for 1 %.
    """
    if not seconds or not 0 < seconds < math.inf:
        return None
    for length, name in NAMES.items():
        if abs(seconds - length) <= length / 100:
            return name
    for unit, length in UNITS.items():
        if length > 1 and seconds >= length * 0.99:
            return f"{round(seconds / length, 1):g} {unit}"
    return f"{seconds:g} s"
