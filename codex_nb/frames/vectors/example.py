"""Vectors for an example: what a library that works later tries a step on, to know the form of its result."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from codex_nb.frames.vectors.column import VectorArray, VectorDtype

__all__ = ["ExampleVectors"]


class ExampleVectors(VectorArray):
    """Two vectors. The length of the real ones is not known yet, so in Arrow these are lists of any length."""

    @classmethod
    def of(cls, dtype: VectorDtype) -> ExampleVectors:
        """Return an example of a column."""
        return cls(np.eye(2), dtype)

    def __arrow_array__(self, type: Any = None) -> Any:
        """Return the two as an Arrow array."""
        pa: Any = import_module("pyarrow")
        return super().__arrow_array__(type or pa.list_(pa.float32()))
