"""What a user, pandas or a file calls a vector, or several: numpy arrays, lists, columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float32]

__all__ = ["as_rows", "is_missing", "one_width", "short", "together"]

SHOWN: Final = 3


def as_rows(value: Any) -> Matrix:
    """Return one vector as an array of one dimension, several as a matrix.

    Raises:
        TypeError, ValueError: it is neither.

    """
    if isinstance(value, (pd.Series, pd.Index)):
        return as_rows(cast("Any", value).array)
    if isinstance(value, ExtensionArray) and hasattr(value, "matrix"):  # a column of vectors
        return cast("Any", value).matrix
    if is_missing(value):
        return np.empty(0, np.float32)
    if isinstance(value, np.ndarray) and cast("Any", value).dtype.kind in "fiu":
        return cast("Matrix", cast("Any", value).astype(np.float32, copy=False))
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"A {type(value).__name__} is no vector.")
    return _stacked(list(cast("Iterable[Any]", value)))


def _stacked(values: list[Any]) -> Matrix:
    if all(isinstance(each, (int, float, np.number)) for each in values) and not all(map(is_missing, values)):
        return np.array(values, np.float32)
    # A list of no number is a missing vector, though it might be one of no vector.
    rows = [row if row.size else row.ravel() for row in map(as_rows, values)]
    if any(row.ndim != 1 for row in rows):
        raise TypeError("A column of vectors is made of vectors, or of a matrix.")
    width = one_width({len(row) for row in rows})
    found = np.full((len(rows), width), np.nan, np.float32)
    for place, row in enumerate(rows):
        if len(row):
            found[place] = row
    return found


def is_missing(value: Any) -> bool:
    """Whether a value stands for a missing vector."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))  # pyright: ignore[reportUnknownArgumentType]


def one_width(widths: set[int]) -> int:
    """Return the one length of vectors; those of none are missing ones.

    Raises:
        ValueError: there are several.

    """
    if len(several := widths - {0}) > 1:
        told = " and ".join(map(str, sorted(several)))
        raise ValueError(f"Vectors of {told} numbers cannot stand in one column: other models or dimensions made them.")
    return max(widths, default=0)


def together(parts: Sequence[Matrix]) -> Matrix:
    """Return the rows of several matrices as one. Where one holds no vector, its width says nothing.

    Raises:
        ValueError: there are vectors of several lengths.

    """
    widths = {part.shape[1] for part in parts}
    if len(widths) > 1:
        widths = {part.shape[1] for part in parts if any(not np.isnan(row).all() for row in part)}
    width = one_width(widths)
    same = (part if part.shape[1] == width else np.full((len(part), width), np.nan, np.float32) for part in parts)
    return np.concatenate([np.empty((0, width), np.float32), *same])


def short(vector: Any) -> str:
    """Return a vector as a table shows it: its first numbers."""
    if vector is pd.NA:
        return "<NA>"
    numbers = ", ".join(f"{number:.3g}" for number in vector[:SHOWN])
    return f"[{numbers}{', …' if len(vector) > SHOWN else ''}]"
