"""Credits that empty the quota windows before their time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_nb.local.pieces import Json
    from codex_nb.local.quota import Quota


class ResetCredits:
    """Credits that empty the quota windows, one at a time. Thread-safe."""

    def __init__(self, available: int = 1) -> None:
        self._lock = threading.Lock()
        self._credits: list[Json] = []
        # Request id -> how many windows it emptied.
        self._redeemed: dict[str, int] = {}
        self.grant(available)

    @property
    def available(self) -> int:
        """How many may still be used."""
        return sum(each["status"] == "available" for each in self._credits)

    def grant(self, count: int = 1) -> None:
        """Give the account more."""
        with self._lock:
            for _ in range(count):
                self._credits.append(_credit(len(self._credits) + 1))

    def as_json(self) -> Json:
        """Return the credits that are left, and how many there ever were."""
        with self._lock:
            left = [dict(each) for each in self._credits if each["status"] == "available"]
            return {"credits": left, "available_count": len(left), "total_earned_count": len(self._credits)}

    def consume(self, request_id: str, credit_id: str | None, quota: Quota) -> Json:
        """Empty the windows for one credit. The same request twice costs one, and windows without use cost none."""
        with self._lock:
            if request_id in self._redeemed:
                return {"code": "already_redeemed", "windows_reset": self._redeemed[request_id]}
            left = [each for each in self._credits if each["status"] == "available"]
            chosen = next((each for each in left if credit_id in {None, each["id"]}), None)
            if chosen is None:
                return {"code": "no_credit", "windows_reset": 0}
            emptied = quota.reset()
            if not emptied:
                return {"code": "nothing_to_reset", "windows_reset": 0}
            chosen["status"] = "redeemed"
            self._redeemed[request_id] = emptied
            return {"code": "reset", "windows_reset": emptied}


def _credit(number: int) -> Json:
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "id": f"rlrc_{number:02}",
        "reset_type": "weekly",
        "status": "available",
        "granted_at": (now - timedelta(days=20)).isoformat().replace("+00:00", "Z"),
        "expires_at": (now + timedelta(days=70)).isoformat().replace("+00:00", "Z"),
        "title": "One extra reset",
        "description": "Resets the current window once.",
    }
