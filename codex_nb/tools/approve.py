"""Who may let a call happen: the user at the prompt, once or for the cell, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from codex_nb.tools.written import written_call

__all__ = ["WAYS", "Approval"]

WAYS: Final = ("ask", "once", "always", "never")
# What may be typed, in full or by its first letter. The word for one call is "once", or simply "yes".
ONE: Final = frozenset({"once", "o", "yes", "y"})
ALL: Final = frozenset({"always", "a"})
NONE: Final = frozenset({"no", "n", ""})
SHOW: Final = frozenset({"show", "s"})
MOST_QUESTIONS: Final = 5


class Approval:
    """The answers of one cell. ``way`` is when to ask: before each call, once a cell, or not at all.

    ``prompt`` asks the user and returns what was typed; None where nobody can be asked, and then the answer is no.
    """

    def __init__(self, way: str, prompt: Callable[[str], str] | None) -> None:
        self._prompt = prompt
        self._way = way
        self._granted = way == "always"

    def of(self, name: str, arguments: dict[str, Any]) -> bool:
        """Return whether the call may happen."""
        if self._granted:
            return True
        if self._way == "never" or self._prompt is None:
            return False
        typed = self._ask(self._prompt, name, arguments)
        self._granted = typed in ALL or (self._way == "once" and typed in ONE)
        return self._granted or typed in ONE

    def _ask(self, prompt: Callable[[str], str], name: str, arguments: dict[str, Any]) -> str:
        """Return what was typed; after a few words that are no answer, or at the input's end, it is no."""
        call, whole = written_call(name, arguments), written_call(name, arguments, whole=True)
        more = " / show all of it" if call != whole else ""
        choices = "yes / no" if self._way == "once" else "once / always in this cell / no"
        question = f"Allow it? {choices}{more} [no]: "
        asked = f"The model wants to call {call}\n{question}"
        for _ in range(MOST_QUESTIONS):
            try:
                typed = prompt(asked).strip().lower()
            except EOFError:
                return "no"
            if typed in ONE | ALL | NONE:
                return typed
            asked = f"{whole}\n{question}" if typed in SHOW and more else f"Please type one of these. {question}"
        return "no"
