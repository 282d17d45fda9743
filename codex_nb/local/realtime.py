"""The endpoint that opens a realtime call: an SDP offer in, an SDP answer and the call's id out."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.responses import JSONResponse, Response

from codex_nb.local.bodies import json_body
from codex_nb.local.checks import Refusal, error
from codex_nb.local.sdp import answer_to
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.pieces import Json

# What the third generation of the endpoint is asked with.
GENERATION: Final = {"intent": "quicksilver", "architecture": "avas"}
WHO: Final = ("session-id", "thread-id")
SESSION_FIELDS: Final = frozenset(
    {
        *("type", "model", "instructions", "prompt", "include", "tracing", "truncation", "max_output_tokens"),
        *("audio", "voice", "speed", "modalities", "output_modalities", "turn_detection", "reasoning"),
        *("delegation", "initial_items", "tools", "tool_choice"),
    }
)
MODELS: Final = ("gpt-live-", "gpt-realtime", "gpt-4o-realtime")


async def create(request: Request) -> Response:
    """Serve ``POST /backend-api/codex/realtime/calls``."""
    wanted = await _read(request)
    wanted = wanted if isinstance(wanted, Refusal) else _refusal(request, wanted[1]) or wanted
    if isinstance(wanted, Refusal):
        return JSONResponse(wanted.body, wanted.status)
    offer, session = wanted
    answer = answer_to(offer)
    if answer is None:
        refusal = error("Invalid SDP offer.", "sdp", "invalid_offer")
        return JSONResponse(refusal.body, refusal.status)
    state = state_of(request)
    call_id = f"rtc_{hashlib.sha256(f'{state.new_id()} {offer}'.encode()).hexdigest()[:24]}"
    state.calls[call_id] = session
    headers = {"location": f"/v1/realtime/calls/{call_id}"}
    return Response(answer, 201, media_type="application/sdp", headers=headers)


async def _read(request: Request) -> tuple[str, Json] | Refusal:
    """Return the offer and the session that is asked for, which a bare offer does not name."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/sdp":
        return (await request.body()).decode("utf-8", "replace"), {}
    if kind != "application/json":
        return error(f"Unsupported content type: '{kind}'.", code="unsupported_content_type", status=415)
    body = await json_body(request)
    if isinstance(body, Refusal):
        return body
    fields = cast("Json", body) if isinstance(body, dict) else {}
    if not isinstance(fields.get("sdp"), str):
        return error("Missing required parameter: 'sdp'.", "sdp", "missing_required_parameter")
    session = fields.get("session", {})
    if not isinstance(session, dict):
        return error("Invalid type for 'session': expected an object.", "session", "invalid_type")
    known = cast("Json", session)
    unknown = [name for name in fields if name not in {"sdp", "session"}]
    unknown += [f"session.{name}" for name in known if name not in SESSION_FIELDS]
    return _unknown(unknown[0]) if unknown else (fields["sdp"], known)


def _unknown(name: str) -> Refusal:
    return error(f"Unknown parameter: {name}", name, "unknown_parameter")


def _refusal(request: Request, session: Json) -> Refusal | None:
    newest = "openai-alpha" in request.headers or any(name in request.query_params for name in GENERATION)
    if newest:
        for name, value in GENERATION.items():
            if request.query_params.get(name) != value:
                return error(f"Invalid value for '{name}'.", name, "invalid_value")
        for name in WHO:
            if not _is_uuid(request.headers.get(name, "")):
                return error(f"Missing or invalid header: '{name}'.", name, "missing_required_header")
    model: Any = session.get("model")
    if model is not None and not (isinstance(model, str) and model.startswith(MODELS)):
        return error("Model not found", "session.model", "model_not_found")
    return None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
