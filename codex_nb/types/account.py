"""What the account has left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import field_validator

from codex_nb.types._record import Record

__all__ = ["AdditionalLimit", "Credits", "RateLimit", "Usage", "UsageWindow"]


class UsageWindow(Record):
    """One window of a limit. ``used_percent`` is 0-100, lengths are seconds, ``reset_at`` is epoch seconds."""

    used_percent: float | None = None
    limit_window_seconds: float | None = None
    reset_after_seconds: float | None = None
    reset_at: float | None = None


class RateLimit(Record):
    """A limit with up to two windows; which is the shorter one is not promised."""

    allowed: bool | None = None
    limit_reached: bool | None = None
    primary_window: UsageWindow | None = None
    secondary_window: UsageWindow | None = None

    @property
    def windows(self) -> list[UsageWindow]:
        """The windows that are there."""
        return [window for window in (self.primary_window, self.secondary_window) if window]


class AdditionalLimit(Record):
    """A limit of its own, mostly for one model."""

    limit_name: str | None = None
    metered_feature: str | None = None
    rate_limit: RateLimit | None = None

    @property
    def name(self) -> str:
        """The limit's name to show."""
        return self.limit_name or self.metered_feature or "other"


class Credits(Record):
    """Bought credits. ``balance`` is a decimal number as text."""

    has_credits: bool | None = None
    unlimited: bool | None = None
    balance: str | None = None

    @field_validator("balance", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Take a number too: both forms are on record."""
        return str(value) if isinstance(value, (int, float)) else value


class Usage(Record):
    """What the plan allows and how much of it is used."""

    plan_type: str | None = None
    rate_limit: RateLimit | None = None
    code_review_rate_limit: RateLimit | None = None
    additional_rate_limits: list[AdditionalLimit] | None = None
    credits: Credits | None = None
    rate_limit_reached_type: str | None = None

    @field_validator("rate_limit_reached_type", mode="before")
    @classmethod
    def _type_alone(cls, value: Any) -> Any:
        """Take ``{"type": …}`` and the bare word alike."""
        return value.get("type") if isinstance(value, dict) else value  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def limits(self) -> Iterator[tuple[str, RateLimit]]:
        """Give every limit that is there with its name, the plan's own (``codex``) first."""
        if self.rate_limit:
            yield "codex", self.rate_limit
        if self.code_review_rate_limit:
            yield "code review", self.code_review_rate_limit
        for extra in self.additional_rate_limits or []:
            if extra.rate_limit:
                yield extra.name, extra.rate_limit
