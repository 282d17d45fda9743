"""Signing in and out, and who is signed in (``session.login()`` and what belongs to it)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from codex_nb.auth import login as ways
from codex_nb.auth.bearer import CodexAuth, LoginAuth
from codex_nb.auth.claims import Claims
from codex_nb.auth.flows import CLIENT_ID, Tokens, api_key, revoke
from codex_nb.auth.lock import LoginLock
from codex_nb.auth.prompt import Printing, ask_once, open_browser
from codex_nb.auth.renew import PATIENCE, locked
from codex_nb.auth.writing import content_of, make_folder, moment, remove, replace
from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.errors import InvalidOption, NotSignedIn, UnsupportedByBackend
from codex_nb.types.sign_in import SignedIn, SignedOut
from codex_nb.wire.call import Blocking, Flow, Pause

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from codex_nb.auth.prompt import Prompt

__all__ = ["SignIn"]

BROWSER_SECONDS: Final = 600.0
LOOK: Final = 0.05

T = TypeVar("T")


class SignIn(Resource[F]):
    """What a session can do about its own login."""

    @endpoint
    def login(
        self,
        method: str = "browser",
        *,
        browser: bool = True,
        paste: bool | Callable[[], str | None] = False,
        prompt: Prompt | None = None,
        timeout: float = BROWSER_SECONDS,
    ) -> Flow[SignedIn]:
        """Sign in to ChatGPT and write the login file, which the Codex CLI uses as well.

        Args:
            method: ``"browser"``, which comes back to this machine, or ``"device"``, a code to type on any device.
            browser: whether to open one; the address is shown either way.
            paste: True asks for the address that the browser ended at, for when it runs on another machine than this
                program; a function is called again and again and returns it once it has it.
            prompt: what shows address and code (a `codex_nb.auth.prompt.Prompt`); default: lines on standard output.
            timeout: seconds to wait for the browser (default 600). A device code has its own end, 15 minutes at most.

        Raises:
            AuthenticationError: it was not granted (``reason`` ``denied``), not in time (``timeout``), the file cannot
                be written (``unwritable``), device sign-in is not enabled (``device_disabled``), …
            InvalidOption: the session's login is not one that this can write.

        """
        auth, issuer = self._file(), self._issuer()
        show = prompt or Printing()

        def complete(tokens: Tokens) -> Flow[SignedIn]:
            return (yield from self._keep(auth, issuer, tokens))

        if method == "device":
            return (yield from ways.device(issuer, show, complete))
        if method != "browser":
            raise InvalidOption(f"There is no method {method!r}.", hint='It is "browser" or "device".')
        pasted = paste if callable(paste) else ask_once() if paste else show.pasted
        return (
            yield from ways.browser(
                issuer, show, complete, show=open_browser if browser else _show_none, pasted=pasted, seconds=timeout
            )
        )

    @endpoint
    def logout(self) -> Flow[bool]:
        """Remove the login from this machine; return whether there was one. The service is not told (see `revoke`).

        Raises:
            AuthenticationError: the file cannot be removed.
            InvalidOption: the session's login is not in a file, or opened read-only.

        """
        return (yield from self._remove(self._file()))

    @endpoint
    def revoke(self) -> Flow[SignedOut]:
        """End the login at the service, as far as it answers within 10 seconds, and remove it from this machine.

        Raises:
            AuthenticationError: the file cannot be removed.
            InvalidOption: the session's login is not in a file, or opened read-only.

        """
        auth = self._file()
        try:
            found = yield Blocking(auth.login)
        except NotSignedIn:
            found = None
        revoked = False
        if found and "issuer" in self._core.settings.backend.roots:
            revoked = yield from revoke(found)
        removed = yield from self._remove(auth)
        return SignedOut(removed=removed, revoked=revoked)

    @endpoint
    def account(self) -> Flow[SignedIn]:
        """Return who is signed in, as the login itself says; the service is not asked.

        Raises:
            NotSignedIn: there is no login, or the session sends none.

        """
        auth = self._core.transport.auth
        if not isinstance(auth, LoginAuth):
            raise NotSignedIn(
                "This session sends no login that can be looked into.",
                hint="Open it with Session(auth=CodexAuth()) or Session(auth=Bearer(...)).",
                reason="missing",
            )
        return (yield Blocking(lambda: _account(auth)))

    def _file(self) -> CodexAuth:
        auth, backend = self._core.transport.auth, self._core.settings.backend
        if backend.login == "local":
            raise InvalidOption(
                f"The backend {backend.name} runs on this machine and needs no sign-in.",
                hint='Go to another one with use("chatgpt") or --backend chatgpt.',
            )
        if not isinstance(auth, CodexAuth):
            raise InvalidOption(
                f"This session's login is not in a file ({type(auth).__name__ if auth else 'it sends none'}).",
                hint="Open one with Session(auth=CodexAuth()), or go to use('chatgpt').",
            )
        if auth.read_only:
            raise InvalidOption(f"{auth!r} is opened read-only.", hint="Leave read_only=True out to sign in or out.")
        return auth

    def _issuer(self) -> str:
        backend = self._core.settings.backend
        if "issuer" not in backend.roots:
            raise UnsupportedByBackend(
                f"The backend {backend.name} issues no logins.", hint='Sign in with use("chatgpt") as the backend.'
            )
        return backend.roots["issuer"]

    def _keep(self, auth: CodexAuth, issuer: str, tokens: Tokens) -> Flow[SignedIn]:
        key = yield from api_key(tokens)
        content = _NewFile(tokens, key, issuer)
        yield Blocking(lambda: make_folder(auth.path.parent))
        yield from _alone(auth.path, lambda: replace(auth.path, content.bytes))
        return (yield Blocking(lambda: _account(auth)))

    def _remove(self, auth: CodexAuth) -> Flow[bool]:
        if not (yield Blocking(auth.path.parent.is_dir)):
            return False
        return (yield from _alone(auth.path, lambda: remove(auth.path)))


def _show_none(_url: str) -> bool:
    return False


def _alone(path: Path, work: Callable[[], T]) -> Flow[T]:
    """Run ``work`` on the file while nobody else writes it."""
    lock, waited = LoginLock(path), 0.0
    try:
        while not (yield Blocking(lock.try_take)):
            yield Pause(LOOK)
            waited += LOOK
            if waited >= PATIENCE:
                break
        else:
            return (yield Blocking(work))
    finally:
        lock.release()
    raise locked(path)


class _NewFile:
    """The bytes of a new login file, in the form of the Codex CLI; they do not show in a repr."""

    def __init__(self, tokens: Tokens, key: Tokens, issuer: str) -> None:
        account = (Claims.read(tokens.id_token) | Claims.read(tokens.access_token)).account_id
        fields: dict[str, Any] = {
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": key.access_token,
            "tokens": {
                **tokens.fields,
                "oauth_provenance": {"issuer": issuer, "client_id": CLIENT_ID},
                "account_id": account,
            },
            "last_refresh": moment(time.time()),
        }
        self.bytes = content_of(fields)


def _account(auth: LoginAuth) -> SignedIn:
    path = str(auth.path) if isinstance(auth, CodexAuth) else None
    try:
        login = auth.login()
    except NotSignedIn as error:
        if error.reason != "api_key":
            raise
        return SignedIn(method="api_key", path=path, has_api_key=True)
    claims = login.claims
    return SignedIn(
        method="chatgpt" if path else "token",
        email=claims.email,
        plan=claims.plan,
        account_id=claims.account_id,
        expires=_time(claims.expires),
        path=path,
        has_api_key=bool(login.api_key),
    )


def _time(epoch: float | None) -> datetime | None:
    try:
        return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, OSError, ValueError):
        return None
