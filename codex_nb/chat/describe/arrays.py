"""Arrays: numpy's, and what says its shape and dtype and can become one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from codex_nb.chat.describe.text import cell_text, counted, redact

__all__ = ["array_bodies", "is_array"]

# Statistics of a larger array are of evenly spaced values.
COUNTED: Final = 20_000_000


def is_array(value: Any) -> bool:
    """Whether ``value`` is an array, or a tensor that can become one without leaving the memory it is in."""
    numpy = sys.modules.get("numpy")
    if numpy is None or isinstance(value, type | numpy.generic):
        return False
    return isinstance(value, numpy.ndarray) or (
        hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "__array__") and hasattr(value, "ndim")
    )


def array_bodies(value: Any) -> tuple[str, Iterator[str]]:
    """Return what kind of array ``value`` is, and its description, from the most to the least detailed."""
    import numpy as np

    shape = " x ".join(str(size) for size in value.shape) or "one value"
    kind = f"{type(value).__module__.partition('.')[0]} {type(value).__name__}, {shape}, {value.dtype}"
    array = np.asarray(value)
    if array.dtype.names and array.ndim == 1:
        import pandas as pd

        from codex_nb.chat.describe.frames import frame_bodies

        return kind, frame_bodies(pd.DataFrame.from_records(array))[1]
    return kind, _bodies(array, _facts(array))


def _facts(array: Any) -> str:
    """Return range, mean and gaps of numbers, and the values of flags."""
    import numpy as np

    flat = array.reshape(-1)
    flat = flat[:: max(1, -(-flat.size // COUNTED))]
    if array.dtype.kind == "b":
        return f"{counted(int(flat.sum()), 'value')} true of {flat.size}"
    if array.dtype.kind in {"M", "m"}:
        known = flat[~np.isnat(flat)]
        return f"{known.min()} … {known.max()}, {flat.size - known.size} missing" if known.size else "all missing"
    if array.dtype.kind not in "iuf" or not flat.size:
        return ""
    known = flat[np.isfinite(flat)] if array.dtype.kind == "f" else flat
    if not known.size:
        return "no finite value"
    odd = f", {flat.size - known.size} not finite" if known.size < flat.size else ""
    low, high = cell_text(known.min().item()), cell_text(known.max().item())
    mean, spread = cell_text(float(known.mean(dtype=float))), cell_text(float(known.std(dtype=float)))
    return f"{low} … {high}, mean {mean}, standard deviation {spread}{odd}"


def _bodies(array: Any, facts: str) -> Iterator[str]:
    import numpy as np

    for threshold, edge in ((200, 10), (60, 4), (20, 2), (6, 1)):
        values = np.array2string(array, threshold=threshold, edgeitems=edge, precision=6, max_line_width=110)
        yield "\n".join(each for each in (facts, redact(values)) if each)
    yield facts
