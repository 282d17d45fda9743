"""The token endpoint of a local backend, and the one that revokes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse
from starlette.routing import Route

from codex_nb.local.authorize import NO_STORE, authorize
from codex_nb.local.identity import CLIENT_ID
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.state import State

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
SUBJECTS: Final = {f"urn:ietf:params:oauth:token-type:{kind}" for kind in ("id_token", "access_token")}
MESSAGES: Final = {
    "refresh_token_expired": "Your refresh token has expired.",
    "refresh_token_reused": "Your refresh token has already been used to generate a new access token. "
    "Please try signing in again.",
    "refresh_token_invalidated": "Your session has ended. Please log in again.",
}


async def token(request: Request) -> JSONResponse:
    """Serve ``POST /oauth/token``. A refresh may come as JSON or as a form, the other grants only as a form."""
    fields, state = await fields_of(request), state_of(request)
    if fields is None or not fields.get("client_id"):
        return refusal(400, "missing_required_parameter", "Missing required parameter: 'client_id'.")
    if fields["client_id"] != CLIENT_ID:
        return JSONResponse({"error": "invalid_client", "error_description": "The client_id is unknown."}, 401)
    grant = fields.get("grant_type")
    if grant == "refresh_token":
        return await _refresh(fields, state)
    if grant not in {"authorization_code", EXCHANGE}:
        return JSONResponse({"error": "unsupported_grant_type", "error_description": f"No such grant: {grant}"}, 400)
    if not _is_form(request):
        return JSONResponse({"error": "invalid_request", "error_description": "This grant is sent as a form."}, 400)
    return _sign_in(fields, state) if grant == "authorization_code" else _api_key(fields, state)


async def _refresh(fields: dict[str, Any], state: State) -> JSONResponse:
    found = state.tokens.exchange(str(fields.get("refresh_token") or ""))
    await asyncio.sleep(state.tokens.delay)
    if isinstance(found, dict):
        return JSONResponse(found, headers=NO_STORE)
    if found in MESSAGES:
        return refusal(state.tokens.refusal_status, found, MESSAGES[found])
    return _invalid_grant("The provided grant is not valid.")


def _sign_in(fields: dict[str, Any], state: State) -> JSONResponse:
    for name in ("code", "redirect_uri", "code_verifier"):
        if not fields.get(name):
            return refusal(400, "missing_required_parameter", f"Missing required parameter: '{name}'.")
    scope, why_not = state.codes.redeem(fields["code"], fields["redirect_uri"], fields["code_verifier"])
    return _invalid_grant(why_not) if why_not else JSONResponse(state.tokens.issue(scope=scope), headers=NO_STORE)


def _api_key(fields: dict[str, Any], state: State) -> JSONResponse:
    if fields.get("requested_token") != "openai-api-key" or fields.get("subject_token_type") not in SUBJECTS:
        return refusal(400, "invalid_request", "The requested_token or the subject_token_type is not supported.")
    key = state.tokens.api_key(fields.get("subject_token", ""))
    if key is None:
        return refusal(401, "invalid_subject_token", "Invalid ID token: missing organization_id")
    return JSONResponse({"access_token": key}, headers=NO_STORE)


async def revoke(request: Request) -> JSONResponse:
    """Serve ``POST /oauth/revoke``; a token that is unknown is as good as revoked."""
    fields = await fields_of(request) or {}
    found = fields.get("token")
    if not isinstance(found, str) or not found:
        return refusal(400, "missing_required_parameter", "Missing required parameter: 'token'.")
    if fields.get("token_type_hint") == "refresh_token" and fields.get("client_id") != CLIENT_ID:
        return JSONResponse({"error": "invalid_client", "error_description": "The client_id is unknown."}, 401)
    state_of(request).tokens.revoke(found)
    return JSONResponse({})


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() == "application/x-www-form-urlencoded"


async def fields_of(request: Request) -> dict[str, Any] | None:
    """Return the fields of a JSON object or a form, None for anything else."""
    if _is_form(request):
        return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
    try:
        found = await request.json()
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """Refuse with an error object."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": error}, status)


def _invalid_grant(why: str) -> JSONResponse:
    return JSONResponse({"error": "invalid_grant", "error_description": why}, 400)


ROUTES: Final = [
    Route("/oauth/authorize", authorize),
    Route("/oauth/token", token, methods=["POST"]),
    Route("/oauth/revoke", revoke, methods=["POST"]),
]
