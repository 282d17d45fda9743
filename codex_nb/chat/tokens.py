"""How many tokens a text or a request is, about: counted without a tokenizer, alike on every machine."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

__all__ = ["IMAGE", "estimate", "estimate_request"]

# What an image counts as: the most that one counts as, whatever its size.
IMAGE: Final = 1_500
# What surrounds a message besides its text.
MESSAGE: Final = 4
# A longer text is judged by its beginning.
SAMPLE: Final = 400_000

# The pieces that tokenizers cut texts into, and how many characters of each kind one token holds. Fitted on o200k,
# which is off by at most a fifth for prose, code, tables, logs and the larger scripts.
LEAD: Final = r"[^\r\n0-9A-Za-z\x80-\U0010ffff]?"
PIECES: Final = re.compile(
    rf"(?P<word>{LEAD}[A-Z]?[a-z]+)|(?P<capitals>{LEAD}[A-Z]+)|(?P<digits>[0-9]+)"
    r"|(?P<ideographs>[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+)|(?P<hangul> ?[\uac00-\ud7af]+)"
    r"|(?P<letters> ?[\u00a0-\u1fff\ua000-\uabff]+)|(?P<breaks>[^\S\n]*\n\s*)|(?P<blanks>[^\S\n]+(?=[\s0-9]|$))"
    r"|(?P<marks> ?[!-/:-@\[-`{-~]+)|(?P<rest>.)",
    re.DOTALL,
)
HELD: Final[Mapping[str | None, float]] = {
    "word": 9.0,
    "capitals": 2.7,
    "digits": 3.0,
    "ideographs": 1.25,
    "hangul": 2.0,
    "letters": 4.0,
    "breaks": 40.0,
    "blanks": 40.0,
    "marks": 3.0,
    "rest": 1.0,
}


def estimate(text: str) -> int:
    """Return how many tokens ``text`` has, about: within a fifth for prose, code, tables and most scripts."""
    sample = text[:SAMPLE]
    count = sum(math.ceil((piece.end() - piece.start()) / HELD[piece.lastgroup]) for piece in PIECES.finditer(sample))
    return count if len(text) <= SAMPLE else round(count * len(text) / SAMPLE)


def estimate_request(value: Any) -> int:
    """Return how many tokens a request, or a part of one, has: its texts, the JSON around them, and its images."""
    if isinstance(value, str):
        return IMAGE if value.startswith("data:image/") else estimate(value)
    if isinstance(value, Mapping):
        return _of_object(cast("Mapping[str, Any]", value))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return sum(estimate_request(each) for each in cast("Sequence[Any]", value))
    return estimate(json.dumps(value)) if isinstance(value, bool | int | float) else 0


def _of_object(fields: Mapping[str, Any]) -> int:
    kind = fields.get("type")
    if kind in {"input_text", "output_text"}:
        return estimate_request(fields.get("text"))
    if kind == "input_image":
        return IMAGE
    if kind == "message":
        return MESSAGE + estimate_request(fields.get("content"))
    return sum(estimate(name) + estimate_request(each) for name, each in fields.items())
