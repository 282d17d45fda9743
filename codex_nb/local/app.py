"""The routes of the backend."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from codex_nb.local import (
    account,
    cloud,
    depot,
    device,
    embeddings,
    files,
    listening,
    memories,
    models,
    oauth,
    realtime,
    responses,
    speech,
)
from codex_nb.local.gate import Gate

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.state import State


async def _healthz(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def _refused(_: Request, error: Exception) -> JSONResponse:
    """Answer what has no route as the service does."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"detail": HTTPStatus(status).phrase}, status)


ROUTES = [
    Route("/healthz", _healthz),
    *oauth.ROUTES,
    *device.ROUTES,
    Route("/backend-api/codex/models", models.codex),
    Route("/backend-api/codex/responses", responses.codex, methods=["POST"]),
    Route("/backend-api/codex/responses", responses.upgrade, methods=["GET"]),
    Route("/backend-api/codex/responses/compact", responses.compact_codex, methods=["POST"]),
    Route("/backend-api/codex/memories/trace_summarize", memories.trace_summarize, methods=["POST"]),
    Route("/backend-api/codex/realtime/calls", realtime.create, methods=["POST"]),
    *account.ROUTES,
    *cloud.ROUTES,
    Route("/backend-api/files", files.create, methods=["POST"]),
    Route("/backend-api/files/{file_id}/uploaded", files.uploaded, methods=["POST"]),
    Route("/files/{file_id}/raw", depot.put, methods=["PUT"]),
    Route("/files/{file_id}/raw", depot.get),
    Route("/backend-api/transcribe", speech.chatgpt, methods=["POST"]),
    Route("/v1/audio/transcriptions", speech.openai, methods=["POST"]),
    WebSocketRoute("/v1/realtime", listening.serve),
    Route("/v1/embeddings", embeddings.create, methods=["POST"]),
    Route("/v1/models", models.openai),
    Route("/v1/models/{name}", models.openai_one),
    Route("/v1/responses", responses.openai, methods=["POST"]),
    Route("/v1/responses/compact", responses.compact_openai, methods=["POST"]),
]


def build(state: State) -> Starlette:
    """Return the application around a backend's state."""
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Gate, state=state)],
        exception_handlers={HTTPException: _refused},
    )
    app.state.backend = state
    return app
