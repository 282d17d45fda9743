"""How fast a window of the quota fills, and how sure that is: plain arithmetic on what was observed in one period.

Use is taken for a process whose mean grows evenly and whose spread grows with it: ``variance = F * mean``, where ``F``
(percent) is how bursty it was, measured over several spans, so that long bursts are seen too. What is observed is
uncertain in the same way, and percents are whole numbers. One formula gives both the fan of use at a time, and the
earliest and latest time at which the limit is reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

__all__ = ["Pace", "pace_of"]

# How wide the interval is, in standard deviations; wider than nine in ten of a normal law, for F itself is a guess.
WIDTH: Final = 2.0
# Whole percents: each value is off by up to one.
STEP: Final = 0.6
LEAST_F: Final = 1.0
# People pause. How long is not in what they did so far: relative to the time that is left.
PAUSES: Final = 0.3
# Spans over which use is compared: parts of the time observed.
PARTS: Final = (4, 6, 9, 14, 24)


class Pace(NamedTuple):
    """Percent an hour, the burstiness ``F`` in percent, and what it rests on: the use so far, and when it was seen."""

    rate: float
    spread: float
    used: float
    gained: float
    at: float

    def used_at(self, when: float) -> tuple[float, float, float]:
        """Return the use at a time (epoch seconds): expected, and the ends of the interval."""
        mean = self.rate * max(0.0, when - self.at) / 3_600
        wide = WIDTH * math.sqrt(self.spread * mean + self.spread * mean**2 / self._gained + STEP**2)
        return self.used + mean, self.used + self._least(mean), self.used + mean + wide

    def limit_at(self) -> tuple[float, float, float]:
        """Return when all is used (epoch seconds): expected, earliest, latest; infinite is never."""
        left = max(0.0, 100.0 - self.used)
        if left == 0.0:
            return self.at, self.at, self.at
        if self.rate <= 0.0:
            return math.inf, math.inf, math.inf
        soon, late = self._soonest(left), self._latest(left)
        expected, first, last = (self.at + 3_600 * mean / self.rate for mean in (left, soon, late))
        return expected, first, last

    @property
    def _gained(self) -> float:
        return max(self.gained, STEP)

    def _least(self, mean: float) -> float:
        """Return the lower end of the interval around a use. It is a part of the mean: use is never negative."""
        if mean <= 0.0:
            return 0.0
        far = WIDTH * math.sqrt(self.spread * (1 / mean + 1 / self._gained) + PAUSES**2)
        return max(0.0, mean * math.exp(-far) - STEP)

    def _soonest(self, left: float) -> float:
        """Return the mean use at which the upper end of the interval reaches what is left."""
        width = WIDTH**2
        a = 1.0 - width * self.spread / self._gained
        b = 2.0 * left + width * self.spread
        c = left**2 - width * STEP**2
        return max(0.0, 2.0 * c / (b + math.sqrt(max(0.0, b * b - 4.0 * a * c))))

    def _latest(self, left: float) -> float:
        """Return the mean use at which the lower end does."""
        low, high = left, left
        while self._least(high) < left:
            high *= 2.0
            if math.isinf(high):  # so uneven that it may be never
                return high
        for _ in range(50):
            middle = (low + high) / 2.0
            low, high = (middle, high) if self._least(middle) < left else (low, middle)
        return high


def pace_of(
    times: Sequence[float], used: Sequence[float], began: float | None, least_spread: float = 0.0
) -> Pace | None:
    """Return the pace of one period; None if nothing can be said.

    ``times`` are epoch seconds in order, ``used`` percents. ``began`` is the period's beginning, when none was used.
    ``least_spread`` is what earlier periods tell of the burstiness: one may have seen a single burst so far.
    """
    points = list(zip(times, used, strict=True))
    if began is not None and points and began < points[0][0]:
        points = [(began, 0.0), *points]
    if len(points) < 2:
        return None
    hours = (points[-1][0] - points[0][0]) / 3_600
    if hours <= 0:
        return None
    last = max(value for _, value in points)
    gained = max(0.0, last - points[0][1])
    spread = max(LEAST_F, least_spread, *(_spread(points, gained, parts) for parts in PARTS))
    return Pace(gained / hours, spread, last, gained, points[-1][0])


def _spread(points: Sequence[tuple[float, float]], gained: float, parts: int) -> float:
    """Return F as the use of so many spans tells it; a span ends at the observation behind its end."""
    if gained <= 0:
        return 0.0
    begin, end = points[0][0], points[-1][0]
    edges: list[tuple[float, float]] = [points[0]]
    for time, value in points[1:]:
        if time - begin >= len(edges) * (end - begin) / parts or time == end:
            edges.append((time, value))
    if len(edges) < 4:
        return 0.0
    rate = gained / (end - begin)
    steps = [(b[1] - a[1], rate * (b[0] - a[0])) for a, b in pairwise(edges)]
    squares = [(got - mean) ** 2 / mean for got, mean in steps if mean > 0]
    # The mean was estimated from the same spans.
    return sum(squares) / max(1, len(squares) - 1)
