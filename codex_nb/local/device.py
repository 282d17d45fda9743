"""The endpoints of device sign-in, and the page on which a person types the code."""

from __future__ import annotations

import html
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from codex_nb.local.authorize import NO_STORE
from codex_nb.local.codes import challenge_of
from codex_nb.local.identity import CLIENT_ID
from codex_nb.local.oauth import fields_of, refusal
from codex_nb.local.state import state_of
from codex_nb.local.tokens import SCOPE

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.devices import Device, Outcome
    from codex_nb.local.state import State

# A client whose addresses were bent here in flight still names the service's own.
ISSUER: Final = "https://auth.openai.com"
CALLBACK: Final = "/deviceauth/callback"
WAITING: Final[dict[Outcome, tuple[int, str, str]]] = {
    "pending": (403, "deviceauth_authorization_pending", "Device authorization is pending."),
    "unknown": (404, "deviceauth_authorization_unknown", "Device authorization is unknown."),
    "expired": (400, "expired_token", "The device code has expired."),
    "denied": (400, "access_denied", "Device authorization was denied."),
}
WORDS: Final[dict[Outcome, str]] = {
    "approved": "You are signed in. You may close this page and go back to the device.",
    "denied": "The sign-in was denied.",
    "expired": "This code has expired. Ask the device for a new one.",
    "unknown": "This code is not known. Compare it with the one on the device.",
}
PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in a device</title></head>
<body><h1>Sign in a device</h1><p>{words}</p>{form}</body></html>
"""
FORM: Final = """<form method="post" action="/codex/device">
<label>Code <input name="user_code" autocomplete="off" autofocus required></label>
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>"""


async def usercode(request: Request) -> JSONResponse:
    """Serve ``POST /api/accounts/deviceauth/usercode``."""
    state, fields = state_of(request), await fields_of(request)
    if not state.devices.enabled:
        return JSONResponse({"detail": "Not Found"}, 404)
    if fields is None or fields.get("client_id") != CLIENT_ID:
        return refusal(400, "invalid_client", "The client_id is unknown.")
    device = state.devices.begin(str(request.base_url).rstrip("/") + CALLBACK, ISSUER + CALLBACK)
    return JSONResponse(
        {
            "device_auth_id": device.id,
            "user_code": device.user_code,
            "interval": str(state.devices.interval),
            "expires_at": datetime.fromtimestamp(int(device.ends), UTC).isoformat(),
        },
        headers=NO_STORE,
    )


async def token(request: Request) -> JSONResponse:
    """Serve ``POST /api/accounts/deviceauth/token``: 403 until someone has typed the code."""
    state, fields = state_of(request), await fields_of(request) or {}
    device, outcome = state.devices.poll(str(fields.get("device_auth_id")), str(fields.get("user_code")))
    if device is None or outcome != "approved":
        return refusal(*WAITING[outcome])
    if not device.code:
        _grant(device, state)
    return JSONResponse(
        {
            "authorization_code": device.code,
            "code_challenge": challenge_of(device.verifier),
            "code_verifier": device.verifier,
        },
        headers=NO_STORE,
    )


def _grant(device: Device, state: State) -> None:
    device.verifier = secrets.token_urlsafe(64)
    device.code = state.codes.issue(challenge_of(device.verifier), *device.redirect_uris, scope=SCOPE)


async def page(_: Request) -> HTMLResponse:
    """Serve ``GET /codex/device``."""
    return _page("Type the code that your device shows. Never type one that someone sent you.", form=True)


async def decide(request: Request) -> HTMLResponse:
    """Serve the form of the page."""
    fields = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
    allow = fields.get("decision", "allow") == "allow"
    outcome = state_of(request).devices.decide(fields.get("user_code", ""), allow=allow)
    return _page(WORDS[outcome], form=outcome == "unknown")


def _page(words: str, *, form: bool) -> HTMLResponse:
    return HTMLResponse(PAGE.format(words=html.escape(words), form=FORM if form else ""), headers=NO_STORE)


ROUTES: Final = [
    Route("/api/accounts/deviceauth/usercode", usercode, methods=["POST"]),
    Route("/api/accounts/deviceauth/token", token, methods=["POST"]),
    Route("/codex/device", page),
    Route("/codex/device", decide, methods=["POST"]),
]
