"""How account data is asked for: options as a query, the answer as a shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from codex_nb.client._incoming import shaped
from codex_nb.errors import InvalidOption
from codex_nb.types._base import Shape
from codex_nb.wire.call import Call

if TYPE_CHECKING:
    from codex_nb.wire.call import Flow, Reply

__all__ = ["read"]

M = TypeVar("M", bound=Shape)


def read(shape: type[M], path: str, **options: str | int | Sequence[str] | None) -> Flow[M]:
    """Ask for ``path``, with the options that say something as its query.

    Raises:
        InvalidOption: ``limit`` is no count; nothing was sent.
        MalformedStream: what came is not of this shape.

    """
    limit = options.get("limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidOption("limit must be a whole number, at least 1.", hint="Leave it out for the service's own.")
    params = {name: value for name, value in options.items() if value is not None and value not in ("", [])}
    reply: Reply = yield Call("GET", path, params=params or None)
    return shaped(shape, reply.json())
