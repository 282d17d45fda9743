"""Where a browser signs in: the one made-up user needs no form, and goes straight back with a code."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

from codex_nb.local.codes import CHALLENGE
from codex_nb.local.identity import CLIENT_ID
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

CALLBACK: Final = "/auth/callback"
SCOPES: Final = (
    "openid",
    "profile",
    "email",
    "offline_access",
    "api.connectors.read",
    "api.connectors.invoke",
)
NO_STORE: Final = {"cache-control": "no-store"}


async def authorize(request: Request) -> Response:
    """Serve ``GET /oauth/authorize``: 302 with a code, 302 with an error, or 400 when nobody may be redirected."""
    asked, state = dict(request.query_params), state_of(request)
    redirect_uri = asked.get("redirect_uri", "")
    if asked.get("client_id") != CLIENT_ID:
        return _stop("The client_id is unknown.")
    if not is_loopback_callback(redirect_uri):
        return _stop(f"The redirect_uri must be http://127.0.0.1:PORT{CALLBACK} or http://localhost:PORT{CALLBACK}.")
    if found := next(_mistakes(asked), None):
        return _back(redirect_uri, asked, error=found[0], error_description=found[1])
    if state.codes.denial is not None:
        return _back(redirect_uri, asked, error="access_denied", error_description=state.codes.denial)
    allowed = asked.get("allowed_workspace_id")
    if allowed and state.account.id not in allowed.split(","):
        return _back(redirect_uri, asked, error="access_denied", error_description="The workspace is not allowed.")
    scope = " ".join(word for word in asked["scope"].split() if word in SCOPES)
    return _back(redirect_uri, asked, code=state.codes.issue(asked["code_challenge"], redirect_uri, scope=scope))


def _mistakes(asked: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a request whose sender may be told so, as error and description."""
    if asked.get("response_type") != "code":
        yield "unsupported_response_type", "The response_type must be code."
    if not asked.get("state"):
        yield "invalid_request", "The state is missing."
    if asked.get("code_challenge_method") != "S256":
        yield "invalid_request", "The code_challenge_method must be S256."
    if not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        yield "invalid_request", "The code_challenge is not a SHA-256 digest in base64url."
    if "openid" not in asked.get("scope", "").split():
        yield "invalid_scope", "The scope must hold openid."


def is_loopback_callback(address: str) -> bool:
    """Whether a redirect goes to a listener on this machine, at the registered path."""
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return False
    plain = parts.scheme == "http" and port and parts.path == CALLBACK and not (parts.query or parts.fragment)
    return bool(plain and not parts.username and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _back(redirect_uri: str, asked: dict[str, str], **answer: str) -> RedirectResponse:
    state = {"state": asked["state"]} if asked.get("state") else {}
    return RedirectResponse(f"{redirect_uri}?{urlencode(answer | state)}", 302, NO_STORE)


def _stop(why: str) -> HTMLResponse:
    """Refuse on a page of its own: an address that is not trusted must not get the browser back."""
    return HTMLResponse(f"<!DOCTYPE html><title>Error</title><h1>Authentication error</h1><p>{why}</p>", 400, NO_STORE)
