"""A response whose text was read as what it was asked to be."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import PrivateAttr

from codex_nb.types.responses import Response

__all__ = ["ParsedResponse"]

T = TypeVar("T")


class ParsedResponse(Response, Generic[T]):
    """A `Response` to a request with ``text_format``.

    ``output_parsed`` is the answer as that type. It is None where there is none: the model refused (``refusal`` has
    its words), the answer is ``incomplete``, or the model calls tools first (``parsed_arguments`` of each call).
    """

    _parsed: T | None = PrivateAttr(default=None)

    @property
    def output_parsed(self) -> T | None:
        """The answer, validated."""
        return self._parsed
