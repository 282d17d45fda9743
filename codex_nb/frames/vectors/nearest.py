"""Which vectors point the same way, where they gather, and how they lie in a plane; exact, and in bounded memory."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from codex_nb.errors import InvalidOption
from codex_nb.extras import extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from codex_nb.frames.vectors.column import VectorArray

__all__ = ["groups", "nearest", "plane"]

# Rows that are looked at together, and rows that are copied together.
BLOCK: Final = 16_384
COPIED: Final = 1_024
# What float32 may be off by, in a product of vectors of length 1.
OFF: Final = 1e-5
# Lengths beyond which a product does not fit into float32.
SHORT, LONG = 1e-15, 1e15
# What clusters and directions are told from, where there is more.
SAMPLE: Final = 20_000
STARTS: Final = 4
ROUNDS: Final = 30


def directed(array: VectorArray) -> NDArray[np.bool_]:
    """Return which vectors have a direction: neither missing nor zero, and all of numbers."""
    lengths = array.lengths
    return np.isfinite(lengths) & (lengths > 0)


def nearest(array: VectorArray, query: NDArray[Any], k: int, skip: int = -1) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return the ``k`` rows whose vectors are most alike ``query``, the best first, and their cosines (float64).

    Equal ones stand in the order of their rows. Vectors without a direction, and the row ``skip``, are never found.

    Raises:
        InvalidOption: the query has no direction.

    """
    wanted = query.astype(np.float64)
    length = float(np.sqrt(wanted @ wanted))
    if not 0 < length < np.inf:
        raise InvalidOption("Nothing is alike a vector without a direction.", hint="It is zero, or not all numbers.")
    wanted /= length
    rough = _rough(array, wanted) if array.width else np.full(len(array), -np.inf)
    if 0 <= skip < len(rough):
        rough[skip] = -np.inf
    k = min(k, int(np.isfinite(rough).sum()))
    if k < 1:
        return np.empty(0, np.intp), np.empty(0)
    # Float32 finds them but may swap those that are almost equal, so the best are measured again.
    least = np.partition(rough, len(rough) - k)[len(rough) - k]
    rows = np.flatnonzero(rough >= least - OFF)
    cosines = _exact(array, rows, wanted)
    best = np.lexsort((rows, -cosines))[:k]
    return rows[best], cosines[best]


def _rough(array: VectorArray, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine of each row to a few digits, -inf where there is none."""
    matrix, lengths, good = array.matrix, array.lengths, directed(array)
    found, narrow = np.empty(len(matrix)), wanted.astype(np.float32)
    with np.errstate(all="ignore"):
        for at in _blocks(len(matrix), BLOCK):
            found[at] = matrix[at] @ narrow / lengths[at]
    found[~good] = -np.inf
    extreme = np.flatnonzero(good & ((lengths < SHORT) | (lengths > LONG)))
    found[extreme] = _exact(array, extreme, wanted)
    return found


def _exact(array: VectorArray, rows: NDArray[np.intp], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.empty(len(rows))
    for at in _blocks(len(rows), COPIED):
        # A sum a row, so that equal vectors have equal cosines wherever they stand.
        products = (array.matrix[rows[at]] * wanted).sum(axis=1)
        found[at] = products / array.lengths[rows[at]]
    return np.clip(found, -1.0, 1.0)


def groups(array: VectorArray, k: int, seed: int) -> NDArray[np.intp]:
    """Return the number of each vector's group, 0 for the largest one, -1 for a vector without a direction.

    By scikit-learn's k-means on the directions, told from a sample where there are many vectors.

    Raises:
        CodexError: scikit-learn is not installed.
        InvalidOption: there are fewer vectors than groups.

    """
    good = np.flatnonzero(directed(array))
    if not 0 < k <= len(good):
        raise InvalidOption(
            f"{len(good)} vectors cannot make {k} groups.", hint="k is at least 1, and at most the number of vectors."
        )
    with extra("cluster", "Grouping"):
        means: Any = import_module("sklearn.cluster").KMeans(k, n_init=STARTS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer vectors that differ than groups: there are then fewer groups
        means.fit(_directions(array, _sample(good, seed)))
    centres = means.cluster_centers_.astype(np.float32)
    half = (centres * centres).sum(axis=1) / 2
    found = np.full(len(array), -1, np.intp)
    for at in _blocks(len(good), COPIED):
        found[good[at]] = np.argmax(_directions(array, good[at]) @ centres.T - half, axis=1)
    return _by_size(found)


def _by_size(found: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give groups new numbers: the largest first, then that whose first row comes first."""
    names, first, counts = np.unique(found[found >= 0], return_index=True, return_counts=True)
    numbers = np.empty(max(names, default=0) + 1, np.intp)
    numbers[names[np.lexsort((first, -counts))]] = np.arange(len(names))
    return np.where(found < 0, -1, numbers[found])


def plane(array: VectorArray, seed: int) -> tuple[NDArray[np.float64], float]:
    """Return where each vector lies in the plane that shows most of their differences, and which part it shows.

    By principal components of the directions, told from a sample where there are many vectors. Rows by two, NaN for a
    vector without a direction; the part is of the variance, 0 to 1, NaN where there is none.
    """
    found = np.full((len(array), 2), np.nan)
    good = np.flatnonzero(directed(array))
    if not len(good):
        return found, np.nan
    sample = _directions(array, _sample(good, seed))
    middle = sample.mean(axis=0)
    sample -= middle
    axes = _axes(sample, seed)
    for at in _blocks(len(good), COPIED):
        found[good[at]] = (_directions(array, good[at]) - middle) @ axes
    whole = float(np.einsum("ij,ij->", sample, sample, dtype=np.float64))
    shown = float(((sample @ axes).astype(np.float64) ** 2).sum())
    return found, shown / whole if whole > OFF else np.nan


def _axes(sample: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return the two first principal axes, as columns: by iteration of a small subspace, as a whole SVD takes minutes.

    Each points to where its largest number is positive, so that a picture is not mirrored from one call to the next.
    """
    width = sample.shape[1]
    start = np.random.default_rng(seed).standard_normal((width, min(width, 12)))
    space = np.linalg.qr(start)[0].astype(np.float32)
    for _ in range(ROUNDS):
        space = np.linalg.qr(sample.T @ (sample @ space))[0]
    within = sample @ space
    turned = np.linalg.eigh(within.T.astype(np.float64) @ within)[1][:, ::-1]
    axes = np.zeros((width, 2), np.float32)
    axes[:, : min(2, width)] = (space @ turned)[:, :2]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return axes * np.where(largest < 0, -1, 1).astype(np.float32)


def _sample(rows: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    return rows if len(rows) <= SAMPLE else np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))


def _directions(array: VectorArray, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return array.matrix[rows] / array.lengths[rows][:, None].astype(np.float32)


def _blocks(count: int, size: int) -> Iterator[slice]:
    return (slice(at, at + size) for at in range(0, count, size))
