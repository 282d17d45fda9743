"""What the account has and has left (``session.codex``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.types.account import Usage
from codex_nb.wire.call import Call, Flow

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["Codex"]


class Codex(Resource[F]):
    """``session.codex``: read-only data of the account."""

    @endpoint
    def usage(self) -> Flow[Usage]:
        """Read the quota: every limit of the plan with its windows, and the credits.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

        """
        reply: Reply = yield Call("GET", "account/wham/usage")
        return shaped(Usage, reply.json())
