"""The tokens of a local backend: they rotate, expire and notice when one is used twice."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime
from typing import Any, Literal

from codex_nb.local import jwt
from codex_nb.local.identity import ACCOUNT_ID, CLIENT_ID, EMAIL, PLAN, USER_ID

LIFETIME = 864_000


class Tokens:
    """The tokens a backend has issued. ``lifetime`` is that of an access token, in seconds. Thread-safe."""

    def __init__(self, lifetime: int = LIFETIME) -> None:
        self.lifetime = lifetime
        self._lock = threading.Lock()
        # Refresh token -> "current", or the code that it is refused with.
        self._refresh: dict[str, str] = {}
        self._revoked: set[str] = set()

    def issue(self, *, lifetime: int | None = None) -> dict[str, Any]:
        """Return a fresh set of tokens, as the token endpoint does."""
        now, seconds = int(time.time()), self.lifetime if lifetime is None else lifetime
        account = {
            "chatgpt_account_id": ACCOUNT_ID,
            "chatgpt_plan_type": PLAN,
            "chatgpt_user_id": USER_ID,
            "user_id": USER_ID,
        }
        shared = {"iss": "https://auth.openai.com", "iat": now, "jti": secrets.token_hex(8), jwt.AUTH_CLAIM: account}
        access = {"aud": ["https://api.openai.com/v1"], "client_id": CLIENT_ID, "exp": now + seconds}
        identity = {"aud": [CLIENT_ID], "sub": "auth0|local", "exp": now + 3600, "email": EMAIL}
        refresh = f"rt_{secrets.token_urlsafe(24)}"
        with self._lock:
            self._refresh[refresh] = "current"
        return {
            "id_token": jwt.encode(shared | identity),
            "access_token": jwt.encode(shared | access | {jwt.PROFILE_CLAIM: {"email": EMAIL}}),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": "openid profile email offline_access",
        }

    def auth_json(self, *, lifetime: int | None = None) -> dict[str, Any]:
        """Return the content of an ``auth.json`` that is signed in here."""
        issued = self.issue(lifetime=lifetime)
        kept = {name: issued[name] for name in ("id_token", "access_token", "refresh_token")}
        return {
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": None,
            "tokens": {**kept, "account_id": ACCOUNT_ID},
            "last_refresh": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }

    def refuse(self, refresh_token: str, reason: Literal["expired", "reused", "invalidated"]) -> None:
        """Let a refresh token fail from now on, for this reason."""
        with self._lock:
            self._refresh[refresh_token] = f"refresh_token_{reason}"

    def revoke(self, access_token: str) -> None:
        """Refuse an access token from now on, before it expires."""
        with self._lock:
            self._revoked.add(access_token)

    def is_refused(self, access_token: str) -> bool:
        """Whether a bearer is expired or revoked. One that was not issued here is fine."""
        with self._lock:
            return access_token in self._revoked or jwt.is_expired(access_token)

    def exchange(self, refresh_token: str) -> dict[str, Any] | str:
        """Return new tokens for a refresh token, which is used up; or the code of the refusal."""
        with self._lock:
            found = self._refresh.get(refresh_token, "invalid_grant")
            if found == "current":
                self._refresh[refresh_token] = "refresh_token_reused"
        return self.issue() if found == "current" else found
