"""What the ledger keeps of a call: labels and numbers.

A label is a word of the program's or of the service's (a model, an id, a code), and is kept only if it looks like one:
a sentence, a token, an e-mail address never does. Of what the service sends nothing is trusted to have its form.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import pydantic_core

from codex_nb.types.account import Usage
from codex_nb.wire.failures import SECRETS
from codex_nb.wire.headers import QuotaWindow
from codex_nb.wire.json import JSONObject, as_number, as_object

__all__ = [
    "endpoint_of",
    "ends",
    "event_windows",
    "finite",
    "label",
    "number_text",
    "tokens",
    "usage_in",
    "usage_windows",
    "whole_number",
]

# Every other part of a path is an id.
WORDS: Final = frozenset(
    {
        *("account", "codex", "dictation", "platform", "v1", "wham"),
        *("responses", "compact", "models", "alpha", "search", "images", "generations", "embeddings"),
        *("audio", "speech", "transcribe", "transcriptions", "realtime", "calls", "live", "files", "uploaded"),
        *("accounts", "check", "config", "bundle", "requirements", "environments", "by-repo", "github"),
        *("memories", "trace_summarize", "profiles", "me", "rate-limit-reset-credits", "settings", "user"),
        *("tasks", "list", "turns", "sibling_turns", "cancel", "usage", "daily-token-usage-breakdown"),
        *("thread-estimates", "thread_usage", "query", "query_v2", "user_system_messages", "workspace-messages"),
        *("logs", "history", "machines", "with-creator-and-machine", "configs", "user-preferences"),
        *("repositories", "all-installations", "branches", "credit-usage-events", "analytics"),
        *("daily-workspace-user-token-usage-breakdown", "daily-workspace-user-credit-usage"),
        "daily-workspace-usage-counts",
    }
)
LONGEST_LABEL: Final = 128
LABEL: Final = re.compile(r"[\w.:/+\[\]()-]+", re.ASCII)
LONGEST_COUNT: Final = 2**53
# Of a body that is kept whole in memory, its two ends are searched for the count of tokens.
END: Final = 1_024
USED: Final = re.compile(rb'"usage"\s*:\s*(\{(?:[^{}"]|"[\w ]*"|\{[^{}]*\})*\})')


def endpoint_of(path: str) -> str:
    """Return a call's path without the ids in it; a full address, which may hold more than ids, is ``elsewhere``."""
    if "://" in path:
        return "elsewhere"
    return "/".join(part if part in WORDS else "{id}" for part in path.partition("?")[0].split("/"))


def label(value: Any, secret: str = "") -> str | None:
    """Return ``value`` if it looks like a label, else None. Of a path on this machine its last part is one."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_LABEL or not LABEL.fullmatch(value):
        return None
    if SECRETS.search(value) or (secret and secret in value):
        return None
    return value.rpartition("/")[2] or None if value.startswith(("/", "./", "../")) else value


def tokens(usage: Any) -> dict[str, int | None]:
    """Return the counts in a ``usage`` object of any endpoint; what is no count is None."""
    used = as_object(usage)
    before, after = as_object(used.get("input_tokens_details")), as_object(used.get("output_tokens_details"))
    return {
        "input_tokens": whole_number(used.get("input_tokens", used.get("prompt_tokens"))),
        "cached_tokens": whole_number(before.get("cached_tokens")),
        "output_tokens": whole_number(used.get("output_tokens", used.get("completion_tokens"))),
        "reasoning_tokens": whole_number(after.get("reasoning_tokens")),
        "total_tokens": whole_number(used.get("total_tokens")),
    }


def whole_number(value: Any) -> int | None:
    """Return ``value`` if it is a count, else None."""
    number = as_number(value)
    return int(number) if number is not None and 0 <= number <= LONGEST_COUNT else None


def number_text(value: Any) -> Any:
    """Return a number as text, anything else as it is: an effort may be either."""
    number = finite(value)
    return value if number is None else f"{number:g}"


def finite(value: Any) -> float | None:
    """Return ``value`` if it is a finite number, else None."""
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def ends(content: bytes) -> bytes:
    """Return as much of a body as `usage_in` looks at."""
    return content if len(content) <= 2 * END else content[:END] + content[-END:]


def usage_in(body: bytes) -> dict[str, int | None]:
    """Return the token counts of a JSON body; none if it has no ``usage``."""
    found = USED.search(body)
    return tokens(_json(found[1])) if found else {}


def _json(content: bytes) -> Any:
    try:
        return pydantic_core.from_json(content)
    except ValueError:
        return None


def usage_windows(content: bytes) -> list[QuotaWindow]:
    """Return the windows in a reply of the usage endpoint, the limits named as headers name them."""
    try:
        usage = Usage.model_validate(_json(content))
    except ValueError:
        return []
    limits = [("codex", usage.rate_limit), ("code-review", usage.code_review_rate_limit)]
    others = usage.additional_rate_limits or []
    limits += [((other.metered_feature or other.name).replace("_", "-"), other.rate_limit) for other in others]
    return [
        QuotaWindow(name, slot, w.used_percent or 0.0, _minutes(w.limit_window_seconds), w.reset_at)
        for name, limit in limits
        if limit
        for slot, w in (("primary", limit.primary_window), ("secondary", limit.secondary_window))
        if w
    ]


def _minutes(seconds: float | None) -> int | None:
    number = finite(seconds)
    return round(number / 60) if number else None


def event_windows(event: JSONObject | None) -> list[QuotaWindow]:
    """Return the windows that an event of a stream tells."""
    event = event or {}
    limit = str(event.get("metered_limit_name") or event.get("limit_name") or "codex").replace("_", "-")
    limits = as_object(event.get("rate_limits"))
    return [
        QuotaWindow(
            limit,
            slot,
            as_number(w.get("used_percent")) or 0.0,
            whole_number(w.get("window_minutes")),
            finite(w.get("reset_at")),
        )
        for slot in ("primary", "secondary")
        if (w := as_object(limits.get(slot)))
    ]
