"""The quota as people look at it: bars, and how long until each window begins anew."""

from __future__ import annotations

from html import escape
from typing import Any, cast

import pandas as pd

from codex_nb.columns import table
from codex_nb.durations import span
from codex_nb.frames.payload import with_payload

__all__ = ["UsageFrame"]

# They stand out on light and dark pages.
CALM, NEAR, FULL = "#2e9e6b", "#c98a1b", "#d1434b"
CELL = "text-align:left;padding:2px 10px 2px 0;white-space:nowrap"


class UsageFrame(pd.DataFrame):
    """The frame of `usage`, shown as bars where HTML is; what is made from it is a plain DataFrame."""

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def _repr_html_(self) -> str | None:
        if not self._as_made():
            return cast("Any", super())._repr_html_()
        facts: dict[str, Any] = self.attrs.get("codex_nb", {})
        rows = "".join(_row(row) for row in self.itertuples()) if len(self) else ""
        body = rows or f"<tr><td style='{CELL}'>The service names no window for this account.</td></tr>"
        return f"<table style='border-collapse:collapse'><tbody>{body}{_foot(facts)}</tbody></table>"

    def _as_made(self) -> bool:
        """Whether the columns are those of `usage`: bars would hide what was added to them."""
        from codex_nb.frames.account import WINDOWS

        made = table(with_payload(WINDOWS, "raw" in self.columns), [], source="")
        return self.dtypes.equals(made.dtypes)


def _row(row: Any) -> str:
    used = row.used
    known = not pd.isna(used)
    width = min(100.0, max(0.0, used)) if known else 0.0
    colour = FULL if width >= 90 else NEAR if width >= 70 else CALM
    bar = (
        "<div style='width:180px;height:10px;border-radius:5px;background:rgba(128,128,128,.25);overflow:hidden'>"
        f"<div style='width:{width:g}%;height:100%;background:{colour}'></div></div>"
    )
    name = " · ".join(str(part) for part in (row.limit, row.window) if not pd.isna(part))
    said = f"{used:g} % used" if known else "not told"
    return (
        f"<tr style='background:none'><td style='{CELL}'>{escape(name)}</td><td style='{CELL}'>{bar}</td>"
        f"<td style='{CELL}'>{said}</td><td style='{CELL};opacity:.75'>{escape(_until(row))}</td></tr>"
    )


def _until(row: Any) -> str:
    if pd.isna(row.resets_at):
        return "" if pd.isna(row.resets_in) else f"resets in {span(row.resets_in.total_seconds())}"
    left = row.resets_at - pd.Timestamp.now("UTC")
    clock = _clock(row.resets_at)
    return f"resets in {span(left.total_seconds())} ({clock})" if left > pd.Timedelta(0) else f"began anew at {clock}"


def _clock(time: pd.Timestamp) -> str:
    return f"{time.tz_convert(None).isoformat(sep=' ', timespec='minutes')} UTC"


def _foot(facts: dict[str, Any]) -> str:
    credit: dict[str, Any] = facts.get("credits") or {}
    said = [
        f"limit reached: {facts['reached']}" if facts.get("reached") else "",
        "unlimited credits" if credit.get("unlimited") else "",
        f"{credit['balance']} credits" if credit.get("has_credits") and credit.get("balance") else "",
        f"as of {_clock(pd.Timestamp(facts['at']))}" if facts.get("at") else "",
    ]
    words = escape(" · ".join(filter(None, said)))
    return f"<tr style='background:none'><td colspan='4' style='{CELL};opacity:.7'>{words}</td></tr>"
