"""Turns: an answer that calls tools goes on in the next request, and the service wants to know it again."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

from codex_nb.wire.items import OUTPUTS
from codex_nb.wire.json import as_object

__all__ = ["Turns"]

MOST: Final = 1024


class Turns:
    """Which turn each tool call belongs to, by the word that the service gave for it (``x-codex-turn-state``).

    A request belongs to a turn when its input ends with the outputs of that turn's calls. After a new message it is
    another turn, which gets a word of its own; a word never crosses over.
    """

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._lock = threading.Lock()

    def state(self, items: Sequence[Any]) -> str | None:
        """Return the word for a request with these input items, None where it begins a turn."""
        for item in reversed(items):
            fields = as_object(item)
            if fields.get("type") not in OUTPUTS:
                return None
            if found := self._states.get(str(fields.get("call_id"))):
                return found
        return None

    def keep(self, call_ids: Iterable[str], state: str | None) -> None:
        """Remember that these calls belong to the turn of ``state``; the oldest calls are forgotten."""
        if not state:
            return
        with self._lock:
            self._states.update(dict.fromkeys(call_ids, state))
            while len(self._states) > MOST:
                del self._states[next(iter(self._states))]
