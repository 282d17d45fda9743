"""The quota as people look at it: bars, and how long until each window begins anew."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd

__all__ = ["UsageFrame", "span"]

# They stand out on light and dark pages.
CALM, NEAR, FULL = "#2e9e6b", "#c98a1b", "#d1434b"
CELL = "text-align:left;padding:2px 10px 2px 0;white-space:nowrap"


class UsageFrame(pd.DataFrame):
    """The frame of `usage`, shown as bars where HTML is; what is made from it is a plain DataFrame."""

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def _repr_html_(self) -> str:
        facts: dict[str, Any] = self.attrs.get("codex_nb", {})
        rows = "".join(_row(row) for row in self.itertuples()) if len(self) else ""
        body = rows or f"<tr><td style='{CELL}'>The service names no window for this account.</td></tr>"
        return f"<table style='border-collapse:collapse'><tbody>{body}</tbody></table>{_foot(facts)}"


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
        return "" if pd.isna(row.resets_in) else f"resets in {span(row.resets_in)}"
    left = row.resets_at - pd.Timestamp.now("UTC")
    clock = _clock(row.resets_at)
    return f"resets in {span(left)} ({clock})" if left > pd.Timedelta(0) else f"began anew at {clock}"


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
    return f"<div style='opacity:.7'>{escape(' · '.join(filter(None, said)))}</div>"


def span(length: pd.Timedelta) -> str:
    """Return a length in its two largest units: ``2 h 10 min``, ``6 d 3 h``, ``40 s``."""
    seconds = max(0, round(length.total_seconds()))
    for unit, size, smaller, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {unit}{f' {rest} {smaller}' if rest else ''}"
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"
