"""What is asked of the issuer of logins: tokens for a code or a refresh token, a platform key, the end of a login."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import pydantic_core

from codex_nb.auth.store import token
from codex_nb.errors import APIError, APIStatusError, CodexError, SignInExpired
from codex_nb.settings import oauth_path
from codex_nb.wire.call import Call, Secret
from codex_nb.wire.json import as_object, as_text

if TYPE_CHECKING:
    from codex_nb.auth.store import Login
    from codex_nb.wire.call import Flow, Reply

__all__ = ["CLIENT_ID", "Refusal", "Tokens", "api_key", "exchange", "refresh", "revoke", "sign_in_again"]

CLIENT_ID: Final = "app_EMoamEEZ73f0CkXaXp7hrann"
GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name
SILENCE: Final = 30.0
GOODBYE: Final = 10.0
# What the flows want to read themselves; 429 and 5xx are sent again.
READ_HERE: Final = frozenset({400, 401, 402, 403, 404, 422})
ALL: Final = frozenset(range(300, 600))


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint hands out; what it leaves out keeps its old value."""

    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)

    @property
    def fields(self) -> dict[str, str]:
        """The ones that are there, by the names of the login file."""
        found = {"id_token": self.id_token, "access_token": self.access_token, "refresh_token": self.refresh_token}
        return {name: value for name, value in found.items() if value}

    @property
    def whole(self) -> bool:
        """Whether all three are there, as a sign-in needs it."""
        return len(self.fields) == 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """The token endpoint's no. ``reason`` is that of `SignInExpired`; ``final`` when asking again cannot help."""

    reason: str
    status: int
    final: bool


# The endpoint's code -> our reason.
REASONS: Final = {
    "refresh_token_expired": "expired",
    "refresh_token_reused": "reused",
    "refresh_token_invalidated": "revoked",
    "token_revoked": "revoked",
    "invalid_grant": "invalid",
}
HAPPENED: Final = {
    "expired": "The login has expired: its refresh token is too old.",
    "reused": "The login was renewed elsewhere, and this copy of it is used up.",
    "revoked": "The login was ended elsewhere.",
    "invalid": "The service refuses to renew the login.",
}


def sign_in_again(reason: str) -> SignInExpired:
    """Return the error for a login that cannot be renewed any more."""
    hint = "Sign in again: %codex login, or codex-nb login."
    if reason == "reused":
        hint += " A copy of auth.json on another machine or in a container needs a sign-in of its own."
    return SignInExpired(HAPPENED.get(reason, HAPPENED["invalid"]), hint=hint, reason=reason)


Answer: TypeAlias = Tokens | Refusal


def refresh(login: Login, why: str) -> Flow[Answer]:
    """Ask for new tokens. ``why`` is the official client's word: ``proactive_expiry`` or ``unauthorized_recovery``."""
    answer = _answer((yield from _ask(_refresh(login, why))))
    if isinstance(answer, Refusal) and not answer.final:
        raise _failed(APIStatusError, answer.status)
    if isinstance(answer, Tokens) and not answer.fields:
        raise APIError("The sign-in service answered without tokens.", hint="Check for a proxy or sign-in page.")
    return answer


def exchange(code: Secret, redirect_uri: str) -> Flow[Answer]:
    """Ask for the tokens of a sign-in. ``code`` holds ``code`` and ``code_verifier``."""
    return _answer((yield from _ask(_exchange(code, redirect_uri))))


def api_key(tokens: Tokens) -> Flow[Tokens]:
    """Ask for a platform key (as ``access_token``). Accounts without an organization have none; that is no error."""
    try:
        answer = _answer((yield _api_key(tokens)))
    except CodexError:
        return Tokens()
    return answer if isinstance(answer, Tokens) else Tokens()


def revoke(login: Login) -> Flow[bool]:
    """Ask that the login end everywhere; return whether the service agreed. Ten seconds, one attempt."""
    try:
        reply: Reply = yield _revoke(login)
    except CodexError:
        return False
    return reply.status < 300


# Calls are made where nothing waits: some tracebacks show each expression of the line that they stopped at.


def _refresh(login: Login, why: str) -> Call:
    fields = Secret(
        client_id=CLIENT_ID,
        grant_type="refresh_token",
        refresh_token=login.refresh_token or "",
        refresh_reason=why,
    )
    return Call("POST", oauth_path("token"), json=fields, also_fine=READ_HERE, signed_in=False, timeout=SILENCE)


def _exchange(code: Secret, redirect_uri: str) -> Call:
    form = Secret(grant_type="authorization_code", client_id=CLIENT_ID, redirect_uri=redirect_uri, **code)
    return Call("POST", oauth_path("token"), form=form, also_fine=READ_HERE, signed_in=False, timeout=SILENCE)


def _api_key(tokens: Tokens) -> Call:
    form = Secret(
        grant_type=GRANT,
        client_id=CLIENT_ID,
        requested_token="openai-api-key",  # noqa: S106 - a name
        subject_token=tokens.id_token or "",
        subject_token_type=ID_TOKEN,
    )
    return Call("POST", oauth_path("token"), form=form, also_fine=ALL, signed_in=False, timeout=SILENCE)


def _revoke(login: Login) -> Call:
    fields = (
        Secret(token=login.refresh_token, token_type_hint="refresh_token", client_id=CLIENT_ID)  # noqa: S106
        if login.refresh_token
        else Secret(token=login.access_token, token_type_hint="access_token")  # noqa: S106
    )
    return Call("POST", oauth_path("revoke"), json=fields, also_fine=ALL, signed_in=False, timeout=GOODBYE)


def _ask(call: Call) -> Flow[Reply]:
    """Send ``call``; a status that fails is told by its kind alone, because its text may quote anything."""
    try:
        return (yield call)
    except APIStatusError as error:
        kind, status = type(error), error.status_code
    raise _failed(kind, status)


def _failed(kind: type[APIStatusError], status: int) -> APIStatusError:
    hint = "Try again in a few minutes; a proxy or VPN may be in the way."
    return kind(f"The sign-in service failed (HTTP {status}).", hint=hint, status_code=status)


def _answer(reply: Reply) -> Answer:
    try:
        fields = as_object(pydantic_core.from_json(reply.content))
    except ValueError:
        fields = {}
    if reply.status < 300:
        return Tokens(*(token(fields.get(name)) for name in ("access_token", "refresh_token", "id_token")))
    error = fields.get("error")
    code = as_text(as_object(error).get("code")) or as_text(error) or as_text(fields.get("code")) or ""
    return Refusal(REASONS.get(code, "invalid"), reply.status, final=code in REASONS or reply.status == 401)
