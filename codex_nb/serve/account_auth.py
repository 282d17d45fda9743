"""A login for an account of the caller's choice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from codex_nb.auth.bearer import CodexAuth

if TYPE_CHECKING:
    from codex_nb.auth.store import Login

__all__ = ["AccountAuth"]


class AccountAuth(CodexAuth):
    """The login of the file, for another account. It is not renewed, because the file is of its own account."""

    def __init__(self, path: str | None, account_id: str) -> None:
        super().__init__(path, read_only=True)
        self._account_id = account_id

    def login(self) -> Login:
        """Return the login that the file holds now, for the account."""
        return replace(super().login(), account_id=self._account_id)
