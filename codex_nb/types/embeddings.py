"""Vectors: one matrix, and openai-python's shape as a view of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from codex_nb.types._base import Shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Embedding", "EmbeddingResponse", "EmbeddingUsage", "Encoding"]

Encoding = Literal["float", "base64"]
SHOWN: Final = 3


class EmbeddingUsage(Shape):
    """The tokens of all requests together."""

    prompt_tokens: int = 0
    total_tokens: int = 0


class Embedding:
    """One vector of a response; ``vector`` is its row of the matrix (float32, a view)."""

    __slots__ = ("_encoding", "index", "vector")

    def __init__(self, index: int, vector: NDArray[np.float32], encoding: Encoding = "float") -> None:
        self.index = index
        self.vector = vector
        self._encoding: Encoding = encoding

    @property
    def object(self) -> str:
        """Always ``embedding``, as openai-python says."""
        return "embedding"

    @property
    def embedding(self) -> Any:
        """The vector as a list of floats, or as base64 of little-endian float32 where that was asked for.

        Made anew each time; `vector` costs nothing.
        """
        return self.vector.tolist() if self._encoding == "float" else _packed(self.vector)

    @property
    def raw(self) -> dict[str, Any]:
        """The vector as the wire has it, in base64."""
        return {"object": self.object, "index": self.index, "embedding": _packed(self.vector)}

    def __len__(self) -> int:
        return len(self.vector)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{number:.4g}" for number in self.vector[:SHOWN].tolist())
        return f"Embedding({self.index}, [{numbers}{', …' if len(self.vector) > SHOWN else ''}] of {len(self.vector)})"


class _Data(Sequence[Embedding]):
    """The rows of a matrix as `Embedding` objects, each made when it is asked for."""

    __slots__ = ("_encoding", "_matrix")

    def __init__(self, matrix: NDArray[np.float32], encoding: Encoding) -> None:
        self._matrix = matrix
        self._encoding: Encoding = encoding

    def __len__(self) -> int:
        return len(self._matrix)

    @overload
    def __getitem__(self, index: int) -> Embedding: ...
    @overload
    def __getitem__(self, index: slice) -> list[Embedding]: ...
    def __getitem__(self, index: int | slice) -> Embedding | list[Embedding]:
        places = range(len(self))[index]
        if isinstance(places, range):
            return [Embedding(place, self._matrix[place], self._encoding) for place in places]
        return Embedding(places, self._matrix[places], self._encoding)

    def __repr__(self) -> str:
        return f"<{len(self)} embeddings>"


class EmbeddingResponse:
    """The vectors of all inputs, in their order. Iterates, counts and indexes like a list of `Embedding`.

    ``matrix`` is inputs by dimensions, float32, C-contiguous; ``numpy.asarray(response)`` is the same array.
    ``data[i].embedding`` is openai-python's list of floats, made when asked for. ``model`` is the one that the
    service names, ``usage`` the tokens of all requests.
    """

    def __init__(
        self, matrix: NDArray[np.float32], *, model: str, usage: EmbeddingUsage, encoding_format: Encoding = "float"
    ) -> None:
        self.matrix = matrix
        self.model = model
        self.usage = usage
        self.data: Sequence[Embedding] = _Data(matrix, encoding_format)

    @property
    def object(self) -> str:
        """Always ``list``, as openai-python says."""
        return "list"

    @property
    def raw(self) -> dict[str, Any]:
        """The response as one payload of the wire, its vectors in base64. Made anew each time."""
        rows = [row.raw for row in self.data]
        return {"object": self.object, "data": rows, "model": self.model, "usage": self.usage.raw}

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - numpy's signature
        import numpy as np

        if dtype is not None and np.dtype(dtype) != self.matrix.dtype:
            if copy is False:
                raise ValueError("Another dtype needs a copy of the matrix.")
            return self.matrix.astype(dtype)
        return self.matrix.copy() if copy else self.matrix

    def __iter__(self) -> Iterator[Embedding]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Embedding:
        return self.data[index]

    def __repr__(self) -> str:
        rows, size = self.matrix.shape
        return f"EmbeddingResponse({rows} by {size}, model={self.model!r}, total_tokens={self.usage.total_tokens})"


def _packed(vector: NDArray[np.float32]) -> str:
    from base64 import b64encode

    return b64encode(vector.astype("<f4", copy=False).tobytes()).decode("ascii")
