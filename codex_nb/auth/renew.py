"""When a login is renewed and how: one refresh however many ask for it, and the file is right whatever happens."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from codex_nb.auth.flows import Refusal, refresh, sign_in_again
from codex_nb.auth.lock import LoginLock
from codex_nb.auth.store import read_login
from codex_nb.auth.writing import merged, read, replace, try_out
from codex_nb.errors import AuthenticationError, CodexError, NotSignedIn, SignInExpired
from codex_nb.wire.call import Blocking, Pause

if TYPE_CHECKING:
    from pathlib import Path

    from codex_nb.auth.flows import Tokens
    from codex_nb.auth.store import Login
    from codex_nb.wire.call import Flow

__all__ = ["Memory", "Renewal", "due", "locked", "over", "same_account"]

# Seconds. The official client's limits, for tokens that say when they end and for those that do not.
BEFORE_THE_END: Final = 300.0
OLDEST: Final = 8 * 86_400.0
# How long a lock is waited for: others may be in the middle of a refresh that is slow and tried again.
PATIENCE: Final = 120.0
FIRST_LOOK, LONGEST_LOOK = 0.02, 0.25
# After a refresh that failed while the token still served.
REST: Final = 30.0
# For the program that used the refresh token first to write what it got.
GRACE: Final = 0.5


def due(login: Login, now: float) -> bool:
    """Whether the login should be renewed before it is used."""
    if (end := login.claims.expires) is not None:
        return end - now <= BEFORE_THE_END
    return login.renewed_at is not None and now - login.renewed_at > OLDEST


def over(login: Login, now: float) -> bool:
    """Whether the login says itself that it is of no use any more."""
    end = login.claims.expires
    return end is not None and end <= now


def same_account(before: Login, after: Login) -> None:
    """Refuse to go on as somebody else.

    Raises:
        SignInExpired: ``reason`` is ``other_account``.

    """
    if before.account_id and before.account_id != after.account_id:
        raise SignInExpired(
            "Meanwhile somebody signed in to another account; this request was begun as the first one.",
            hint="Run it again to send it as the account that is signed in now.",
            reason="other_account",
        )


@dataclass
class Memory:
    """What went wrong lately, so that not every request tries it again. No token is kept here."""

    rest_until: float = 0.0
    refused: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def refusal(self, issuer: str, login: Login) -> str | None:
        """Return why ``issuer`` refused to renew this very login, or None."""
        return self.refused.get((issuer, _mark(login)))

    def refuse(self, issuer: str, login: Login, reason: str) -> None:
        """Keep the refusal."""
        self.refused[issuer, _mark(login)] = reason


def _mark(login: Login) -> str:
    return hashlib.sha256((login.refresh_token or "").encode()).hexdigest()


@dataclass
class Renewal:
    """The way to a newer login than the one in hand: ``path`` is its file, ``issuer`` who renews it."""

    path: Path
    issuer: str
    memory: Memory

    def ahead(self, used: Login) -> Flow[Login]:
        """Renew a login that is about to end; as long as it serves, it is used when that fails.

        Raises:
            SignInExpired: it is over, and cannot be renewed.
            CodexError: it is over, and this time it could not be renewed.

        """
        serves = not over(used, time.time())
        if serves and time.monotonic() < self.memory.rest_until:
            return used
        try:
            return (yield from self._renewed(used, "proactive_expiry", 0.0 if serves else PATIENCE))
        except CodexError as error:
            gone = isinstance(error, NotSignedIn) or getattr(error, "reason", "") == "other_account"
            if gone or not serves:
                raise
            self.memory.rest_until = time.monotonic() + REST
        return used

    def after_refusal(self, used: Login) -> Flow[Login]:
        """Renew a login that the service does not accept.

        Raises:
            SignInExpired: it cannot be renewed.
            CodexError: this time it could not be renewed.

        """
        return (yield from self._renewed(used, "unauthorized_recovery", PATIENCE))

    def _renewed(self, used: Login, why: str, patience: float) -> Flow[Login]:
        lock = LoginLock(self.path)
        try:
            newer = yield from self._turn(lock, used, patience)
            if newer is not None:
                return newer
            found: Login = yield Blocking(self._read)
            if self._is_newer(found, used):
                return found
            self._check(found)
            yield Blocking(lambda: try_out(self.path, read(self.path)))
            answer = yield from refresh(found, why)
            if not isinstance(answer, Refusal):
                return (yield from _saved(_Saving(self.path, found, answer)))
        finally:
            lock.release()
        return (yield from self._after_no(found, answer.reason))

    def _turn(self, lock: LoginLock, used: Login, patience: float) -> Flow[Login | None]:
        """Wait for the lock; return the newer login instead, if another holder of the lock wrote one meanwhile."""
        waited, pause = 0.0, FIRST_LOOK
        while not (yield Blocking(lock.try_take)):
            if waited >= patience:
                if not patience:
                    return used  # somebody is at it, and this one serves until then
                raise locked(self.path)
            yield Pause(pause)
            waited, pause = waited + pause, min(pause * 1.5, LONGEST_LOOK)
            found: Login = yield Blocking(self._read)
            if self._is_newer(found, used):
                return found
        return None

    def _check(self, found: Login) -> None:
        if reason := self.memory.refusal(self.issuer, found):
            raise sign_in_again(reason)
        if not found.refresh_token:
            raise sign_in_again("expired")

    def _after_no(self, refused: Login, reason: str) -> Flow[Login]:
        """Look once more: a program that does not take the lock may have renewed the login first."""
        if reason == "reused":
            yield Pause(GRACE)
        found: Login = yield Blocking(self._read)
        if self._is_newer(found, refused):
            return found
        self.memory.refuse(self.issuer, refused, reason)
        raise sign_in_again(reason)

    def _read(self) -> Login:
        return read_login(self.path)

    @staticmethod
    def _is_newer(found: Login, used: Login) -> bool:
        same_account(used, found)
        return found.access_token != used.access_token


def locked(path: Path) -> AuthenticationError:
    """Return the error for a lock that somebody else keeps."""
    return AuthenticationError(
        f"Another program has kept the login file locked ({path.parent / 'auth.lock'}) for {PATIENCE:g} seconds.",
        hint="Look for a Codex program that hangs, and end it.",
        reason="locked",
    )


def _saved(saving: _Saving) -> Flow[Login]:
    """Write the new tokens. The old ones are used up, so an interrupt from here on must not lose the new ones."""
    try:
        return (yield Blocking(saving.save))
    finally:
        with contextlib.suppress(CodexError):
            saving.save()


class _Saving:
    """New tokens on their way to the file, written once, whichever thread comes first."""

    def __init__(self, path: Path, before: Login, tokens: Tokens) -> None:
        self._path, self._before, self._tokens = path, before, tokens
        self._done: Login | None = None
        self._guard = threading.Lock()

    def save(self) -> Login:
        """Write, unless another program wrote meanwhile; return the login that the file holds then."""
        with self._guard:
            if self._done is None:
                self._write()
                self._done = read_login(self._path)
            return self._done

    def _write(self) -> None:
        found = read_login(self._path)
        same_account(self._before, found)
        if found.refresh_token == self._before.refresh_token:
            replace(self._path, merged(read(self._path), self._tokens.fields, time.time()))
