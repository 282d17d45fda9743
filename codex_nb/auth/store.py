"""The login file ``auth.json``, shared with the Codex CLI and other tools: read in every form they write."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from codex_nb.auth.claims import Claims
from codex_nb.errors import NotSignedIn
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Login", "read_login"]

SIGN_IN = "Sign in with the Codex CLI (codex login)"


@dataclass(frozen=True, slots=True)
class Login:
    """One login. Its tokens never show: not in a repr, not in an error."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    account_id: str | None = None

    @property
    def claims(self) -> Claims:
        """What the tokens say: the id token first for who it is, the access token alone for when it ends."""
        access = Claims.read(self.access_token)
        who = Claims.read(self.id_token) | access
        return Claims(who.email, who.plan, self.account_id or who.account_id, access.expires, who.fedramp)


def read_login(path: Path) -> Login:
    """Return the ChatGPT login in ``path``.

    The file may be of the Codex CLI, new or old (no ``auth_mode``), or of an SDK (``openai_api_key`` in lower case).

    Raises:
        NotSignedIn: there is no file (``reason`` is ``missing``), it cannot be read (``unreadable``), it holds a
            platform key alone (``api_key``) or no access token (``incomplete``).

    """
    where = f"{path}"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotSignedIn(
            f"There is no login on this machine: {where} does not exist.",
            hint=f"{SIGN_IN}, or pass auth=Bearer(...).",
            reason="missing",
        ) from None
    except (OSError, ValueError, RecursionError):
        # The cause is left out: a JSON error quotes the file.
        raise NotSignedIn(
            f"The login file {where} cannot be read.",
            hint=f"{SIGN_IN} again; it is written anew.",
            reason="unreadable",
        ) from None
    return _login(content, where)


def _login(content: Any, where: str) -> Login:
    top = as_object(content)
    fields = as_object(top.get("tokens"))
    access, api_key = _token(fields.get("access_token")), _token(top.get("OPENAI_API_KEY") or top.get("openai_api_key"))
    if not access:
        reason = "api_key" if api_key else "incomplete"
        held = "a platform key, but no ChatGPT login" if api_key else "no access token"
        raise NotSignedIn(f"The login file {where} holds {held}.", hint=f"{SIGN_IN} to ChatGPT.", reason=reason)
    id_token = _token(fields.get("id_token"))
    account = _token(fields.get("account_id"))
    account = account or (Claims.read(id_token) | Claims.read(access)).account_id
    return Login(access, _token(fields.get("refresh_token")), id_token, api_key, account)


def _token(value: Any) -> str | None:
    """Return ``value`` if it can stand in a header, else None."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isascii() and text.isprintable() and " " not in text and text else None
