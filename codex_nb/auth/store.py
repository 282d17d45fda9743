"""The login file ``auth.json``, shared with the Codex CLI and other tools: read in every form they write."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from codex_nb.auth.claims import Claims
from codex_nb.errors import NotSignedIn
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Login", "read_api_key", "read_login", "token"]

SIGN_IN: Final = "Sign in (%codex login, codex-nb login or codex login)"


@dataclass(frozen=True, slots=True)
class Login:
    """One login. Its tokens never show: not in a repr, not in an error."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    account_id: str | None = None
    # When the file was last renewed, epoch seconds.
    renewed_at: float | None = None

    @property
    def claims(self) -> Claims:
        """What the tokens say: the id token first for who it is, the access token alone for when it ends."""
        access = Claims.read(self.access_token)
        who = Claims.read(self.id_token) | access
        return Claims(who.email, who.plan, self.account_id or who.account_id, access.expires, who.fedramp)


# Why there is no login -> what happened, what to do.
REASONS: Final[dict[str, tuple[str, str]]] = {
    "missing": ("There is no login on this machine: {} does not exist.", f"{SIGN_IN}, or pass auth=Bearer(...)."),
    "unreadable": ("The login file {} cannot be read.", f"{SIGN_IN} again; it is written anew."),
    "api_key": ("The login file {} holds a platform key, but no ChatGPT login.", f"{SIGN_IN} to ChatGPT."),
    "incomplete": ("The login file {} holds no access token.", f"{SIGN_IN} to ChatGPT."),
}


def read_login(path: Path) -> Login:
    """Return the ChatGPT login in ``path``.

    The file may be of the Codex CLI, new or old (no ``auth_mode``), or of an SDK (``openai_api_key`` in lower case).

    Raises:
        NotSignedIn: there is no file (``reason`` is ``missing``), it cannot be read (``unreadable``), it holds a
            platform key alone (``api_key``) or no access token (``incomplete``).

    """
    found = _read(path)
    if isinstance(found, Login):
        return found
    # Raised here, where no variable holds the file's content: some tracebacks show variables.
    happened, hint = REASONS[found]
    raise NotSignedIn(happened.format(path), hint=hint, reason=found)


def _read(path: Path) -> Login | str:
    """Return the login, or the reason why there is none."""
    try:
        top = as_object(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return "missing"
    except (OSError, ValueError, RecursionError):
        return "unreadable"
    fields = as_object(top.get("tokens"))
    access, api_key = token(fields.get("access_token")), _api_key(top)
    if not access:
        return "api_key" if api_key else "incomplete"
    id_token = token(fields.get("id_token"))
    account = token(fields.get("account_id"))
    account = account or (Claims.read(id_token) | Claims.read(access)).account_id
    return Login(
        access, token(fields.get("refresh_token")), id_token, api_key, account, _epoch(top.get("last_refresh"))
    )


def read_api_key(path: Path) -> str | None:
    """Return the platform key in ``path``, whether there is a ChatGPT login beside it or not; None for none."""
    try:
        return _api_key(as_object(json.loads(path.read_bytes())))
    except (OSError, ValueError, RecursionError):
        return None


def _api_key(top: dict[str, Any]) -> str | None:
    return token(top.get("OPENAI_API_KEY") or top.get("openai_api_key"))


def token(value: Any) -> str | None:
    """Return ``value`` if it can stand in a header, else None."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isascii() and text.isprintable() and " " not in text and text else None


def _epoch(value: Any) -> float | None:
    """Return the time (RFC 3339) in epoch seconds; None for what is none."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
