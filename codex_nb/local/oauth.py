"""The token endpoint of a local backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse

from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

MESSAGES = {
    "refresh_token_expired": "Your refresh token has expired.",
    "refresh_token_reused": "Your refresh token has already been used to generate a new access token. "
    "Please try signing in again.",
    "refresh_token_invalidated": "Your session has ended. Please log in again.",
}


async def token(request: Request) -> JSONResponse:
    """Serve ``POST /oauth/token``; JSON and form bodies mean the same."""
    fields = await _fields(request)
    if fields is None or not fields.get("client_id"):
        return _refusal(400, "missing_required_parameter", "Missing required parameter: 'client_id'.")
    if fields.get("grant_type") != "refresh_token":
        return JSONResponse(
            {"error": "unsupported_grant_type", "error_description": "Only refresh_token is served here."}, 400
        )
    found = state_of(request).tokens.exchange(str(fields.get("refresh_token") or ""))
    if isinstance(found, dict):
        return JSONResponse(found, headers={"cache-control": "no-store"})
    if found in MESSAGES:
        return _refusal(401, found, MESSAGES[found])
    return JSONResponse({"error": found, "error_description": "The provided grant is not valid."}, 400)


async def _fields(request: Request) -> dict[str, Any] | None:
    if "form" in request.headers.get("content-type", ""):
        return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
    try:
        found = await request.json()
    except ValueError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": error}, status)
