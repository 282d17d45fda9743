"""The formats that an answer may be asked in, and what the model is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["FORMATS", "HINTS"]

FORMATS: Final = ("markdown", "text", "json", "html", "code")
# Said beside the prompt: which form is wanted is no part of the conversation.
HINTS: Final[Mapping[str, str]] = {
    "text": "Answer in plain text, without Markdown.",
    "json": "Answer with JSON and nothing else.",
    "html": "Answer with one self-contained HTML document, scripts and styles inline, and nothing else. "
    "It is shown in a frame that has no network.",
    "code": "Answer with the code in fenced blocks that name their language.",
}
