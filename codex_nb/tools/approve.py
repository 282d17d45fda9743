"""Who may let a call happen: the user at the prompt, once or for the cell, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["WAYS", "Approval", "shown_call"]

WAYS: Final = ("ask", "once", "always", "never")
LONGEST_VALUE: Final = 200
LONGEST_CALL: Final = 1_000


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
        choices = "yes / no" if self._way == "once" else "yes / always in this cell / no"
        typed = self._prompt(f"The model wants to call {shown_call(name, arguments)}\n{choices} [no]: ").strip().lower()
        if typed in {"a", "always"} or (self._way == "once" and typed in {"y", "yes"}):
            self._granted = True
        return self._granted or typed in {"y", "yes"}


def shown_call(name: str, arguments: dict[str, Any]) -> str:
    """Return a call as it would be written in Python, on one line, with long values cut and nothing that commands."""

    def shown(value: Any) -> str:
        text = repr(value)
        return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"

    line = f"{name}({', '.join(f'{key}={shown(value)}' for key, value in arguments.items())})"
    line = "".join(char if char.isprintable() else "�" for char in line)
    return line if len(line) <= LONGEST_CALL else f"{line[: LONGEST_CALL - 1]}…"
