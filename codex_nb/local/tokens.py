"""The tokens of a local backend: they rotate, expire, are revoked, and notice when one is used twice."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from codex_nb.local import jwt
from codex_nb.local.identity import CLIENT_ID, Identity

Reason: TypeAlias = Literal["expired", "reused", "invalidated", "invalid_grant"]
Field: TypeAlias = Literal["id_token", "access_token", "refresh_token"]

LIFETIME: Final = 864_000
ID_LIFETIME: Final = 3600
SCOPE: Final = "openid profile email offline_access"
CODES: Final[dict[Reason, str]] = {
    "expired": "refresh_token_expired",
    "reused": "refresh_token_reused",
    "invalidated": "refresh_token_invalidated",
    "invalid_grant": "invalid_grant",
}


@dataclass(slots=True, eq=False)
class _Login:
    """One sign-in and all tokens that descend from it."""

    scope: str
    access: str = field(default="", repr=False)
    ended: bool = False


@dataclass(slots=True, eq=False)
class _Grant:
    """What one refresh token stands for. ``refused`` is the code it is refused with."""

    login: _Login
    ends: float
    refused: str | None = None


class Tokens:
    """The tokens that a backend has issued. Thread-safe; the settings may be changed while it runs.

    ``lifetime`` of access tokens and ``refresh_lifetime`` of refresh tokens (None: for ever) are in seconds and hold
    for what is issued later. ``delay`` is in seconds between a refresh and its answer: by then the old refresh token
    is used up. ``omitted`` names what a refresh leaves out of its answer; without a new refresh token the old one
    stays good. ``refusal_status`` is 401, or 400. With ``overlap`` an access token outlives its refresh. With
    ``strict`` only bearers that were issued here are accepted; otherwise any other will do too.
    """

    def __init__(self, lifetime: int = LIFETIME, *, account: Identity | None = None) -> None:
        self.lifetime = lifetime
        self.refresh_lifetime: float | None = None
        self.delay = 0.0
        self.omitted: set[Field] = set()
        self.refusal_status = 401
        self.overlap = False
        self.strict = False
        self.account = account or Identity()
        self._lock = threading.Lock()
        self._refreshes = 0
        self._failures: deque[str] = deque()
        self._grants: dict[str, _Grant] = {}
        # Access token -> its login; an API key has one of its own.
        self._bearers: dict[str, _Login] = {}
        self._revoked: set[str] = set()

    @property
    def refreshes(self) -> int:
        """How many refreshes have succeeded."""
        return self._refreshes

    def issue(self, *, lifetime: int | None = None, scope: str = SCOPE) -> dict[str, Any]:
        """Return the tokens of a new sign-in, as the token endpoint does."""
        with self._lock:
            return self._issue(_Login(scope), self.lifetime if lifetime is None else lifetime)

    def auth_json(self, *, lifetime: int | None = None) -> dict[str, Any]:
        """Return the content of an ``auth.json`` that is signed in here."""
        issued = self.issue(lifetime=lifetime)
        kept = {name: issued[name] for name in ("id_token", "access_token", "refresh_token")}
        return {
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": None,
            "tokens": {**kept, "account_id": self.account.id},
            "last_refresh": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }

    def exchange(self, refresh_token: str) -> dict[str, Any] | str:
        """Return new tokens for a refresh token, which is used up; or the code of the refusal."""
        with self._lock:
            if self._failures:
                return self._failures.popleft()
            grant = self._grants.get(refresh_token)
            if grant is None:
                return CODES["invalid_grant"]
            if grant.refused or grant.ends <= time.time():
                return grant.refused or CODES["expired"]
            if not self.overlap:
                self._revoked.add(grant.login.access)
            self._refreshes += 1
            issued = self._issue(grant.login, self.lifetime, rotate="refresh_token" not in self.omitted)
            if "refresh_token" in issued:
                grant.refused = CODES["reused"]
            return {name: value for name, value in issued.items() if name not in self.omitted}

    def api_key(self, subject_token: str) -> str | None:
        """Return a platform key for an id or access token; None when the account has no organization."""
        claims = jwt.claims_of(subject_token)
        if claims is None or jwt.is_expired(subject_token) or self.account.organization is None:
            return None
        key = f"sk-local-{secrets.token_urlsafe(24)}"
        with self._lock:
            self._bearers[key] = _Login("", key)
        return key

    def fail_next(self, reason: Reason, times: int = 1) -> None:
        """Let the next refreshes fail for this reason, whatever they bring; nothing is used up by them."""
        with self._lock:
            self._failures.extend([CODES[reason]] * times)

    def refuse(self, refresh_token: str, reason: Reason) -> None:
        """Let a refresh token fail from now on, for this reason."""
        with self._lock:
            grant = self._grants.setdefault(refresh_token, _Grant(_Login(SCOPE), float("inf")))
            grant.refused = CODES[reason]

    def revoke(self, token: str) -> None:
        """Refuse an access token from now on; a refresh token takes every token of its sign-in with it."""
        with self._lock:
            self._revoked.add(token)
            if token in self._grants:
                self._end(self._grants[token].login)

    def revoke_all(self) -> None:
        """End every sign-in, as a log-out of all devices does."""
        with self._lock:
            for login in [*(grant.login for grant in self._grants.values()), *self._bearers.values()]:
                self._end(login)

    def is_ours(self, token: str) -> bool:
        """Whether a bearer was issued here."""
        with self._lock:
            return token in self._bearers

    def is_refused(self, token: str) -> bool:
        """Whether a bearer is expired, revoked or replaced. One that was not issued here is fine while it lasts."""
        with self._lock:
            login = self._bearers.get(token)
            return token in self._revoked or (login is not None and login.ended) or jwt.is_expired(token)

    def _end(self, login: _Login) -> None:
        login.ended = True
        for grant in self._grants.values():
            if grant.login is login:
                grant.refused = grant.refused or CODES["invalidated"]

    def _issue(self, login: _Login, seconds: int, *, rotate: bool = True) -> dict[str, Any]:
        issued: dict[str, Any] = {
            "id_token": self._identity_token(),
            "access_token": self._access_token(login.scope, seconds),
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": login.scope,
        }
        login.access = issued["access_token"]
        self._bearers[login.access] = login
        if rotate and "offline_access" in login.scope.split():
            issued["refresh_token"] = f"rt_{secrets.token_urlsafe(24)}"
            ends = float("inf") if self.refresh_lifetime is None else time.time() + self.refresh_lifetime
            self._grants[issued["refresh_token"]] = _Grant(login, ends)
        return issued

    def _access_token(self, scope: str, seconds: int) -> str:
        return jwt.encode(
            self._shared(seconds)
            | {
                "aud": ["https://api.openai.com/v1"],
                "client_id": CLIENT_ID,
                "scp": scope.split(),
                jwt.AUTH_CLAIM: self.account.claims(),
                jwt.PROFILE_CLAIM: {"email": self.account.email, "email_verified": True},
            }
        )

    def _identity_token(self) -> str:
        return jwt.encode(
            self._shared(ID_LIFETIME)
            | {
                "aud": [CLIENT_ID],
                "email": self.account.email,
                "email_verified": True,
                jwt.AUTH_CLAIM: self.account.claims() | self.account.organization_claims(),
            }
        )

    def _shared(self, seconds: int) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": "https://auth.openai.com",
            "sub": "auth0|local",
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_hex(8),
        }
