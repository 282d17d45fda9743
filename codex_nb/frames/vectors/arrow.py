"""Vectors to Arrow and back: fixed-size lists, without a copy where that can be."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from codex_nb.frames.vectors.values import together

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["arrow_of", "matrix_of"]


def arrow_of(matrix: NDArray[np.float32], missing: NDArray[np.bool_], kind: Any = None) -> Any:
    """Return the rows of ``matrix`` as an Arrow array of fixed-size lists of float32, null where one is missing."""
    pa: Any = import_module("pyarrow")
    # Lists of no number cannot be written to Parquet; missing ones of one number say the same.
    rows = matrix if matrix.shape[1] else np.full((len(matrix), 1), np.nan, np.float32)
    mask = pa.array(missing) if missing.any() else None
    found = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(rows).ravel()), rows.shape[1], mask=mask)
    return found if kind is None else found.cast(kind)


def matrix_of(array: Any) -> NDArray[np.float32]:
    """Return the lists of numbers of an Arrow array as rows of a float32 matrix, NaN for a null.

    Raises:
        ValueError: they are of several lengths.

    """
    return together([_part(chunk) for chunk in getattr(array, "chunks", [array])])


def _part(chunk: Any) -> NDArray[np.float32]:
    pa: Any = import_module("pyarrow")
    missing = chunk.is_null().to_numpy(zero_copy_only=False)
    if missing.all():  # they are of no length: see above
        return np.empty((len(chunk), 0), np.float32)
    if isinstance(chunk.type, pa.FixedSizeListType):
        width = chunk.type.list_size
        flat = chunk.values.slice(chunk.offset * width, len(chunk) * width)
    else:
        width = _one_length(chunk)
        flat = chunk.flatten()
    numbers = flat.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    if isinstance(chunk.type, pa.FixedSizeListType):
        found = numbers.reshape(len(chunk), width)
        if missing.any():
            found = np.where(missing[:, None], np.float32(np.nan), found)
        return found
    found = np.full((len(chunk), width), np.nan, np.float32)
    found[~missing] = numbers.reshape(np.count_nonzero(~missing), width)
    return found


def _one_length(chunk: Any) -> int:
    lengths = set(chunk.value_lengths().drop_null().to_pylist())
    if len(lengths) > 1:
        raise ValueError("The lists are of several lengths: they are no vectors of one model.")
    return max(lengths, default=0)
