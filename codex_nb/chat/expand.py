"""``{{expression}}`` in a text: found, evaluated and put in once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from types import CodeType
from typing import Any, Final

from codex_nb.errors import InvalidOption

__all__ = ["evaluator", "expand", "inserted", "pieces"]

PLAIN: Final = frozenset({str, int, float, bool, type(None), list, dict, tuple, set})


def expand(text: str, evaluate: Callable[[str], Any]) -> str:
    """Put the value of each ``{{expression}}`` into ``text``; all else, braces included, stays as it is.

    A value is its ``str``. Frames, series and arrays, whose ``str`` is cut to fit a screen, are described as ``--with``
    does, and so is what says itself what a model shall read.

    Values are not looked at again: one that holds ``{{…}}`` itself stays as it is. Empty braces, and ones that are
    not closed, are text.

    Raises:
        InvalidOption: what stands between the braces is no Python expression, or it fails.

    """
    found = pieces(text)
    return "".join(inserted(evaluate(piece)) if is_expression else piece for piece, is_expression in found)


def pieces(text: str, names: Collection[str] = ()) -> Iterator[tuple[str, bool]]:
    """Give the parts of ``text`` in order, each with whether it is an expression (then without its braces).

    Each of ``names`` counts as an expression, whatever it looks like.

    Raises:
        InvalidOption: what stands between the braces is no Python expression.

    """
    position = 0
    while (start := text.find("{{", position)) >= 0:
        end, expression = _closing(text, start + 2, names)
        if end < 0:
            break
        yield text[position:start], False
        yield (expression, True) if expression else (text[start:end], False)
        position = end
    yield text[position:], False


def inserted(value: Any) -> str:
    """Return what stands for a value in a text: its ``str``; of frames, series and arrays a description.

    Raises:
        InvalidOption: its ``str`` fails.

    """
    if type(value) in PLAIN:
        return str(value)
    from codex_nb.chat.context import described, is_described

    if is_described(value):
        return described(value)
    try:
        return str(value)
    except Exception as error:
        raise InvalidOption(
            f"A value of type {type(value).__name__} has no text: its str fails with {type(error).__name__}.",
            hint="Put a part of it in. Nothing was sent.",
        ) from error


def _closing(text: str, start: int, names: Collection[str]) -> tuple[int, str]:
    """Return the end of the braces that open before ``start``, and the expression in them; -1 when they do not close.

    An expression may hold braces itself, so the first ``}}`` that leaves a whole expression counts.
    """
    first = end = text.find("}}", start)
    while end >= 0:
        expression = text[start:end].strip()
        if not expression or expression in names or _is_expression(expression):
            return end + 2, expression
        # `{{ {1: {2: 3}}[1] }}`: the next candidate may overlap this one.
        end = text.find("}}", end + 1) if "\n\n" not in text[start:end] else -1
    if first >= 0:
        raise InvalidOption(
            f"{{{{{text[start:first].strip()[:60]}}}}} is no Python expression.",
            hint="Double braces put a value in; --no-interpolate sends them as they are.",
        )
    return -1, ""


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def evaluator(namespace: Mapping[str, Any], form: str = "{{{{{}}}}}") -> Callable[[str], Any]:
    """Return what evaluates an expression in ``namespace``, with errors that are one line and name what is close.

    ``form`` is how an expression looks in an error.
    """

    def evaluate(expression: str) -> Any:
        if not expression.strip():
            raise InvalidOption(f"{form.format('').strip()} names nothing.", hint="Name a variable or an expression.")
        shown = form.format(expression if len(expression) <= 60 else f"{expression[:59]}…")
        try:
            return eval(_compiled(expression), dict(namespace))  # noqa: S307 - the user's own notebook
        except NameError as error:
            close = get_close_matches(error.name or "", list(namespace))
            raise InvalidOption(
                f"{shown}: there is no variable {error.name!r}.",
                hint=f"Close to it: {', '.join(close)}." if close else "Run the cell that makes it first.",
            ) from error
        except Exception as error:
            raise InvalidOption(
                f"{shown} fails with {type(error).__name__}: {error}.", hint="Nothing was sent."
            ) from error

    return evaluate


@functools.lru_cache(256)
def _compiled(expression: str) -> CodeType:
    return compile(expression, "<prompt>", "eval")
