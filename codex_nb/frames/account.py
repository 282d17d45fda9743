"""Models and quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from codex_nb.client.default import session_of
from codex_nb.columns import DURATION, FLAG, NUMBER, PERCENT, TEXT, TIME, Column, ordered, table
from codex_nb.durations import window_name
from codex_nb.frames.payload import with_payload
from codex_nb.frames.usage_view import UsageFrame

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.types.account import RateLimit, UsageWindow
    from codex_nb.types.models import ModelInfo

__all__ = ["models", "usage"]

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")
VISIBILITIES = ("list", "hide", "none")


def _joined(values: list[str] | None) -> str | None:
    return ", ".join(values) if values else None


MODELS: list[Column[ModelInfo]] = [
    Column("id", TEXT),
    Column("name", TEXT, "display_name"),
    Column("description", TEXT),
    Column("context_window", NUMBER),
    Column("effort", ordered(EFFORTS), "default_reasoning_level"),
    Column("efforts", TEXT, lambda model: _joined([str(level.effort) for level in model.supported_reasoning_levels])),
    Column("input", TEXT, lambda model: _joined(model.input_modalities)),
    Column("verbosity", FLAG, "support_verbosity"),
    Column("tiers", TEXT, lambda model: _joined([tier.id for tier in model.service_tiers])),
    Column("plans", TEXT, lambda model: _joined(model.available_in_plans)),
    Column("visibility", ordered(VISIBILITIES)),
    Column("in_api", FLAG, "supported_in_api"),
    Column("priority", NUMBER),
    Column("upgrade", TEXT, "upgrade.model"),
]


def models(session: Session | None = None, *, refresh: bool = False, raw: bool = False) -> pd.DataFrame:
    """Return the models of the account, best first, one row each.

    Columns: ``id``, ``name``, ``description`` (text), ``context_window`` (Int64, tokens), ``effort`` (ordered category,
    the default), ``efforts``, ``input``, ``tiers``, ``plans`` (text, joined by commas), ``verbosity``, ``in_api``
    (boolean), ``visibility`` (ordered category), ``priority`` (Int64, 1 is shown first), ``upgrade`` (text); with
    ``raw`` the payload (object).
    """
    page = session_of(session).models.list(refresh=refresh)
    return table(with_payload(MODELS, raw), page, source="codex/models")


class _Window(NamedTuple):
    plan: str | None
    limit: str
    rate: RateLimit
    window: UsageWindow

    @property
    def raw(self) -> Any:
        """The payload of the window alone."""
        return self.window.raw


WINDOWS: list[Column[_Window]] = [
    Column("limit", TEXT),
    Column("window", TEXT, lambda row: window_name(row.window.limit_window_seconds)),
    Column("used", PERCENT, "window.used_percent"),
    Column("left", PERCENT, lambda row: _left(row.window.used_percent)),
    Column("resets_at", TIME, "window.reset_at"),
    Column("resets_in", DURATION, "window.reset_after_seconds"),
    Column("length", DURATION, "window.limit_window_seconds"),
    Column("allowed", FLAG, "rate.allowed"),
    Column("reached", FLAG, "rate.limit_reached"),
    Column("plan", TEXT),
]


def usage(session: Session | None = None, *, raw: bool = False) -> UsageFrame:
    """Return the quota, one row a window, any number of windows; in a notebook it shows as bars.

    Columns: ``limit`` (text: ``codex``, ``code review``, or the name of an extra limit), ``window`` (text, named by its
    length), ``used``, ``left`` (float64, percent 0-100), ``resets_at`` (datetime64[us, UTC]), ``resets_in``, ``length``
    (timedelta64[us]), ``allowed``, ``reached`` (boolean), ``plan`` (text); with ``raw`` the window's payload (object).
    ``attrs["codex_nb"]`` has ``credits`` (``has_credits``, ``unlimited``, ``balance`` as text) and ``reached``, which
    limit is reached, as far as the service says.
    """
    report = session_of(session).codex.usage()
    rows = [_Window(report.plan_type, name, rate, w) for name, rate in report.limits() for w in rate.windows]
    frame = table(with_payload(WINDOWS, raw), rows, source="wham/usage")
    credit = report.credits
    facts = credit and {"has_credits": credit.has_credits, "unlimited": credit.unlimited, "balance": credit.balance}
    made = UsageFrame(frame)
    made.attrs = {"codex_nb": frame.attrs["codex_nb"] | {"credits": facts, "reached": report.rate_limit_reached_type}}
    return made


def _left(used: float | None) -> float | None:
    return None if used is None else max(0.0, 100.0 - used)
