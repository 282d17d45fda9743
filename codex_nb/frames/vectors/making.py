"""Texts on their way into one matrix: each is asked for once, ever, and what came is kept at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from codex_nb.client.side_by_side import side_by_side
from codex_nb.errors import BadRequestError, CodexError, MalformedStream, Stopped
from codex_nb.frames.kept import Kept, key_of
from codex_nb.frames.progress import bar
from codex_nb.wire.batches import spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codex_nb.client.session import Session

__all__ = ["Job", "Space"]

# Texts of one request: what a killed process loses, times the requests under way.
AT_ONCE: Final = 512
# Of what is kept, read and put in place together.
READ: Final = 500
NUMBER: Final = 4
NUMBERED: Final = re.compile(r"\b([Ii])nput \d+")


@dataclass(frozen=True)
class Space:
    """Where vectors lie that can be compared: those of one model, in one length, of one service.

    ``model`` None is the service's usual one, ``dimensions`` None the model's own. ``at_once`` texts go into a request.
    """

    session: Session = field(repr=False)
    model: str
    dimensions: int | None
    service: str
    at_once: int = AT_ONCE

    def keys(self, texts: Sequence[str]) -> list[bytes]:
        """Return what the vector of each text is kept by; the text cannot be told from it."""
        begun = blake2b(key=key_of("embedding", self.service, self.model, self.dimensions), digest_size=32)
        return [_finished(begun.copy(), text) for text in texts]

    def ask(self, texts: list[str]) -> Any:
        """Ask the service for the vectors of ``texts``, in one request as far as can be told."""
        return self.session.embeddings.create(input=texts, model=self.model, dimensions=self.dimensions, concurrency=1)


def _finished(begun: Any, text: str) -> bytes:
    begun.update(text.encode("utf-8", "surrogatepass"))
    return begun.digest()


class Job:
    """Texts that are to become the rows of a matrix. None and an empty text have no vector, and become rows of NaN.

    ``asked`` counts the texts that the service was asked for, ``kept`` those that were on disk, ``tokens`` what the
    service counted.
    """

    def __init__(self, texts: Sequence[str | None], space: Space, kept: Kept | None = None) -> None:
        self.space = space
        self.asked = self.kept = self.tokens = 0
        self._count = len(texts)
        self._store = Kept.shared() if kept is None else kept
        self._lock = threading.Lock()
        self._matrix: NDArray[np.float32] | None = None
        first: dict[str, int] = {}
        # For each row the first one with its text; a row that has none is its own.
        self._first = [first.setdefault(text, row) if text else row for row, text in enumerate(texts)]
        self._rows = list(first.values())
        self._texts = list(first)
        self._keys = space.keys(self._texts)
        self._filled = np.zeros(len(self._texts), bool)

    def run(self, concurrency: int, before: Any) -> NDArray[np.float32]:
        """Return the matrix: what is kept is read, ``before()`` is called, and the rest is asked for.

        Raises:
            BadRequestError: a text is refused; ``index`` is its row. What came of the others is kept.
            Stopped: the user interrupted. What came is kept.

        """
        self._read()
        missing: list[int] = np.flatnonzero(~self._filled).tolist()
        self.kept, self.asked = len(self._texts) - len(missing), len(missing)
        if missing:
            before()
            self._ask(missing, concurrency)
        return self._whole()

    def _read(self) -> None:
        for at in range(0, len(self._keys) if self._store else 0, READ):
            found = self._store.get_many(self._keys[at : at + READ])
            places = [place for place in range(at, min(at + READ, len(self._keys))) if self._keys[place] in found]
            values = [found[self._keys[place]] for place in places]
            size = NUMBER * (self._width or self.space.dimensions or (len(values[0]) // NUMBER if values else 0))
            # What is of another length was changed by someone, and is asked for again.
            good = [place for place, value in zip(places, values, strict=True) if size and len(value) == size]
            if good:
                rows = np.frombuffer(b"".join(found[self._keys[place]] for place in good), "<f4")
                self._fill(good, rows.reshape(len(good), -1))

    def _ask(self, missing: list[int], concurrency: int) -> None:
        texts = [self._texts[place] for place in missing]
        parts = [part for span in spans(texts) for part in _parts(span, self.space.at_once)]

        def ask(part: range) -> int:
            # All of it on the request's own thread: what is under way when one fails, or the user stops, is kept too.
            reply = self.space.ask(texts[part.start : part.stop])
            places = missing[part.start : part.stop]
            self._store.put_many(
                (self._keys[place], row.tobytes())
                for place, row in zip(places, reply.matrix.astype("<f4", copy=False), strict=True)
            )
            self._fill(places, reply.matrix)
            with self._lock:
                self.tokens += reply.usage.total_tokens
            return len(part)

        with bar(len(self._texts), "texts", "Embedding", shown=len(parts) > 1) as shown:
            shown.update(self.kept)
            try:
                with closing(side_by_side(ask, parts, concurrency)) as outcomes:
                    for number, outcome in outcomes:
                        if isinstance(outcome, CodexError):
                            raise self._placed(outcome, missing[parts[number].start :])
                        shown.update(outcome)
            except KeyboardInterrupt:
                left = len(self._texts) - int(self._filled.sum())
                where = "What came is kept" if self._store else "Nothing is kept (CODEX_NB_KEPT is off)"
                raise Stopped(
                    f"Stopped with {left} of {len(self._texts)} texts to go. {where}: the same call "
                    f"{'asks only for the rest' if self._store else 'begins anew'}."
                ) from None

    @property
    def _width(self) -> int:
        return 0 if self._matrix is None else self._matrix.shape[1]

    def _fill(self, places: list[int], vectors: NDArray[np.float32]) -> None:
        """Put vectors into the rows of the texts at ``places``."""
        with self._lock:
            if self._matrix is None:
                self._matrix = _room(self._count, vectors.shape[1])
            if vectors.shape[1] != self._width:
                raise MalformedStream(
                    f"Vectors came with {vectors.shape[1]} and with {self._width} numbers.",
                    hint="Another model answers by this name than before: codex_nb.frames.Kept.shared().clear() "
                    "lets go of the old vectors.",
                    content_type="application/json",
                )
            self._matrix[[self._rows[place] for place in places]] = vectors
            self._filled[places] = True

    def _whole(self) -> NDArray[np.float32]:
        """Return the matrix, with what stands in several rows, and with NaN where there is no text."""
        matrix = self._matrix if self._matrix is not None else _room(self._count, self.space.dimensions or 0)
        first, own = np.array(self._first, np.intp), np.zeros(self._count, bool)
        own[self._rows] = True
        empty = ~own & (first == np.arange(self._count))
        matrix[empty] = np.nan
        again = np.flatnonzero(~own & ~empty)
        for at in range(0, len(again), READ):
            rows = again[at : at + READ]
            matrix[rows] = matrix[first[rows]]
        return matrix

    def _placed(self, error: CodexError, places: list[int]) -> CodexError:
        """Say which of the caller's rows the service means, where it can be told."""
        if isinstance(error, BadRequestError) and error.index is not None and error.index < len(places):
            row = self._rows[places[error.index]]
            error.index = row
            error.message = NUMBERED.sub(
                lambda found: f"{'T' if found[1] == 'I' else 't'}he text in row {row}", error.message
            )
            error.hint = NUMBERED.sub(f"the text in row {row}", error.hint)
        return error


def _parts(span: range, most: int) -> Iterator[range]:
    return (span[at : at + most] for at in range(0, len(span), most))


def _room(count: int, width: int) -> NDArray[np.float32]:
    try:
        return np.empty((count, width), np.float32)
    except (MemoryError, ValueError):
        raise CodexError(
            f"A matrix of {count} by {width} numbers does not fit into memory.",
            hint="Embed in several calls, or ask for fewer dimensions.",
        ) from None
