"""Authorization codes: what a browser or a device brings back, good once and only with its PKCE verifier."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Final

LIFETIME: Final = 60.0
# RFC 7636: 43 to 128 characters that need no escaping.
VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class _Code:
    challenge: str
    redirect_uris: frozenset[str]
    scope: str
    ends: float


class Codes:
    """The codes that wait to be exchanged. Thread-safe.

    ``lifetime`` is in seconds. ``denial`` None signs everyone in at once; a text refuses with ``access_denied`` and
    this description, such as "missing_codex_entitlement".
    """

    def __init__(self) -> None:
        self.lifetime = LIFETIME
        self.denial: str | None = None
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}
        self._used: set[str] = set()

    def issue(self, challenge: str, *redirect_uris: str, scope: str) -> str:
        """Return a new code. It is exchanged with one of ``redirect_uris``, to the letter."""
        code = f"ac_{secrets.token_urlsafe(24)}"
        with self._lock:
            self._codes[code] = _Code(challenge, frozenset(redirect_uris), scope, time.time() + self.lifetime)
        return code

    def redeem(self, code: str, redirect_uri: str, verifier: str) -> tuple[str, str]:
        """Return the granted scope and "", or "" and why not. A code is used up by the first try, right or wrong."""
        with self._lock:
            found = self._codes.pop(code, None)
            if found is None:
                used = code in self._used
                return "", "The authorization code was already used." if used else "The authorization code is unknown."
            self._used.add(code)
        if found.ends <= time.time():
            return "", "The authorization code has expired."
        if redirect_uri not in found.redirect_uris:
            return "", "The redirect_uri is not the one of the authorization request."
        if not VERIFIER.fullmatch(verifier) or challenge_of(verifier) != found.challenge:
            return "", "The code_verifier does not match the code_challenge."
        return found.scope, ""
