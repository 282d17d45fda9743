"""A request as it would leave this machine, without sending it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codex_nb.client._transport import HIDDEN, OF_THE_ACCOUNT, without_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codex_nb.client._transport import Transport
    from codex_nb.wire.call import Call

__all__ = ["Preview", "preview"]


@dataclass(frozen=True, slots=True)
class Preview:
    """``url`` is where it would go, ``headers`` what it would carry, the login hidden, ``body`` what it would say.

    ``size`` is the body's, in bytes. ``guessed`` names what only the service's list of models can tell, which was not
    asked for.
    """

    url: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    size: int
    guessed: tuple[str, ...] = ()


def preview(transport: Transport, call: Call, guessed: tuple[str, ...] = ()) -> Preview:
    """Return what ``call`` would send. The body is read back from the very bytes."""
    request = transport.request(transport.client(), call)
    added = () if transport.auth is None else OF_THE_ACCOUNT[: 2 if transport.settings.backend.speaks_codex else 1]
    headers = dict(request.headers) | dict.fromkeys(added, "")
    return Preview(
        without_query(request.url),
        {name: HIDDEN if name in OF_THE_ACCOUNT else value for name, value in headers.items()},
        json.loads(request.content),
        len(request.content),
        guessed,
    )
