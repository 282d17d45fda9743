"""Texts of a description: tidy, without secrets, and of a bounded length."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from codex_nb.chat.tokens import estimate
from codex_nb.privacy import redact

__all__ = ["cell_text", "clip", "counted", "fenced", "missing", "safe_repr", "short"]

# Nobody reads more of one text; what is longer is cut before anything looks at it.
LONGEST: Final = 400_000
ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+")
NOTHING: Final = frozenset({"NaTType", "NAType"})
# A token is seldom more characters than this.
WIDEST: Final = 12


def clip(text: str, tokens: int, *, tail: float = 0.25) -> str:
    """Return ``text`` without secrets, cut in the middle to about ``tokens``; ``tail`` is the share its end keeps."""
    if len(text) > 2 * LONGEST:
        text = _cut(text, LONGEST, tail)
    text = redact(text)
    if estimate(text) <= tokens:
        return text
    low, high = 0, min(len(text), tokens * WIDEST)
    while high - low > max(16, high // 50):
        middle = (low + high) // 2
        if estimate(_cut(text, middle, tail)) <= tokens:
            low = middle
        else:
            high = middle
    return _cut(text, low, tail)


def _cut(text: str, length: int, tail: float) -> str:
    """Leave out the middle of ``text``, at line ends where there are some near."""
    end = int(length * tail)
    head = text[: length - end]
    last = text[len(text) - end :]
    if (at := head.rfind("\n")) > len(head) * 0.7:
        head = head[:at]
    if 0 <= (at := last.find("\n")) < len(last) * 0.3:
        last = last[at + 1 :]
    left = len(text) - len(head) - len(last)
    return f"{head}\n… {left} characters left out …\n{last}".strip("\n")


def short(text: str, length: int = 80) -> str:
    """Return ``text`` on one line of at most ``length`` characters, without secrets."""
    # A secret that is cut in two does not look like one any more: hide first, cut then.
    line = redact(" ".join(text[: 20 * length].split()))
    return line if len(line) <= length else f"{line[: length - 1]}…"


def safe_repr(value: Any, length: int = 2_000) -> str:
    """Return the repr of ``value``, at most about ``length`` characters, the same for the same state of it."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - an object may do anything
        text = f"<{type(value).__name__}: its repr fails with {type(error).__name__}>"
    text = redact(ADDRESS.sub("", text[: 20 * length]))
    return text if len(text) <= length else f"{text[: length - 1]}…"


def missing(value: Any) -> bool:
    """Whether ``value`` stands for nothing: None, NaN, NaT, NA."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in NOTHING


def cell_text(value: Any, length: int = 60) -> str:
    """Return a value of a table as text; what is missing is empty."""
    if missing(value):
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict | list | tuple | set):
        from codex_nb.chat.describe.nested import written

        return short(written(value, 2, 6, length), length)
    return short(value if isinstance(value, str) else str(value), length)


def fenced(text: str, language: str = "") -> str:
    """Return ``text`` as a block of code; fences that it holds itself are shorter."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def counted(number: int, noun: str) -> str:
    """Return ``3 rows``, ``1 row``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
