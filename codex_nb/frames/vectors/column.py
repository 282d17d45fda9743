"""A column of vectors: one float32 matrix behind a pandas extension type, never lists of floats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype, register_extension_dtype

from codex_nb.frames.vectors.values import as_rows, is_missing, one_width, short, together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix: TypeAlias = NDArray[np.float32]

__all__ = ["VectorArray", "VectorDtype", "is_vectors"]

NAME: Final = re.compile(r"vector(?:\[(.+)\])?")
# Rows looked at together where all have to be: the block stays within the processor's cache.
BLOCK: Final = 1024


@register_extension_dtype
class VectorDtype(ExtensionDtype):
    """The dtype of a column of float32 vectors: ``vector[text-embedding-3-small]``, or ``vector``.

    ``model`` is the one that made them, None where that is not known: vectors of two models have nothing in common.
    All vectors of a column are of one length, which is the column's own (``VectorArray.width``). A missing one is
    ``pd.NA``. Parquet keeps the column as a fixed-size list of float32, which other programs read too; pandas reads
    it back as what it was once ``codex_nb.frames`` is imported.
    """

    type = np.ndarray
    na_value = pd.NA  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    _metadata = ("model",)

    def __init__(self, model: str | None = None) -> None:
        self.model = model

    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The dtype as a text, which ``astype`` takes."""
        return f"vector[{self.model}]" if self.model else "vector"

    def __repr__(self) -> str:
        return self.name

    @classmethod
    def construct_array_type(cls) -> type[VectorArray]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the array of such a column."""
        return VectorArray

    @classmethod
    def construct_from_string(cls, string: str) -> Self:
        """Return the dtype that ``string`` names."""
        if not isinstance(string, str):  # pyright: ignore[reportUnnecessaryIsInstance] - pandas asks with anything
            raise TypeError(f"'construct_from_string' expects a string, got {type(string)}")
        if not (named := NAME.fullmatch(string)):
            raise TypeError(f"Cannot construct a '{cls.__name__}' from '{string}'")
        return cls(named[1])

    def __from_arrow__(self, array: Any) -> VectorArray:
        """Return the column that an Arrow array of lists of numbers holds."""
        from codex_nb.frames.vectors.arrow import matrix_of

        return VectorArray(matrix_of(array), self)

    def _get_common_dtype(self, dtypes: list[Any]) -> VectorDtype | None:
        if not all(isinstance(each, VectorDtype) for each in dtypes):
            return None
        models = {each.model for each in dtypes} - {None}
        return VectorDtype(*models) if len(models) <= 1 else None


def is_vectors(column: Any) -> bool:
    """Whether a column (or an array) is one of vectors."""
    return isinstance(getattr(column, "dtype", None), VectorDtype)


class _Memory:
    """What arrays that look at the same numbers share: the vectors' lengths, measured once, until a number changes."""

    def __init__(self) -> None:
        self.lengths: dict[tuple[Any, ...], NDArray[np.float64]] = {}


class VectorArray(ExtensionArray):
    """Vectors as a pandas array: ``len(array)`` rows of one float32 matrix.

    An element is a vector as a read-only view, a numpy array of shape ``(width,)``; a missing one is ``pd.NA``, and a
    row of NaN in the matrix. ``numpy.asarray(array, "float32")`` is the matrix; without a dtype an array of vectors.
    """

    def __init__(self, matrix: Any, dtype: VectorDtype | str | None = None, *, copy: bool = False) -> None:
        found = np.asarray(matrix, np.float32)
        found = found.copy() if copy or not found.flags.writeable else found
        if found.ndim != 2:
            raise ValueError(f"Vectors are the rows of a matrix, and this has {found.ndim} dimensions.")
        self._matrix: Matrix = found
        self._dtype = VectorDtype.construct_from_string(dtype) if isinstance(dtype, str) else dtype or VectorDtype()
        self._memory = _Memory()

    @property
    def dtype(self) -> VectorDtype:
        """The dtype, which names the model."""
        return self._dtype

    @property
    def matrix(self) -> Matrix:
        """All vectors: float32, rows by numbers, NaN where one is missing; a read-only view, ``.copy()`` is not."""
        found = self._matrix.view()
        found.flags.writeable = False
        return found

    @property
    def width(self) -> int:
        """How many numbers a vector has; 0 where all are missing."""
        return self._matrix.shape[1]

    @property
    def nbytes(self) -> int:
        """The bytes of the matrix."""
        return self._matrix.nbytes

    @property
    def lengths(self) -> NDArray[np.float64]:
        """The length of each vector, float64; NaN for one that is missing or holds NaN. Measured once."""
        matrix, known = self._matrix, self._memory.lengths
        place = (matrix.__array_interface__["data"][0], matrix.shape, matrix.strides)
        if place not in known:
            found = np.empty(len(matrix))
            for at in range(0, len(matrix), BLOCK):
                block = matrix[at : at + BLOCK].astype(np.float64)
                np.sqrt(np.einsum("ij,ij->i", block, block), out=found[at : at + BLOCK])
            if not self.width:
                found[:] = np.nan
            known[place] = found
        return known[place]

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, item: Any) -> Any:
        item = self._place(item)
        if isinstance(item, (int, np.integer)):
            vector = self.matrix[item]
            return pd.NA if np.isnan(vector).all() else vector
        return self._same(self._matrix[item], shared=isinstance(item, slice))

    def __setitem__(self, key: Any, value: Any) -> None:
        if getattr(self, "_readonly", False):  # pandas 3
            raise ValueError("Cannot modify read-only array")
        rows = as_rows(value)
        self._widen(rows.shape[-1])
        if not rows.shape[-1]:  # nothing but missing ones
            rows = np.full((*rows.shape[:-1], self.width), np.nan, np.float32)
        one_width({self.width, rows.shape[-1]})
        self._matrix[self._place(key)] = rows
        self._memory.lengths.clear()

    def __eq__(self, other: object) -> Any:
        if isinstance(other, (pd.Series, pd.Index, pd.DataFrame)):
            return NotImplemented
        try:
            rows = as_rows(other)
        except (TypeError, ValueError):
            rows = None
        if rows is None or rows.shape[-1] != self.width:
            return np.zeros(len(self), bool)
        if rows.ndim == 2 and len(rows) != len(self):
            raise ValueError("Lengths must match to compare")
        return np.logical_and.reduce(self._matrix == rows, axis=1) & ~self.isna()

    __hash__ = None  # pyright: ignore[reportAssignmentType] - as every array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - numpy's signature
        # pandas takes one thing a row, and so does whoever asks for no numbers.
        if dtype is not None and np.dtype(dtype).kind in "fiu":
            return np.array(self.matrix, dtype) if copy else np.asarray(self.matrix, dtype)
        if copy is False:
            raise ValueError("An array of vectors is a copy.")
        found = np.empty(len(self), object)
        found[:] = list(self)
        return found

    def __arrow_array__(self, type: Any = None) -> Any:
        """Return the column as an Arrow array: a fixed-size list of float32."""
        from codex_nb.frames.vectors.arrow import arrow_of

        return arrow_of(self._matrix, self.isna(), type)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._matrix, self._dtype)

    def isna(self) -> NDArray[np.bool_]:
        """Return which vectors are missing."""
        if not self.width:
            return np.ones(len(self), bool)
        found = np.isnan(self._matrix[:, 0])  # of the others nothing has to be read
        for rows in _blocks(np.flatnonzero(found)):
            found[rows] = np.isnan(self._matrix[rows]).all(axis=1)
        return found

    def take(  # pyright: ignore[reportIncompatibleMethodOverride] - its stubs have another name
        self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None
    ) -> Self:
        """Return the vectors at ``indices``; with ``allow_fill`` -1 is ``fill_value``, a missing one by default."""
        places = np.asarray(indices, np.intp)
        filled = (places == -1) if allow_fill else np.zeros(len(places), bool)
        if allow_fill and (places < -1).any():
            raise ValueError("'indices' contains values less than allowed (-1).")
        if not len(self) and not filled.all():
            raise IndexError("cannot do a non-empty take from an empty axes.")
        if not filled.any():
            return self._same(self._matrix[places])
        found = self._same(np.full((len(places), self.width), np.nan, np.float32))
        found._matrix[~filled] = self._matrix[places[~filled]]  # noqa: SLF001
        if fill_value is not None and not is_missing(fill_value):
            found[filled] = fill_value
        return found

    def copy(self) -> Self:
        """Return the same vectors in memory of their own."""
        return self._same(self._matrix.copy())

    def view(self, dtype: Any = None) -> Any:
        """Return another array that looks at the same numbers."""
        if dtype is not None and dtype != self.dtype:
            raise NotImplementedError(dtype)
        return self._same(self._matrix, shared=True)

    def astype(self, dtype: Any, copy: bool = True) -> Any:  # noqa: FBT001, FBT002 - pandas' signature
        """Return the vectors as another dtype; another ``vector[…]`` says anew which model made them."""
        dtype = pd.api.types.pandas_dtype(dtype)
        if isinstance(dtype, VectorDtype) and dtype != self.dtype:
            return VectorArray(self._matrix, dtype, copy=copy)
        if dtype.kind == "U":  # pandas 2
            return np.array([str(each) for each in self], object)
        return super().astype(dtype, copy)

    def unique(self) -> Self:
        """Return each vector once, in the order of their first places."""
        return self.factorize(use_na_sentinel=False)[1]

    def duplicated(self, keep: Any = "first") -> NDArray[np.bool_]:
        """Return which vectors occur once more: after their first place, before their last one, or (False) at all."""
        return pd.Series(self.factorize(use_na_sentinel=False)[0]).duplicated(keep).to_numpy(bool)

    def isin(self, values: Any) -> NDArray[np.bool_]:
        """Return which vectors are among ``values``, number for number; missing ones are if one of those is."""
        try:
            wanted = self._from_sequence(values, dtype=self.dtype)
            both = self._concat_same_type([self, wanted])
        except (TypeError, ValueError):  # they are no such vectors: a frame asks each of its columns
            return np.zeros(len(self), bool)
        codes = both.factorize(use_na_sentinel=False)[0]
        return np.isin(codes[: len(self)], codes[len(self) :])

    def value_counts(self, dropna: bool = True) -> pd.Series[int]:  # noqa: FBT001, FBT002 - pandas' signature
        """Return how often each vector occurs."""
        codes, found = self.factorize(use_na_sentinel=dropna)
        counts = np.bincount(codes[codes >= 0], minlength=len(found))
        return pd.Series(counts, index=pd.Index(cast("Any", found)), name="count")

    def _same(self, matrix: Matrix, *, shared: bool = False) -> Self:
        """Return an array of the same dtype; ``shared`` if it looks at numbers of this one."""
        found = type(self)(matrix, self._dtype)
        if shared:
            found._memory = self._memory  # noqa: SLF001
            if getattr(self, "_readonly", False):
                found._readonly = True  # noqa: SLF001 - pandas 3  # pyright: ignore[reportAttributeAccessIssue]
        return found

    def _place(self, item: Any) -> Any:
        """Return what numpy can index rows with."""
        if isinstance(item, tuple):  # such as [..., 0]
            item = [each for each in cast("tuple[Any, ...]", item) if each is not Ellipsis]
            if len(item) > 1:
                raise IndexError("too many indices for array.")
            item = item[0] if item else slice(None)
        if item is Ellipsis:
            return slice(None)
        check: Any = pd.api.indexers.check_array_indexer
        return check(self, item)

    def _widen(self, width: int) -> None:
        """Give missing vectors the length of the first one that is not."""
        if width and width != self.width and self.isna().all():
            self._matrix = np.full((len(self), width), np.nan, np.float32)

    def _formatter(self, boxed: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 - pandas' signature
        return short

    def _values_for_factorize(self) -> tuple[NDArray[Any], Any]:
        found = np.empty(len(self), object)
        # 0.0 and -0.0 are one number.
        found[:] = [
            None if gone else (row + 0.0).tobytes() for row, gone in zip(self._matrix, self.isna(), strict=True)
        ]
        return found, None

    @classmethod
    def _from_factorized(cls, values: Any, original: Self) -> Self:
        missing = np.full(original.width, np.nan, np.float32)
        rows = [missing if each is None else np.frombuffer(each, np.float32) for each in values]
        return cls(np.array(rows, np.float32).reshape(len(rows), original.width), original.dtype)

    def _values_for_argsort(self) -> NDArray[Any]:
        # By their numbers, from left to right: grouping by vectors sorts them.
        return np.unique(self._matrix, axis=0, return_inverse=True)[1].reshape(-1)

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> Self:
        dtype = dtype if dtype is None else pd.api.types.pandas_dtype(dtype)
        if isinstance(scalars, VectorArray):
            return cls(scalars._matrix, dtype or scalars.dtype, copy=copy)  # noqa: SLF001
        rows = as_rows(scalars) if len(scalars) else np.empty((0, 0), np.float32)
        if rows.ndim != 2:
            raise TypeError("A column of vectors is made of vectors, or of a matrix.")
        return cls(rows, dtype, copy=copy)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[Self]) -> Self:
        return cls(together([each.matrix for each in to_concat]), to_concat[0].dtype)


def _blocks(rows: NDArray[np.intp]) -> Iterable[NDArray[np.intp]]:
    return (rows[at : at + BLOCK] for at in range(0, len(rows), BLOCK))
