"""Who the account is (``session.codex.accounts``, ``.profile``), and the resets that it has in reserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client.resources._asking import read
from codex_nb.types._record import Payload
from codex_nb.types.accounts import Accounts
from codex_nb.types.stats import Profile, ResetCredits

if TYPE_CHECKING:
    from codex_nb.wire.call import Flow

__all__ = ["AccountList", "OwnProfile", "ResetCreditList"]


class AccountList(Resource[F]):
    """``session.codex.accounts``."""

    @endpoint
    def check(self) -> Flow[Accounts]:
        """List the accounts (workspaces) that this login can use; both forms of the answer are read.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

        """
        return (yield from read(Accounts, "account/wham/accounts/check"))


class OwnProfile(Resource[F]):
    """``session.codex.profile``."""

    @endpoint
    def retrieve(self) -> Flow[Profile]:
        """Read the user's profile in Codex: tokens over time, and streaks."""
        return (yield from read(Profile, "account/wham/profiles/me"))


class ResetCreditList(Resource[F]):
    """``session.codex.rate_limit_reset_credits``: resets of a quota window, kept for later."""

    @endpoint
    def list(self) -> Flow[ResetCredits]:
        """List the resets that the account has."""
        return (yield from read(ResetCredits, "account/wham/rate-limit-reset-credits"))

    @endpoint
    def history(self, *, cursor: str | None = None) -> Flow[Payload]:
        """Read what became of them in the last 30 days. Its form is not on record: ``.raw`` is the payload."""
        return (yield from read(Payload, "account/wham/rate-limit-reset-credits/history", cursor=cursor))
