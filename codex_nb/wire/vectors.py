"""Replies full of vectors, put into one matrix as they come."""

from __future__ import annotations

import threading
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.errors import CodexError
from codex_nb.wire.json import as_number, as_object, as_text
from codex_nb.wire.vector_reply import Row, VectorReply, malformed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codex_nb.wire.call import Reply

__all__ = ["Vectors"]

NUMBER: Final = 4
# Of packed vectors bytes, of lists numbers.
BLOCK: Final = 1 << 20


class Vectors:
    """A matrix of ``count`` rows in the making: each reply fills its own rows, in whichever order they come.

    The first vector decides how long all are, unless ``size`` does. Thread-safe: one reply is read at a time, so that
    the rows of one alone stand beside the matrix.
    """

    def __init__(self, count: int, size: int | None = None) -> None:
        self.count = count
        self.size = size
        self.model: str | None = None
        self.prompt_tokens = self.total_tokens = 0
        self._matrix: NDArray[np.float32] | None = None
        self._lock = threading.Lock()

    def put(self, span: range, reply: Reply) -> None:
        """Fill the rows of ``span``.

        Raises:
            MalformedStream: the reply does not hold exactly one vector for each, all of one length.

        """
        with self._lock:
            body = VectorReply.of(reply)
            self._fill(span, _in_order(body.data, len(span)))
            self.model = self.model or as_text(body.model)
            usage = as_object(body.usage)
            self.prompt_tokens += int(as_number(usage.get("prompt_tokens")) or 0)
            self.total_tokens += int(as_number(usage.get("total_tokens")) or 0)

    def matrix(self, size: int = 0) -> NDArray[np.float32]:
        """Return the matrix, float32 and C-contiguous; without any row it is 0 by ``size``."""
        import numpy as np

        return np.empty((self.count, size), np.float32) if self._matrix is None else self._matrix

    def _fill(self, span: range, rows: list[Row]) -> None:
        # A block at a time, so that little of a reply is held in two forms.
        at_once = max(1, BLOCK // max(1, len(rows[0].embedding)))
        for at in range(0, len(rows), at_once):
            block = _block(rows[at : at + at_once], self.size)
            start = span.start + at
            self._room(block.shape[1])[start : start + len(block)] = block

    def _room(self, size: int) -> NDArray[np.float32]:
        """Return the matrix, made when the first vector shows its length."""
        import numpy as np

        if self._matrix is None:
            self.size = size
            try:
                self._matrix = np.empty((self.count, size), np.float32)
            except (MemoryError, ValueError):
                raise CodexError(
                    f"A matrix of {self.count} by {size} numbers does not fit into memory.",
                    hint="Embed in several calls, or ask for fewer dimensions.",
                ) from None
        return self._matrix


def _in_order(rows: list[Row], count: int) -> list[Row]:
    """Return ``count`` rows by their places, which are 0, 1, 2 and so on."""
    expected = list(range(count))
    if [row.index for row in rows] == expected:  # as mostly
        return rows
    rows.sort(key=attrgetter("index"))
    if [row.index for row in rows] != expected:
        raise malformed(f"{count} inputs were sent, and the {len(rows)} vectors that came are not theirs.")
    return rows


def _block(rows: list[Row], size: int | None) -> NDArray[np.float32]:
    """Return vectors, all base64 or all lists of numbers, as rows of ``size`` (None: of one length, whichever)."""
    import numpy as np

    vectors = [row.embedding for row in rows]
    packed = isinstance(vectors[0], bytes)
    lengths = {length / NUMBER if packed else length for length in set(map(len, vectors))}
    if len(lengths) > 1 or 0 in lengths or size not in {None, *lengths}:
        raise malformed(
            f"Vectors came with {' and '.join(f'{length:g}' for length in sorted(lengths))} numbers"
            f"{f' where {size} were expected' if size else ''}.",
            hint="If dimensions= was given, the model may not know it: leave it out.",
        )
    try:
        with np.errstate(over="ignore"):  # what float32 does not hold is infinite in it
            numbers: Any = np.frombuffer(b"".join(cast("Any", vectors)), "<f4") if packed else vectors
            return np.asarray(numbers, np.float32).reshape(len(vectors), -1)
    except (TypeError, ValueError):  # half a number, or one form among the other
        raise malformed("The server sent a vector that is neither base64 of float32 nor a list of numbers.") from None
