"""Replies full of vectors, put into one matrix as they come."""

from __future__ import annotations

import threading
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import ConfigDict, TypeAdapter

from codex_nb.errors import CodexError, MalformedStream
from codex_nb.wire.json import JSONObject, as_number, as_object, as_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codex_nb.wire.call import Reply

__all__ = ["Vectors"]

NUMBER: Final = 4
BLOCK: Final = 128
CHANGED: Final = "The server's reply is not as the embeddings endpoint's must be; look for a newer codex_nb."

# Refuses what is no base64, as binascii does in its strict mode, in a fifth of the time.
_unpacked = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64")).validator.validate_strings


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
            body, places, embeddings = _read(reply)
            self._fill(span, places, embeddings)
            self.model = self.model or as_text(body.get("model"))
            usage = as_object(body.get("usage"))
            self.prompt_tokens += int(as_number(usage.get("prompt_tokens")) or 0)
            self.total_tokens += int(as_number(usage.get("total_tokens")) or 0)

    def matrix(self, size: int = 0) -> NDArray[np.float32]:
        """Return the matrix, float32 and C-contiguous; without any row it is 0 by ``size``."""
        import numpy as np

        return np.empty((self.count, size), np.float32) if self._matrix is None else self._matrix

    def _fill(self, span: range, places: list[int], embeddings: list[Any]) -> None:
        import numpy as np

        # Mostly in order, which is quickly seen.
        expected = list(range(len(span)))
        if places != expected and (len(places) != len(span) or set(places) != set(expected)):
            raise _malformed(f"{len(span)} inputs were sent, and the {len(places)} vectors that came are not theirs.")
        rows = np.fromiter(places, np.intp, len(places)) + span.start
        # A block at a time, so that little of a reply is held in two forms.
        for at in range(0, len(rows), BLOCK):
            block = _block(embeddings[at : at + BLOCK], self.size)
            self._room(block.shape[1])[rows[at : at + BLOCK]] = block

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


def _read(reply: Reply) -> tuple[JSONObject, list[int], list[Any]]:
    """Return a reply, its rows' places, and their vectors as they came."""
    body = as_object(reply.json())
    try:
        rows: list[Any] = body.pop("data")
        return body, list(map(itemgetter("index"), rows)), list(map(itemgetter("embedding"), rows))
    except (KeyError, TypeError):
        raise _malformed("The server sent embeddings whose form is not understood.") from None


def _block(embeddings: list[Any], size: int | None) -> NDArray[np.float32]:
    """Return vectors, all base64 or all lists of numbers, as rows of ``size`` (None: of one length, whichever)."""
    import numpy as np

    try:
        if isinstance(embeddings[0], str):
            packed = list(map(_unpacked, embeddings))
            rows = np.frombuffer(b"".join(packed), "<f4")
            lengths = {size / NUMBER for size in set(map(len, packed))}
        else:
            lengths = {float(len(_numbers(row))) for row in embeddings}
            with np.errstate(over="ignore"):  # what float32 does not hold is infinite in it
                rows = np.array(embeddings, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise _malformed("The server sent a vector that is neither base64 of float32 nor a list of numbers.") from None
    if len(lengths) > 1 or 0.0 in lengths or size not in {None, *lengths}:
        raise _malformed(
            f"Vectors came with {' and '.join(f'{length:g}' for length in sorted(lengths))} numbers"
            f"{f' where {size} were expected' if size else ''}.",
            hint="If dimensions= was given, the model may not know it: leave it out.",
        )
    return rows.reshape(len(embeddings), -1)


def _numbers(row: Any) -> list[Any]:
    if type(row) is not list or not {int, float}.issuperset(map(type, cast("list[Any]", row))):
        raise TypeError
    return cast("list[Any]", row)


def _malformed(message: str, *, hint: str = CHANGED) -> MalformedStream:
    return MalformedStream(message, hint=hint, content_type="application/json")
