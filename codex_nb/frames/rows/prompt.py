"""A prompt for each row of a frame: ``{{…}}`` names a column, or is an expression of columns."""

from __future__ import annotations

import ast
import builtins
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from codex_nb.chat.expand import evaluator, inserted, pieces
from codex_nb.errors import CodexError, InvalidOption
from codex_nb.privacy import is_private

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["row_texts"]

BUILTINS: Final = frozenset(dir(builtins))


def row_texts(prompt: str, frame: pd.DataFrame) -> list[str | CodexError]:
    """Return the text of each row of ``frame``; an error stands where a row has none.

    ``{{unit price}}`` is the column of that name (or the level of the index), any other ``{{…}}`` a Python expression
    of columns: ``{{name.title()}}``. A missing value is put in as nothing; a row in which all that is named is missing
    is not asked about. Values are not looked at again: one that holds braces stays as it is.

    Raises:
        InvalidOption: the prompt names no column, one that is not there, or one that is private.

    """
    columns = _columns(frame)
    parts = [*pieces(prompt, columns)]
    used = _used([piece for piece, is_expression in parts if is_expression], columns)
    missing = [columns[name].isna().to_numpy() for name in used]
    values = {name: columns[name].tolist() for name in used}
    texts: list[str | CodexError] = []
    for row in range(len(frame)):
        if all(column[row] for column in missing):
            texts.append(CodexError(f"There is nothing to ask: {', '.join(used)} is missing."))
            continue
        known = {name: values[name][row] for name in used}
        absent = {name for name, column in zip(used, missing, strict=True) if column[row]}
        try:
            texts.append("".join(_filled(piece, known, absent) if is_x else piece for piece, is_x in parts))
        except InvalidOption as error:
            texts.append(error)
    return texts


def _filled(piece: str, known: dict[str, Any], absent: set[str]) -> str:
    """Return what stands in a text for an expression."""
    if piece in known:
        return "" if piece in absent else inserted(known[piece])
    return inserted(evaluator(known)(piece))


def _columns(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the columns, and the levels of the index that have names, by their names as text."""
    levels = {
        str(name): frame.index.get_level_values(number).to_series()
        for number, name in enumerate(frame.index.names)
        if name is not None
    }
    return levels | {str(name): frame.iloc[:, number] for number, name in enumerate(frame.columns)}


def _used(expressions: list[str], columns: dict[str, Any]) -> list[str]:
    """Return the columns that ``expressions`` need."""
    used: dict[str, None] = {}
    for expression in expressions:
        for name in [expression] if expression in columns else _names(expression):
            if name not in columns:
                close = get_close_matches(name, columns) or list(columns)[:5]
                raise InvalidOption(f"The frame has no column {name!r}.", hint=f"Close to it: {', '.join(close)}.")
            if is_private(name):
                raise InvalidOption(
                    f"The column {name!r} is private, so it stays on this machine. Nothing was sent.",
                    hint="Leave it out of the prompt, or take the privacy back with .undo().",
                )
            used[name] = None
    if not used:
        raise InvalidOption(
            "The prompt names no column, so all rows would ask the same.",
            hint=f"Put one in double braces: {{{{{next(iter(columns), 'text')}}}}}.",
        )
    return list(used)


def _names(expression: str) -> list[str]:
    """Return the free names of an expression."""
    nodes = [*ast.walk(ast.parse(expression, mode="eval"))]
    read = {node.id: None for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return [name for name in read if name not in bound and name not in BUILTINS]
