"""The text of a recording while its pieces are heard side by side: shown in order, whatever comes first."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Growing", "Part", "joined"]


@dataclass(frozen=True, slots=True)
class Part:
    """The text of piece ``number`` as it is now; ``anew``: another route begins, and what was heard does not count."""

    number: int
    text: str
    whole: bool = False
    anew: bool = False


class Growing:
    """What was heard of each piece, and what of it has been shown."""

    def __init__(self) -> None:
        self.shown = ""
        self._texts: dict[int, str] = {}
        self._settled, self._next = "", 0
        self._whole: set[int] = set()

    def take(self, part: Part) -> str:
        """Return what can be shown now, after what was shown before; nothing where that was heard otherwise."""
        if part.anew:
            self._texts, self._whole, self._settled, self._next = {}, set(), "", 0
            return ""
        self._texts[part.number] = part.text
        if part.whole:
            self._whole.add(part.number)
        while self._next in self._whole:
            self._settled = joined((self._settled, self._texts.pop(self._next)))
            self._next += 1
        text = joined((self._settled, self._texts.get(self._next, "")))
        if not text.startswith(self.shown):
            return ""
        more, self.shown = text[len(self.shown) :], text
        return more


def joined(texts: Iterable[str]) -> str:
    """Join the texts of pieces: with a blank, but not between letters of scripts that have none."""
    whole = ""
    for text in filter(None, (each.strip() for each in texts)):
        close = (
            whole and unicodedata.east_asian_width(whole[-1]) in "WF" and unicodedata.east_asian_width(text[0]) in "WF"
        )
        whole += text if close or not whole else f" {text}"
    return whole
