"""How a request carries the login: `CodexAuth` from the login file, `Bearer` from a token at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from codex_nb.auth.claims import Claims
from codex_nb.auth.store import Login, read_login
from codex_nb.errors import NotSignedIn
from codex_nb.settings import codex_home

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["Bearer", "CodexAuth", "LoginAuth"]

UNAUTHORIZED = 401


class LoginAuth(httpx.Auth):
    """Attach a login to each request; on 401 look once whether there is a newer one, and use it."""

    def login(self) -> Login:
        """Return the login to use now.

        Raises:
            NotSignedIn: there is none.

        """
        raise NotImplementedError

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Drive one request (httpx calls this from both of its clients)."""
        login = self.login()
        response = yield _attach(request, login)
        if response.status_code == UNAUTHORIZED:
            newer = self.login()
            if newer.access_token != login.access_token:
                yield _attach(request, newer)


def _attach(request: httpx.Request, login: Login) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {login.access_token}"
    claims = login.claims
    if claims.account_id:
        request.headers["ChatGPT-Account-ID"] = claims.account_id
    if claims.fedramp:
        request.headers["X-OpenAI-Fedramp"] = "true"
    return request


class CodexAuth(LoginAuth):
    """The login in ``path`` (default ``$CODEX_HOME/auth.json``), read anew for each request: it is shared property.

    With ``read_only`` the file is never written.
    """

    def __init__(self, path: str | Path | None = None, *, read_only: bool = False) -> None:
        from pathlib import Path

        self.path = Path(path).expanduser() if path else codex_home() / "auth.json"
        self.read_only = read_only

    def login(self) -> Login:
        """Return the login that the file holds now."""
        return read_login(self.path)

    def __repr__(self) -> str:
        return f"CodexAuth({str(self.path)!r}{', read_only=True' if self.read_only else ''})"


class Bearer(LoginAuth):
    """A token at hand. The account id is read from it where it is a JSON web token."""

    def __init__(self, token: str, account_id: str | None = None) -> None:
        token = token.strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise NotSignedIn(
                "The token given to Bearer cannot stand in a header.",
                hint="Pass the token alone, without 'Bearer' and without line ends.",
                reason="invalid",
            )
        self._login = Login(token, account_id=account_id or Claims.read(token).account_id)

    def login(self) -> Login:
        """Return the token as a login."""
        return self._login

    def __repr__(self) -> str:
        return f"Bearer(account_id={self._login.account_id!r})"
