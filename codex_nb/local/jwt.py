"""Tokens that look like the service's: a JWT whose signature nobody checks."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import Any, cast

AUTH_CLAIM = "https://api.openai.com/auth"
PROFILE_CLAIM = "https://api.openai.com/profile"
JWT_PARTS = 3


def encode(claims: dict[str, Any]) -> str:
    """Return an unsigned JWT of these claims."""
    head = {"alg": "RS256", "typ": "JWT", "kid": "local"}
    return ".".join([_pack(json.dumps(head).encode()), _pack(json.dumps(claims).encode()), _pack(b"not-a-signature")])


def claims_of(token: str) -> dict[str, Any] | None:
    """Return the claims of a JWT, None when the text is none."""
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return None
    return cast("dict[str, Any]", claims) if isinstance(claims, dict) else None


def is_expired(token: str) -> bool:
    """Whether a token is a JWT whose ``exp`` (epoch seconds) is past."""
    end = (claims_of(token) or {}).get("exp")
    return isinstance(end, (int, float)) and end <= time.time()


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
