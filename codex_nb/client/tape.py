"""Answers that were recorded: where a request looks before it is sent, and what an answer is told to when it came."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from codex_nb.wire.json import JSONObject

__all__ = ["Recorded", "Tape", "file_name", "present_tape", "taped"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer as it came: ``headers`` that matter, the ``chunks`` of its stream, the ``seconds`` that it took."""

    headers: Mapping[str, str]
    chunks: Sequence[bytes]
    seconds: float


# Takes the headers and chunks of an answer, and what takes the login out of them.
Keep: TypeAlias = Callable[[Mapping[str, str], Sequence[bytes], Callable[[bytes], bytes]], None]


class Tape(Protocol):
    """What keeps answers by what was asked. ``replays`` says that nothing is sent."""

    @property
    def replays(self) -> bool:
        """Whether the service is never asked."""
        ...

    def rename(self, address: str, digest: str) -> None:
        """Know an uploaded file by its content: its address is another one each time."""
        ...

    def find(self, said: JSONObject) -> Recorded | None:
        """Return the answer to ``said``; None if the service shall be asked.

        Raises:
            CacheMiss: there is none, and the service shall not be asked.

        """
        ...

    def begin(self, said: JSONObject) -> Keep:
        """Note that the service is asked; return what takes its answer, once it is whole."""
        ...


def file_name(digest: str) -> str:
    """Return what stands for the address of an uploaded file whose content has this SHA-256."""
    return f"sediment://sha256_{digest}"


_present: Final[ContextVar[Tape | None]] = ContextVar("codex_nb tape", default=None)


def present_tape() -> Tape | None:
    """Return the tape of this context, None for none."""
    return _present.get()


@contextmanager
def taped(tape: Tape | None) -> Generator[None]:
    """Let every request to the model in this context go by ``tape``; None leaves it as it is outside."""
    if tape is None:
        yield
        return
    token = _present.set(tape)
    try:
        yield
    finally:
        _present.reset(token)
