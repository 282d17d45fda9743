"""Vectors without a model: hashed bags of words, so that texts which share words lie nearer to each other."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

SIZES: Final = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
# Each word sets so many places of a vector.
PLACES: Final = 16
# Real models have a direction that all their vectors share; unrelated texts are therefore a little alike.
SHARED: Final = 0.35
# Rows made at a time; the block stays within the processor's cache.
ROWS: Final = 128

BYTES_PER_TOKEN: Final = 4

_WORD = re.compile(r"\w+|[^\w\s]")


def tokens_of(text: str | Sequence[int]) -> int:
    """Return how many tokens an input has: counted for a list, estimated from the length for a text."""
    if not isinstance(text, str):
        return len(text)
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def bag_of_words(inputs: Sequence[str | Sequence[int]], model: str, size: int) -> NDArray[np.float32]:
    """Return one unit vector a text or token list: float32, ``len(inputs)`` by ``size``.

    The same input of the same model always gives the same vector. A ``size`` below the model's own cuts the vectors
    and scales them to length 1 again, as the service does.
    """
    import numpy as np

    whole = SIZES[model]
    seeds = _Seeds(model)
    shared = np.random.default_rng(seeds["\0shared"]).standard_normal(whole, np.float32)
    shared *= SHARED / np.linalg.norm(shared)
    vectors = np.empty((len(inputs), size), np.float32)
    for at in range(0, len(inputs), ROWS):
        block = _block([seeds.of(each) for each in inputs[at : at + ROWS]], whole)
        _to_length_1(block)
        block += shared
        vectors[at : at + ROWS] = block[:, :size]
        _to_length_1(vectors[at : at + ROWS])
    return vectors


def _to_length_1(rows: NDArray[np.float32]) -> None:
    import numpy as np

    rows *= (1 / np.sqrt(np.einsum("ij,ij->i", rows, rows)))[:, None]


def _block(words: list[list[int]], size: int) -> NDArray[np.float32]:
    """Add up the signs that each row's words set."""
    import numpy as np

    rows = np.repeat(np.arange(len(words)), [len(row) for row in words])
    flat = np.array([seed for row in words for seed in row], np.uint64)
    mixed = _mix(flat[:, None] + np.arange(1, PLACES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    places = rows[:, None] * size + (mixed % np.uint64(size)).astype(np.int64)
    signs = (mixed >> np.uint64(63)).astype(np.float64) * 2 - 1
    found = np.bincount(places.ravel(), signs.ravel(), len(words) * size).astype(np.float32)
    found = found.reshape(len(words), size)
    # Signs that all cancel out leave no direction; the first word's first place is then kept.
    for row in np.flatnonzero(~found.any(axis=1)):
        found[row, words[row][0] % size] = 1.0
    return found


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter numbers over 64 bits (the finalizer of splitmix64); overflow is meant."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


class _Seeds(dict[str, int]):
    """The number of each word, made when it is first asked for."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._key = hashlib.blake2b(model.encode(), digest_size=16).digest()

    def __missing__(self, word: str) -> int:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key).digest()
        self[word] = found = int.from_bytes(digest, "little")
        return found

    def of(self, text: str | Sequence[int]) -> list[int]:
        """Return the numbers of a text's words and one of the whole, which tells apart texts of the same words."""
        return list(map(self.__getitem__, _words(text)))


def _words(text: str | Sequence[int]) -> list[str]:
    if isinstance(text, str):
        return [f"\0text {text}", *_WORD.findall(text.casefold())]
    return [f"\0tokens {list(text)}", *(f"\0{token}" for token in text)]
