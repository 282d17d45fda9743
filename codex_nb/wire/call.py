"""What a flow may ask for, and what it is handed back.

A flow is a generator that describes an endpoint: it yields a `Call`, `Read`, `Write`, `Pause`, `Blocking`, `Together`
or `Tell`, is sent what came of it, and returns the result. It never sends, sleeps or opens anything itself, so one
definition serves the synchronous and the asynchronous face alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

import pydantic_core

from codex_nb.errors import MalformedStream

__all__ = [
    "Address",
    "Blocking",
    "Call",
    "Content",
    "Flow",
    "Pause",
    "Play",
    "Read",
    "Reply",
    "Secret",
    "Step",
    "Tell",
    "Together",
    "Write",
]

T = TypeVar("T")


class Content(Protocol):
    """A body that is sent piece by piece from where it is kept."""

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes from the beginning; a second attempt asks again."""
        ...


class Secret(dict[str, str]):
    """Fields of a body that hold a login: they show in no repr, and an error that quotes one does not show it."""

    def __repr__(self) -> str:
        return "{hidden}"


class Address(str):
    """A full address that holds a signature: it shows without its query."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(self.partition("?")[0])


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. ``path`` begins with the backend's part (``codex/…``) or is a full address.

    Its body is ``json``, a ``form`` of names and values, or ``content``, streamed; at most one of them.
    ``also_fine`` lists statuses that the flow wants to see itself; any other one that is no success is raised.
    With ``stream`` the reply comes open, at its headers, to be taken by `Read`; with ``socket`` it is a WebSocket, for
    `Read` and `Write`. ``timeout`` is the most silence to bear, in seconds, where the session's is longer; ``patience``
    takes the place of the session's. ``progress`` is told how many bytes of ``content`` are sent, from 0 on for each
    attempt, where the caller is: on its thread, on its event loop.
    """

    method: str
    path: str
    params: Mapping[str, str | int | Sequence[str]] | None = None
    json: Any = None
    form: Mapping[str, str] | None = None
    content: Content | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    also_fine: frozenset[int] = frozenset()
    stream: bool = False
    socket: bool = False
    signed_in: bool = True
    timeout: float | None = None
    patience: float | None = None
    progress: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Let ``seconds`` pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Blocking:
    """Run ``work`` (a file, a lock) where it does not hold up an event loop; hand back its result."""

    work: Callable[[], Any]


class OpenBody(Protocol):
    """A body that is still arriving. The drivers know more of it; flows only pass it on."""

    @property
    def content_type(self) -> str:
        """Return the Content-Type header, lower case, without parameters."""
        ...

    def hide(self, content: bytes) -> bytes:
        """Return ``content`` without the login, if it quotes it."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a `Call` brought. ``at`` is the time of arrival in epoch seconds; header names are lower case."""

    status: int
    # Neither shows in a repr: a token may stand in both.
    headers: Mapping[str, str] = field(repr=False)
    url: str
    at: float
    content: bytes = field(default=b"", repr=False)
    body: OpenBody | None = None

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            MalformedStream: the body is no JSON (a web page in the way, mostly).

        """
        try:
            return pydantic_core.from_json(self.content)
        except ValueError as error:
            kind = self.headers.get("content-type", "")
            raise MalformedStream(
                f"{self.url} answered with {kind or 'something'} that is no JSON.",
                hint="Check the backend's address, and whether a proxy or sign-in page is in the way.",
                content_type=kind,
            ) from error


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for the next bytes of an open reply, of a socket the next message; ``b""`` is its end."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Write:
    """Send a message on a socket; hand back the messages that have come meanwhile, as a list of bytes."""

    reply: Reply
    message: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tell:
    """Show ``event`` to whoever looks at this flow while it runs."""

    event: Any


@dataclass(frozen=True, slots=True)
class Play:
    """Take these bytes for the open reply of ``url``: nothing is sent."""

    url: str
    headers: Mapping[str, str]
    chunks: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Together:
    """Run ``flows`` side by side, at most ``limit`` at once, taken up as there is room; hand back their results.

    Results come as a list in the order of ``flows``. The first error stops the rest and is raised in the flow.
    ``then`` is what is left to do with each one when its flow's place is taken by the next; as many again as half the
    limit wait for it, so that memory stays bounded where it is the slower part.
    """

    flows: Iterable[Flow[Any]]
    limit: int
    then: Callable[[Any], Any] | None = None

    @property
    def most(self) -> int:
        """How many are under way or wait for `then`."""
        return self.limit + self.limit // 2


Step: TypeAlias = Call | Read | Write | Play | Pause | Blocking | Together | Tell
Flow: TypeAlias = Generator[Step, Any, T]
