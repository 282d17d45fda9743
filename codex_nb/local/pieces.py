"""What an engine is asked, what it yields, and the protocol between the two."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from codex_nb.local.ask import Ask

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer. A ``phase`` other than the last one begins a new message."""

    delta: str
    phase: str | None = "final_answer"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the reasoning summary; ``part`` counts its paragraphs from 0. An empty ``delta`` stays hidden."""

    delta: str
    part: int = 0


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The model calls a function. ``arguments`` is JSON text; an empty ``call_id`` is filled in."""

    name: str
    arguments: str = "{}"
    call_id: str = ""
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class CustomCall:
    """The model calls a custom tool with free text."""

    name: str
    input: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Any other output item, sent as added and done: a web search, a citation-bearing message."""

    item: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. ``cached`` is the part of ``input`` that was read before."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The answer ends early, by ``max_output_tokens`` or ``content_filter``."""

    reason: str = "max_output_tokens"


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer ends in ``response.failed`` with this code."""

    code: str
    message: str


Piece: TypeAlias = Text | Reasoning | FunctionCall | CustomCall | Item | Usage | Incomplete | Failure


@dataclass(slots=True)
class Answer:
    """One answer under way. Closing ``pieces`` stops the generation.

    ``model`` is the one that really serves; ``write_size`` is how many bytes go out at a time, None for an event;
    ``raw`` are bytes that go out instead of the pieces, with nothing around them.
    """

    pieces: AsyncGenerator[Piece, None]
    model: str
    write_size: int | None = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Hearing:
    """A recording to make text of, in a container that the service takes."""

    content: bytes = field(repr=False)
    language: str = ""
    prompt: str = ""
    # Told each further part of the text while it is heard, on any thread.
    tell: Callable[[str], None] | None = None


class Engine(Protocol):
    """A source of answers. One that hears has `Ear`'s method too."""

    @property
    def name(self) -> str:
        """The word that responses are marked with."""
        ...

    @property
    def rows(self) -> Sequence[Json]:
        """The models it serves, as the Codex wire lists them."""
        ...

    async def answer(self, ask: Ask) -> Answer:
        """Begin an answer. What is awaited here delays the first byte, headers included."""
        ...

    def close(self) -> None:
        """Let go of what it holds; answers under way stop."""
        ...


@runtime_checkable
class Ear(Protocol):
    """What an engine has that makes text of speech."""

    async def hear(self, hearing: Hearing) -> str | None:
        """Return what is said, an empty text for silence, None for what cannot be decoded."""
        ...


@dataclass(frozen=True, slots=True)
class Embedding:
    """Texts or token lists to make vectors of, ``size`` numbers each."""

    inputs: Sequence[str | Sequence[int]] = field(repr=False)
    model: str
    size: int


@dataclass(frozen=True, slots=True)
class Vectors:
    """Unit vectors, float32, one row an input; ``model`` is the one that really made them of ``tokens`` tokens."""

    matrix: NDArray[np.float32] = field(repr=False)
    tokens: int
    model: str


class TooLongError(Exception):
    """An input does not fit the model."""


@runtime_checkable
class Embedder(Protocol):
    """What an engine has that makes vectors of texts."""

    async def sizes(self) -> Mapping[str, int]:
        """Return the models it takes, each with the length of its vectors."""
        ...

    async def embed(self, asked: Embedding) -> Vectors:
        """Make the vectors. Raises `TooLongError`."""
        ...
