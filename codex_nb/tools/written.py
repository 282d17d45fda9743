"""A call as people read it: on one line, or with a line for each argument. A model's words in it command nothing."""

from __future__ import annotations

import pprint
from typing import Any, Final

__all__ = ["cut", "shown_call", "written_call"]

LONGEST_VALUE: Final = 200
LONGEST_CALL: Final = 1_000
WIDTH: Final = 88
LONGEST_WRITTEN: Final = 1_500
MOST_LINES: Final = 25
# Even a user who asks for all of it gets no more than a page can show.
LONGEST_WHOLE: Final = 100_000


def shown_call(name: str, arguments: dict[str, Any]) -> str:
    """Return a call as it would be written in Python, on one line, with long values cut."""
    return cut(_line(name, {key: _short(value) for key, value in arguments.items()}), LONGEST_CALL)


def written_call(name: str, arguments: dict[str, Any], *, whole: bool = False) -> str:
    """Return a call with an argument a line, texts as they would be printed; a short call stays on one line.

    Long values are cut, and what is left out is counted, unless the ``whole`` is wanted.
    """
    line = _line(name, {key: repr(value) for key, value in arguments.items()})
    if len(line) <= WIDTH and not any(isinstance(value, str) and "\n" in value for value in arguments.values()):
        return line
    said = [f"{_printable(name)}("]
    for key, value in arguments.items():
        said += _argument(key, value, whole=whole)
    return "\n".join([*said, ")"])


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of a text, and say how many are left out."""
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]}… ({more:,} more characters)"


def _line(name: str, values: dict[str, str]) -> str:
    return _printable(f"{name}({', '.join(f'{key}={value}' for key, value in values.items())})")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _argument(key: str, value: Any, *, whole: bool) -> list[str]:
    """Return the lines of one argument. Each line of a text has a rule before it, so that none looks like ours."""
    is_text = isinstance(value, str) and "\n" in value
    text = value if is_text else pprint.pformat(value, width=WIDTH - 8, sort_dicts=False)
    kept = text[: LONGEST_WHOLE if whole else LONGEST_WRITTEN].split("\n")[: None if whole else MOST_LINES]
    more = len(text) - len("\n".join(kept))
    first = [f"    {_printable(key)} ="] if is_text else [f"    {_printable(key)} = {_printable(kept[0])}"]
    rest = kept if is_text else kept[1:]
    lines = first + [f"    | {_printable(line.expandtabs(4))}" for line in rest]
    return lines + ([f"    … ({more:,} more characters)"] if more else [])


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text)
