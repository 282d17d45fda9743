"""Replies full of vectors, put into one matrix as they come."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from codex_nb.errors import CodexError, MalformedStream
from codex_nb.wire.json import as_number, as_object, as_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codex_nb.wire.call import Reply

__all__ = ["Vectors"]

NUMBER: Final = 4
CHANGED: Final = "The server's reply is not as the embeddings endpoint's must be; look for a newer codex_nb."


# Base64 is undone on the way, so that no vector is held in two forms.
@with_config(ConfigDict(val_json_bytes="base64"))
class _Row(TypedDict):
    index: int
    embedding: bytes | list[float]


class _Rows(TypedDict):
    data: list[_Row]


class _Body(_Rows, total=False):
    model: Any
    usage: Any


@cache
def _reply() -> TypeAdapter[_Body]:
    return TypeAdapter(_Body)


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
            body = _read(reply)
            self._fill(span, body["data"])
            self.model = self.model or as_text(body.get("model"))
            usage = as_object(body.get("usage"))
            self.prompt_tokens += int(as_number(usage.get("prompt_tokens")) or 0)
            self.total_tokens += int(as_number(usage.get("total_tokens")) or 0)

    def matrix(self, size: int = 0) -> NDArray[np.float32]:
        """Return the matrix, float32 and C-contiguous; without any row it is 0 by ``size``."""
        import numpy as np

        return np.empty((self.count, size), np.float32) if self._matrix is None else self._matrix

    def _fill(self, span: range, rows: list[_Row]) -> None:
        import numpy as np

        if {row["index"] for row in rows} != set(range(len(span))) or len(rows) != len(span):
            raise _malformed(f"{len(span)} inputs were sent, and the {len(rows)} vectors that came are not theirs.")
        matrix = self._room(_length(rows[0]["embedding"]))
        with np.errstate(over="ignore"):  # what float32 does not hold is infinite in it
            for row in rows:
                vector = row["embedding"]
                if _length(vector) != matrix.shape[1]:
                    raise self._misfit(_length(vector))
                if isinstance(vector, bytes):
                    vector = np.frombuffer(vector, "<f4")
                matrix[span.start + row["index"]] = vector

    def _room(self, length: float) -> NDArray[np.float32]:
        """Return the matrix, made when the first vector shows its length."""
        import numpy as np

        if self._matrix is None:
            self.size = self.size or int(length)
            if length != self.size or not length:
                raise self._misfit(length)
            try:
                self._matrix = np.empty((self.count, self.size), np.float32)
            except (MemoryError, ValueError):
                raise CodexError(
                    f"A matrix of {self.count} by {self.size} numbers does not fit into memory.",
                    hint="Embed in several calls, or ask for fewer dimensions.",
                ) from None
        return self._matrix

    def _misfit(self, length: float) -> MalformedStream:
        return _malformed(
            f"A vector has {length:g} numbers where {self.size} were expected.",
            hint="If dimensions= was given, the model may not know it: leave it out.",
        )


def _length(vector: bytes | list[float]) -> float:
    """Return how many numbers there are; a fraction where bytes are missing."""
    return len(vector) / NUMBER if isinstance(vector, bytes) else len(vector)


def _read(reply: Reply) -> _Body:
    try:
        return _reply().validate_json(reply.content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        reply.json()  # says what came instead
    place = ".".join(str(part) for part in first["loc"][:3])
    raise _malformed(f"The server sent embeddings whose {place or 'form'} is not understood ({first['type']}).")


def _malformed(message: str, *, hint: str = CHANGED) -> MalformedStream:
    return MalformedStream(message, hint=hint, content_type="application/json")
