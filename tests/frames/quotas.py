"""Made-up histories of a quota window: how use went on until all was used, and what was seen of it."""

import math
import random

import pandas as pd

from codex_nb.columns import table
from codex_nb.frames.history import HISTORY, Said, periods

HOUR = 3_600
BEGAN = 1_790_000_000.0
LENGTH = 100_000 * HOUR
KINDS = ("steady", "bursts", "reset", "integer", "gaps")


def course(random_, rate, *, bursts):
    """Return (hours, percent) of a period that goes on until all is used."""
    hours = used = 0.0
    points, busy, turns = [], True, random_.expovariate(1 / 0.4)
    while used < 100:
        hours += random_.expovariate(1 / 0.04)
        while bursts and hours > turns:
            busy = not busy
            turns += random_.expovariate(1 / (0.4 if busy else 0.6))
        if busy:
            used += random_.expovariate(1 / (rate * 0.04))
            points.append((hours, min(100.0, used)))
    return points


def case(kind, seed):
    """Return a history of one window as a frame, when it ends, and when all was used in truth (epoch seconds)."""
    random_ = random.Random(f"{kind} {seed}")  # noqa: S311 - to be made again
    rate = random_.uniform(8, 40)
    said, begin = [], BEGAN
    if kind in {"bursts", "reset"}:
        # A period before, whose pace was another one where there is a reset, that ended early.
        before = course(
            random_, rate if kind == "bursts" else rate * random_.choice([0.3, 3.0]), bursts=kind == "bursts"
        )
        said += observations(before, begin, begin + LENGTH)
        begin += before[-1][0] * HOUR + 600
    points = course(random_, rate, bursts=kind == "bursts")
    truth = points[-1][0]
    now = random_.uniform(0.25, 0.8) * truth
    seen = [(hours, used) for hours, used in points if hours <= now]
    if kind == "gaps":
        for _ in range(2):
            start = random_.uniform(0, 0.7) * now
            end = start + random_.uniform(0.1, 0.3) * now
            seen = [point for point in seen if not start <= point[0] <= end]
    if kind == "integer":
        seen = [(hours, float(math.floor(used))) for hours, used in seen]
    said += observations(seen, begin, begin + LENGTH)
    return table(HISTORY, periods(said), source="usage_history"), begin + now * HOUR, begin + truth * HOUR


def observations(points, begin, ends):
    """Return what was said of a period."""
    return [
        Said(round((begin + hours * HOUR) * 1e6), "headers", "b", None, "codex", "primary", used, LENGTH, ends)
        for hours, used in points
    ]


def covered(forecast, kind, seed):
    """Tell whether the true time is inside the interval of a forecast."""
    history, now, truth = case(kind, seed)
    row = forecast(history=history, now=now).iloc[0]
    low, high = (now + row[name].total_seconds() for name in ("limit_in_low", "limit_in_high"))
    return low <= truth and (pd.isna(row["limit_in_high"]) or truth <= high)
