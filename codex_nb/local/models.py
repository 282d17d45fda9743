"""The endpoints that list models, in the Codex shape and in OpenAI's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from codex_nb.local.catalogue import for_client
from codex_nb.local.checks import error
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.pieces import Json

# OpenAI's shape wants a time; a catalogue row has none.
CREATED = 1_767_225_600


async def codex(request: Request) -> Response:
    """Serve ``GET /backend-api/codex/models``: rows by client version, 304 for a known ETag."""
    state = state_of(request)
    headers = {"etag": state.etag}
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {state.etag, "*"}:
        return Response(status_code=304, headers=headers)
    rows = for_client(state.engine.rows, request.query_params.get("client_version", ""))
    return JSONResponse({"models": rows}, headers=headers)


async def openai(request: Request) -> JSONResponse:
    """Serve ``GET /v1/models``."""
    return JSONResponse({"object": "list", "data": [_public(name) for name in state_of(request).models()]})


async def openai_one(request: Request) -> JSONResponse:
    """Serve ``GET /v1/models/{id}``."""
    name = request.path_params["name"]
    if name in state_of(request).models():
        return JSONResponse(_public(name))
    refusal = error(f"The model '{name}' does not exist.", "model", "model_not_found", 404)
    return JSONResponse(refusal.body, refusal.status)


def _public(name: str) -> Json:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "codex-nb-local"}
