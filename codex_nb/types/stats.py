"""How much Codex the account has used over time, and the resets it has in reserve."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from codex_nb.types._record import NULL_IS_EMPTY, Record, Rows, moment

__all__ = [
    "DailyUsage",
    "Profile",
    "ProfileStats",
    "ResetCredit",
    "ResetCredits",
]


class DailyUsage(Record):
    """The tokens of a day, which is a text such as ``2026-10-22``."""

    start_date: str | None = None
    tokens: int | None = None


class ProfileStats(Record):
    """Tokens, and streaks in days. ``longest_running_turn_sec`` is in seconds."""

    lifetime_tokens: int | None = None
    peak_daily_tokens: int | None = None
    longest_running_turn_sec: float | None = None
    current_streak_days: int | None = None
    longest_streak_days: int | None = None
    daily_usage_buckets: list[DailyUsage] = Field(default_factory=list[DailyUsage])


class Profile(Record):
    """The user's profile in Codex."""

    stats: ProfileStats | None = None


class ResetCredit(Record):
    """One reset of a quota window, kept for later."""

    id: str | None = None
    reset_type: str | None = None
    status: str | None = None
    granted_at: str | float | None = None
    expires_at: str | float | None = None
    title: str | None = None
    description: str | None = None

    shown: ClassVar[tuple[str, ...]] = ("id", "reset_type", "status", "expires")

    @property
    def granted(self) -> datetime | None:
        """When it was given: aware, UTC."""
        return moment(self.granted_at)

    @property
    def expires(self) -> datetime | None:
        """Until when it can be used: aware, UTC."""
        return moment(self.expires_at)


class ResetCredits(Rows[ResetCredit]):
    """The resets that the account has, how many can be used and how many it ever got. A list of `ResetCredit`."""

    credits: Annotated[list[ResetCredit], NULL_IS_EMPTY]
    available_count: int | None = None
    total_earned_count: int | None = None

    @property
    def items(self) -> list[ResetCredit]:
        """The same as ``credits``."""
        return self.credits
