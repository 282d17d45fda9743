"""What IPython would not let through to the magics: a question mark at a line's end, and a cell of one line."""

from __future__ import annotations

import re
from typing import Any, Final, Self, cast

from IPython.core.inputtransformer2 import EscapedCommand, HelpEnd

__all__ = ["Question", "with_body"]

HELP: Final = re.compile(r"(%codex \w+)\s*\?+\s*$")


class Question(EscapedCommand):
    """``%codex ask`` with whatever follows, and ``%codex NAME?`` as ``%codex NAME -h``, seen before `HelpEnd` is.

    A question mark at its end belongs to the question; IPython would take it for a call for help.
    """

    priority = HelpEnd.priority - 1

    @classmethod
    def find(cls, tokens_by_line: Any) -> Self | None:
        """Return the first such line, as IPython's other transformers do."""
        for line in tokens_by_line:
            words = [token for token in line if token.string.strip()]
            said = [token.string for token in words]
            if said[:2] == ["%", "codex"] and ("ask" in said[2:3] or said[3:] == ["?"]):
                return cls(words[0].start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return the cell with the line as a call of the magic."""
        at = cast("int", self.start_line)  # pyright: ignore[reportUnknownMemberType]
        return super().transform([*lines[:at], HELP.sub(r"\1 -h\n", lines[at]), *lines[at + 1 :]])


def with_body(lines: list[str]) -> list[str]:
    """Return a cell with an empty line below a lone ``%%codex``: IPython refuses it before ``-h`` could be read."""
    return [*lines, "\n"] if len(lines) == 1 and lines[0].split()[:1] == ["%%codex"] else lines
