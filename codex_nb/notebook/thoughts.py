"""The summary of the model's thoughts, folded above its answer.

A fold closes when its output is replaced, so it is not painted like the answer: only when the model comes to something
new (its next headline or paragraph), and once at the end of a stretch of thought.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from codex_nb.safe_markdown import printable, safe_markdown

__all__ = ["Thoughts", "folded"]

HEADLINE: Final = re.compile(r"^\*\*(?=\S)(.{1,120}?)\*\*[ \t]*$", re.MULTILINE)
# What Markdown, HTML or a formula could begin with; a headline is a few words.
MARKS: Final = re.compile(r"[^\w\s.,;:()'!?%+/-]")


class Thoughts:
    """A summary that is coming. ``show`` puts a bundle into the output that stands above the answer."""

    def __init__(self, show: Callable[[dict[str, Any]], None]) -> None:
        self._show = show
        self._parts: list[str] = []
        self._shown: object = None
        self._settled = True

    def add(self, delta: str) -> None:
        """Take a few more characters, and show them if something new begins."""
        self._settled = False
        self._parts.append(delta)
        if "\n" not in delta and "*" not in delta:
            return
        text = "".join(self._parts)
        headlines = HEADLINE.findall(text)
        state = (len(headlines), text.strip().count("\n\n"))
        if state != self._shown and text.strip():
            self._shown = state
            self._show(folded(text, f"Thinking: {headlines[-1]} …" if headlines else "Thinking …"))

    def settle(self) -> None:
        """Show all of it, if that is not done yet: the model has begun to answer, or was stopped."""
        text = "".join(self._parts)
        if not self._settled and text.strip():
            self._show(folded(text))
        self._settled = True


def folded(text: str, title: str = "Thoughts") -> dict[str, Any]:
    """Return a summary behind its title, in the forms that front ends show."""
    text = text.strip()
    words = " ".join(MARKS.sub(" ", printable(title.replace("…", ""))).split()) + (" …" if "…" in title else "")
    shown = f"<details><summary>{words}</summary>\n\n{safe_markdown(text)}\n\n</details>"
    return {"text/markdown": shown, "text/plain": text}
