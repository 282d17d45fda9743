"""How a request carries the login: `CodexAuth` from the login file, `Bearer` from a token at hand."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx

from codex_nb.auth.claims import Claims
from codex_nb.auth.renew import Memory, Renewal, due, over, same_account
from codex_nb.auth.store import Login, read_api_key, read_login
from codex_nb.errors import InvalidOption, NotSignedIn, SignInExpired
from codex_nb.settings import codex_home

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
    from pathlib import Path

    from codex_nb.settings import Backend
    from codex_nb.wire.call import Flow

__all__ = ["Bearer", "CodexAuth", "LoginAuth"]

UNAUTHORIZED: Final = 401
PLATFORM_KEY: Final = "sk-"
# What is read of a refusal's body, so that its connection can be used again.
SHORT: Final = 64 * 1024


class Driver(Protocol):
    """What runs flows: a session's driver, of either face."""

    def run(self, flow: Flow[Any], /) -> Any:
        """Return what ``flow`` returns, or an awaitable of it."""
        ...


class LoginAuth(httpx.Auth):
    """Attach a login to each request; on 401 look once whether there is a newer one, and use it."""

    def login(self) -> Login:
        """Return the login to use now.

        Raises:
            NotSignedIn: there is none.

        """
        raise NotImplementedError

    def api_key(self) -> str | None:
        """Return the platform key that is stored with the login, None for none."""
        return None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Drive one request (httpx calls this from both of its clients)."""
        login = self.login()
        response = yield _attach(request, login)
        if response.status_code == UNAUTHORIZED:
            newer = self.login()
            if newer.access_token != login.access_token:
                response.stream = _Short(response.stream)
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

    In a session it is renewed when it is about to end (five minutes), and once after a 401, by the issuer of the
    session's backend; threads, tasks and processes that use the same file share one renewal. On a client of one's own
    it is attached as the file has it.

    With ``read_only`` the file is never written, so the login is never renewed either: that would make the file's
    copy worthless.
    """

    def __init__(self, path: str | Path | None = None, *, read_only: bool = False) -> None:
        from pathlib import Path

        self.path = Path(path).expanduser() if path else codex_home() / "auth.json"
        self.read_only = read_only
        self._memory = Memory()

    def login(self) -> Login:
        """Return the login that the file holds now."""
        return read_login(self.path)

    def api_key(self) -> str | None:
        """Return the platform key that the file holds now."""
        return read_api_key(self.path)

    def bound_to(self, backend: Backend, driver: Driver) -> httpx.Auth:
        """Return what signs one request to ``backend`` and renews the login where its issuer is, by ``driver``."""
        issuer = None if self.read_only else backend.roots.get("issuer")
        return _Renewing(self, Renewal(self.path, issuer, self._memory) if issuer else None, driver)

    def __repr__(self) -> str:
        return f"CodexAuth({str(self.path)!r}{', read_only=True' if self.read_only else ''})"


class Bearer(LoginAuth):
    """A token at hand. The account id is read from it where it is a JSON web token."""

    def __init__(self, token: str, account_id: str | None = None) -> None:
        if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance] - os.environ.get gives None
            raise InvalidOption(
                f"The token given to Bearer is of type {type(token).__name__}.",
                hint="Pass a text; the variable that it comes from may not be set.",
            )
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

    def api_key(self) -> str | None:
        """Return the token if it is a platform key."""
        return self._login.access_token if self._login.access_token.startswith(PLATFORM_KEY) else None

    def __repr__(self) -> str:
        return f"Bearer(account_id={self._login.account_id!r})"


class _Renewing(httpx.Auth):
    """The login of one request. Without a ``renewal`` it is used as long as it serves."""

    def __init__(self, auth: CodexAuth, renewal: Renewal | None, driver: Driver) -> None:
        self._auth, self._renewal, self._driver = auth, renewal, driver

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Drive one request of a synchronous client."""
        login = self._auth.login()
        if renewal := self._needed(login):
            login = self._driver.run(renewal.ahead(login))
        response = yield _attach(request, login)
        if response.status_code != UNAUTHORIZED:
            return
        newer = self._newer(login)
        if newer is None and self._renewal:
            # The connection is given back first: the renewal may need one.
            response.stream = _Short(response.stream)
            response.read()
            newer = self._driver.run(self._renewal.after_refusal(login))
        if newer and newer.access_token != login.access_token:
            response.stream = _Short(response.stream)
            yield _attach(request, newer)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Drive one request of an asynchronous client."""
        login = self._auth.login()
        if renewal := self._needed(login):
            login = await self._to_the_end(renewal.ahead(login))
        response = yield _attach(request, login)
        if response.status_code != UNAUTHORIZED:
            return
        newer = self._newer(login)
        if newer is None and self._renewal:
            response.stream = _Short(response.stream)
            await response.aread()
            newer = await self._to_the_end(self._renewal.after_refusal(login))
        if newer and newer.access_token != login.access_token:
            response.stream = _Short(response.stream)
            yield _attach(request, newer)

    async def _to_the_end(self, flow: Flow[Login]) -> Login:
        """Run ``flow``, also when the request is cancelled: a refresh cut off in the middle would lose the login."""
        task: asyncio.Future[Login] = asyncio.ensure_future(self._driver.run(flow))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def _needed(self, login: Login) -> Renewal | None:
        """Return the renewal if it is time for it.

        Raises:
            SignInExpired: the login is over, and there is no way to renew it here.

        """
        now = time.time()
        if not due(login, now) or self._renewal:
            return self._renewal if due(login, now) else None
        if over(login, now):
            raise SignInExpired(
                f"The login in {self._auth.path} has expired.",
                hint="It is not renewed here, because it is opened read-only; any Codex program that may write it does."
                if self._auth.read_only
                else "It is not renewed here, because this backend issues no logins.",
                reason="expired",
            )
        return None

    def _newer(self, login: Login) -> Login | None:
        """Return the login that another program wrote meanwhile, if one did."""
        found = self._auth.login()
        same_account(login, found)
        return found if found.access_token != login.access_token else None


class _Short(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The beginning of a body that nobody needs."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        left = SHORT
        for chunk in self._stream:
            yield chunk
            left -= len(chunk)
            if left <= 0:
                return

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = SHORT
        async for chunk in self._stream:
            yield chunk
            left -= len(chunk)
            if left <= 0:
                return

    def close(self) -> None:
        """Close the whole of it."""
        self._stream.close()

    async def aclose(self) -> None:
        """Close the whole of it."""
        await self._stream.aclose()
