"""A prompt for each row of a frame: ``{{…}}`` names a column, or is an expression of columns."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable
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
    of columns: ``{{name.title()}}``. A column stands before a builtin of its name, which can still be called. A
    missing value is put in as nothing; a row in which all that is named is missing is not asked about. Values are not
    looked at again: one that holds braces stays as it is.

    Raises:
        InvalidOption: the prompt names no column, one that is not there, or one that is private.

    """
    _refuse_no_text(prompt)
    columns = _columns(frame)
    parts = [*pieces(prompt, columns)]
    named = {piece: _names(piece, columns) for piece, is_x in parts if is_x}
    used = _used(named.values(), columns)
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
            filled = {
                piece: _filled(piece, {name: known[name] for name in own}, absent) for piece, own in named.items()
            }
            texts.append("".join(filled[piece] if is_x else piece for piece, is_x in parts))
        except InvalidOption as error:
            texts.append(error)
    return texts


def _refuse_no_text(prompt: Any) -> None:
    if not isinstance(prompt, str):
        raise InvalidOption(
            f"The prompt is of type {type(prompt).__name__}, and no text.",
            hint='Name columns in it: "Classify: {{text}}"; {{…}} takes expressions of them, too.',
        )


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


def _used(named: Iterable[list[str]], columns: dict[str, Any]) -> list[str]:
    """Return the columns that are ``named`` by expressions, each once."""
    used: dict[str, None] = {}
    for names in named:
        for name in names:
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


def _names(expression: str, columns: Collection[str]) -> list[str]:
    """Return the columns that an expression names, also such as are not there.

    A builtin is no column where it is only called, ``len(text)``, or where there is no column of its name.
    """
    if expression in columns:
        return [expression]
    tree = ast.parse(expression, mode="eval").body
    if isinstance(tree, ast.Name):  # a builtin by itself says nothing of a row
        return [tree.id]
    nodes = [*ast.walk(tree)]
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    free = [node for node in names if node.id not in bound]
    meant = [node for node in free if node.id not in BUILTINS or (node.id in columns and id(node) not in called)]
    return [*dict.fromkeys(node.id for node in meant)]
