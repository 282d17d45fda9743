"""Headers that say who is asking, and headers that say what is left of the quota."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

__all__ = ["QuotaWindow", "identity", "quota", "turn"]


def identity(originator: str, client_version: str, package_version: str) -> dict[str, str]:
    """Return the headers that every request carries, in the official client's form, with our name at the end."""
    system = f"{platform.system()} {platform.release()}; {platform.machine()}"
    return {
        "originator": originator,
        "user-agent": f"{originator}/{client_version} ({system}) codex_nb/{package_version}",
    }


def turn(conversation: str, request_id: str, *, state: str | None = None, lite: bool = False) -> dict[str, str]:
    """Return the headers of one model request. Requests with the same ``conversation`` share the prompt cache.

    ``state`` is the word that the service gave for the turn which this request continues; ``lite`` is said of models
    that read their tools from the input.
    """
    more = {"x-codex-turn-state": state} if state else {}
    if lite:
        more["x-openai-internal-codex-responses-lite"] = "true"
    name = quote(conversation, errors="replace")  # the caller's own words may not stand in a header as they are
    return {
        "accept": "text/event-stream",
        "session-id": name,
        "thread-id": name,
        "x-client-request-id": request_id,
        "x-codex-beta-features": "remote_compaction_v2",
        **more,
    }


class QuotaWindow(NamedTuple):
    """One window of the quota as the response headers tell it.

    ``limit`` is the family (``codex``), ``slot`` ``primary`` or ``secondary`` (no statement about its length),
    ``used`` percent 0-100, ``minutes`` the window's length, ``resets_at`` epoch seconds.
    """

    limit: str
    slot: str
    used: float
    minutes: int | None
    resets_at: float | None


WINDOW: Final = re.compile(r"x-(?P<limit>[\w-]+)-(?P<slot>primary|secondary)-used-percent")


def quota(headers: Mapping[str, str]) -> list[QuotaWindow]:
    """Return the quota windows in ``headers`` (lower-case names). A window of zeros is one that is not there."""
    found = [_window(headers, match["limit"], match["slot"]) for name in headers if (match := WINDOW.fullmatch(name))]
    present = (window for window in found if window.used or window.minutes or window.resets_at)
    return sorted(present, key=lambda window: (window.limit, window.slot))


def _window(headers: Mapping[str, str], limit: str, slot: str) -> QuotaWindow:
    def number(field: str) -> float | None:
        text = headers.get(f"x-{limit}-{slot}-{field}", "")
        return float(text) if re.fullmatch(r"\d{1,15}(\.\d{1,15})?", text) else None

    minutes = number("window-minutes")
    return QuotaWindow(
        limit, slot, number("used-percent") or 0.0, int(minutes) if minutes else None, number("reset-at")
    )
