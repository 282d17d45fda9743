"""What a JSON web token says about its owner. Signatures are the service's business and are not verified here."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from codex_nb.wire.json import JSONObject, as_number, as_object, as_text

__all__ = ["Claims"]

AUTH = "https://api.openai.com/auth"
PROFILE = "https://api.openai.com/profile"


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims that matter. ``expires`` is epoch seconds; whatever a token does not say is None."""

    email: str | None = None
    plan: str | None = None
    account_id: str | None = None
    expires: float | None = None
    fedramp: bool = False

    @classmethod
    def read(cls, token: str | None) -> Claims:
        """Return what ``token`` says; nothing at all for a token that is no JSON web token."""
        claims = _payload(token or "")
        auth, profile = as_object(claims.get(AUTH)), as_object(claims.get(PROFILE))
        return cls(
            email=as_text(claims.get("email")) or as_text(profile.get("email")),
            plan=as_text(auth.get("chatgpt_plan_type")),
            account_id=as_text(auth.get("chatgpt_account_id")),
            expires=as_number(claims.get("exp")),
            fedramp=auth.get("chatgpt_account_is_fedramp") is True,
        )

    def __or__(self, other: Claims) -> Claims:
        """Return these claims, completed by those of another token of the same login."""
        return Claims(
            self.email or other.email,
            self.plan or other.plan,
            self.account_id or other.account_id,
            self.expires or other.expires,
            self.fedramp or other.fedramp,
        )


def _payload(token: str) -> JSONObject:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return as_object(json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))
    except (binascii.Error, ValueError, RecursionError):
        return {}
