"""Vectors of texts (``session.embeddings``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.errors import BadRequestError, InvalidOption
from codex_nb.types.embeddings import EmbeddingResponse, EmbeddingUsage, Encoding
from codex_nb.wire.batches import Inputs, as_inputs, halves, longest, spans
from codex_nb.wire.call import Blocking, Call, Flow, Together
from codex_nb.wire.vectors import Vectors

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["Embeddings"]

SIZES: Final = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
TOO_MUCH: Final = re.compile(r"max \d+ tokens per request|batch size", re.IGNORECASE)
TOO_LONG: Final = re.compile(r"maximum (?:context|input) length|too large to process", re.IGNORECASE)
NAMED: Final = re.compile(r"input\[(\d{1,4})\]")


class Embeddings(Resource[F]):
    """``session.embeddings``."""

    @endpoint
    def create(
        self,
        *,
        input: str | Iterable[str] | Iterable[int] | Iterable[Iterable[int]],
        model: str = "text-embedding-3-small",
        dimensions: int | None = None,
        encoding_format: Encoding = "float",
        user: str | None = None,
        concurrency: int = 8,
        extra_body: Mapping[str, Any] | None = None,
    ) -> Flow[EmbeddingResponse]:
        """Return the vectors of texts, or of lists of token numbers: any iterable of them, any number.

        They are sent in requests of at most 2048 inputs and about 300 000 tokens, ``concurrency`` at once, and land
        in one float32 matrix (``.matrix``, inputs by dimensions, in the order of the inputs). ``encoding_format``
        only says what ``.data[i].embedding`` is, a list of floats or base64; on the wire it is always base64.
        No inputs give an empty matrix, and no request. With ChatGPT's login this is billed to the platform
        organization, not to the plan.

        Raises:
            BadRequestError: an input is empty, no text or too long; ``index`` is its place where that is known.
            UsageLimitReached: the platform organization has no credit.
            MalformedStream: the reply does not hold one vector for each input.

        """
        _check(dimensions, encoding_format, concurrency)
        # Other servers' models have limits of their own.
        inputs = as_inputs(input, limited=self._core.settings.backend.speaks_codex)
        fields: dict[str, Any] = {"model": model, "encoding_format": "base64"}
        fields |= {"dimensions": dimensions} if dimensions is not None else {}
        fields |= {"user": user} if user is not None else {}
        job = _Job(inputs, {**fields, **(extra_body or {})}, Vectors(len(inputs), dimensions))
        yield from job.run(concurrency)
        found = job.vectors
        return EmbeddingResponse(
            found.matrix(dimensions or SIZES.get(model, 0)),
            model=found.model or model,
            usage=EmbeddingUsage(prompt_tokens=found.prompt_tokens, total_tokens=found.total_tokens),
            encoding_format=encoding_format,
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """Inputs on their way into a matrix."""

    inputs: Inputs
    fields: Mapping[str, Any]
    vectors: Vectors

    def run(self, concurrency: int) -> Flow[None]:
        """Send all requests; a single one on the caller's own thread."""
        rest = spans(self.inputs)
        for first in rest:
            if first.stop == len(self.inputs):
                replies = yield from self.send(first)
                yield Blocking(lambda: self.keep(replies))  # noqa: B023 - it is the only round
            else:
                yield Together(map(self.send, chain([first], rest)), limit=concurrency, then=self.keep)

    def send(self, span: range) -> Flow[list[tuple[range, Reply]]]:
        """Send one request; return its reply, or those of its halves where it is too much for one."""
        try:
            body = {**self.fields, "input": self.inputs[span.start : span.stop]}
            reply: Reply = yield Call("POST", "platform/embeddings", json=body)
        except BadRequestError as refused:
            if len(span) == 1 or not (refused.status_code == 413 or TOO_MUCH.search(refused.message)):
                raise self._placed(refused, span) from None
        else:
            return [(span, reply)]
        first, second = halves(span)
        return (yield from self.send(first)) + (yield from self.send(second))

    def keep(self, replies: list[tuple[range, Reply]]) -> None:
        """Put the vectors of some replies into the matrix."""
        for span, reply in replies:
            self.vectors.put(span, reply)

    def _placed(self, refused: BadRequestError, span: range) -> BadRequestError:
        """Say which of the caller's inputs the service means, where it can be told."""
        if named := NAMED.search(refused.message):
            refused.index = span.start + int(named[1])
        elif TOO_LONG.search(refused.message):
            refused.index = longest(self.inputs, span)
            refused.hint = f"Cut input {refused.index} into passages{' (it is the longest)' if len(span) > 1 else ''}."
        elif len(span) == 1:
            refused.index = span.start
        return refused


def _check(dimensions: Any, encoding_format: Any, concurrency: Any) -> None:
    if dimensions is not None and (not isinstance(dimensions, int) or dimensions < 1):
        raise InvalidOption("dimensions must be a whole number, at least 1.", hint="Leave it out for the model's own.")
    if encoding_format not in ("float", "base64"):
        raise InvalidOption(f"There is no encoding_format {encoding_format!r}.", hint="It is float or base64.")
    if not isinstance(concurrency, int) or concurrency < 1:
        raise InvalidOption("concurrency must be a whole number, at least 1.", hint="Leave it out for 8.")
