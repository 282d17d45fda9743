"""The quota windows of the account: they fill with the tokens of real answers, and empty when they end."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codex_nb.local.identity import Identity

if TYPE_CHECKING:
    from codex_nb.local.pieces import Usage

DEFAULT_BUDGET = 2_000_000
FULL = 100


@dataclass(slots=True)
class Window:
    """A span of ``seconds`` in which ``budget`` tokens may be used. It starts with its first use."""

    seconds: int
    budget: int
    used: int = 0
    ends: float = 0.0

    def roll(self) -> None:
        """Empty the window when its time is over."""
        if time.time() >= self.ends:
            self.used, self.ends = 0, time.time() + self.seconds

    @property
    def percent(self) -> int:
        """Return 0-100; any use counts as 1, and 100 means spent."""
        return FULL if self.used >= self.budget else min(FULL - 1, math.ceil(FULL * self.used / self.budget))

    def as_json(self) -> dict[str, int]:
        """Return the window as the usage endpoint shows it."""
        return {
            "used_percent": self.percent,
            "limit_window_seconds": self.seconds,
            "reset_after_seconds": max(0, int(self.ends - time.time())),
            "reset_at": int(self.ends),
        }


class Quota:
    """Two windows, five hours and a week. ``budget`` tokens fill the first; the second holds eight times as many.

    ``spent`` counts every token since the start.
    """

    def __init__(self, budget: int = DEFAULT_BUDGET, *, account: Identity | None = None) -> None:
        self.account = account or Identity()
        self.spent = 0
        self._lock = threading.Lock()
        self._windows = (Window(18_000, budget), Window(604_800, 8 * budget))

    def spend(self, tokens: int | Usage) -> None:
        """Count tokens, or an answer's."""
        count = tokens if isinstance(tokens, int) else tokens.input + tokens.output
        with self._lock:
            self.spent += count
            for window in self._windows:
                window.roll()
                window.used += count

    def reset(self) -> int:
        """Empty the windows before their time, and return how many there was use in."""
        with self._lock:
            used = [window for window in self._windows if window.used]
            for window in used:
                window.used, window.ends = 0, 0.0
            return len(used)

    def windows(self) -> tuple[Window, Window]:
        """Return both windows as they stand."""
        with self._lock:
            for window in self._windows:
                window.roll()
        return self._windows

    @property
    def resets_at(self) -> int | None:
        """Epoch seconds at which a spent quota comes back, None while there is some left."""
        return max((int(window.ends) for window in self.windows() if window.percent >= FULL), default=None)

    def refusal(self) -> dict[str, Any] | None:
        """Return what is answered when the quota is spent, None while there is some left."""
        if (resets_at := self.resets_at) is None:
            return None
        reached = {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": self.account.plan,
            "resets_at": resets_at,
            "resets_in_seconds": max(0, resets_at - int(time.time())),
        }
        return {"error": reached}

    def as_json(self) -> dict[str, Any]:
        """Return the part of the usage endpoint that is about limits."""
        primary, secondary = self.windows()
        spent = self.resets_at is not None
        return {
            "rate_limit": {
                "allowed": not spent,
                "limit_reached": spent,
                "primary_window": primary.as_json(),
                "secondary_window": secondary.as_json(),
            },
            "rate_limit_reached_type": {"type": "rate_limit_reached"} if spent else None,
        }

    def headers(self) -> dict[str, str]:
        """Return the quota headers that every answer carries."""
        found = {
            "x-codex-plan-type": self.account.plan,
            "x-codex-active-limit": "codex",
            "x-codex-credits-has-credits": "False",
            "x-codex-credits-unlimited": "False",
            "x-codex-credits-balance": "",
        }
        for name, window in zip(("primary", "secondary"), self.windows(), strict=True):
            now = window.as_json()
            found[f"x-codex-{name}-used-percent"] = str(now["used_percent"])
            found[f"x-codex-{name}-window-minutes"] = str(window.seconds // 60)
            found[f"x-codex-{name}-reset-at"] = str(now["reset_at"])
            found[f"x-codex-{name}-reset-after-seconds"] = str(now["reset_after_seconds"])
        if self.resets_at is not None:
            found["x-codex-rate-limit-reached-type"] = "rate_limit_reached"
        return found
