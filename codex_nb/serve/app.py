"""The Whisper-compatible REST application over a session."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codex_nb.errors import CodexError
from codex_nb.serve.guard import Guard, may_use
from codex_nb.serve.replies import FormatError, failure, failure_of, reply, wanted_format
from codex_nb.serve.uploads import TooLargeError, UploadError, read_upload

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from codex_nb.client.session import Session
    from codex_nb.serve.config import ServerConfig
    from codex_nb.serve.uploads import Upload
    from codex_nb.types.audio import Transcript

__all__ = ["create_app"]

RETRY_AFTER = "2"


def create_app(session: Session, config: ServerConfig) -> Starlette:
    """Return the application: ``GET /healthz`` and ``POST /v1/audio/transcriptions`` (``/audio/transcriptions``)."""
    serving = _Serving(session, config)

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncGenerator[None, None]:
        yield
        await session.aio.leave_loop()

    return Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route("/v1/audio/transcriptions", serving.transcribe, methods=["POST"]),
            Route("/audio/transcriptions", serving.transcribe, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, config=config)],
        lifespan=running,
        exception_handlers={HTTPException: _refused, Exception: _broken},
    )


async def _healthz(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def _refused(_: Request, error: Exception) -> Response:
    """Answer what has no route: a status, and nothing else."""
    if not isinstance(error, HTTPException):
        raise error
    return Response(status_code=error.status_code, headers=error.headers)


async def _broken(_: Request, _error: Exception) -> Response:
    return failure(500, "server_error", "the server failed")


class _Serving:
    """The one endpoint, and how many are in it."""

    def __init__(self, session: Session, config: ServerConfig) -> None:
        self._session = session
        self._config = config
        self._slots = asyncio.Semaphore(config.concurrency)
        self._inside = 0

    async def transcribe(self, request: Request) -> Response:
        """Serve one upload. Nothing of the body is read before the key is checked and there is room."""
        config = self._config
        if not may_use(request.headers, config.api_key):
            challenge = {"www-authenticate": "Bearer"}
            return failure(401, "authentication_error", "missing or invalid bearer token", challenge)
        if self._inside >= config.concurrency + config.queue:
            wait = {"retry-after": RETRY_AFTER}
            return failure(429, "rate_limit_error", "the server is busy; try again in a moment", wait)
        self._inside += 1
        try:
            return await self._serve(request)
        except UploadError as error:
            return failure(400, "invalid_request_error", str(error))
        except TooLargeError:
            said = "multipart body exceeds the configured upload limit"
            return failure(413, "invalid_request_error", said, {"connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            self._inside -= 1

    async def _serve(self, request: Request) -> Response:
        upload = await read_upload(request, self._config.max_upload)
        try:
            wanted = wanted_format(upload.fields.get("response_format", ""))
            language = upload.fields.get("language", "").strip() or self._config.language
            async with self._slots:
                found = await self._unless_left(request, self._heard(upload, wanted, language))
        except FormatError as error:
            return failure(400, "invalid_request_error", str(error))
        except TimeoutError:
            said = f"upstream transcribe failed: no answer within {self._config.seconds:g} seconds"
            return failure(502, "upstream_error", said)
        except CodexError as error:
            return failure_of(error)
        finally:
            upload.close()
        stream = upload.fields.get("stream", "").strip().lower() == "true"
        return reply(found, wanted, language, stream=stream)

    async def _heard(self, upload: Upload, wanted: str, language: str | None) -> Transcript:
        config, route = self._config, self._config.route
        create: Any = self._session.aio.audio.transcriptions.create
        return await asyncio.wait_for(
            create(
                file=(upload.name, upload.file, upload.content_type or None),
                response_format="verbose_json" if wanted == "verbose_json" else "json",
                language=language,
                prompt=upload.fields.get("prompt", "").strip() or None,
                route=route,
                silent_ok=True,  # of silence the answer is an empty text
                # Whisper's clients must name a model; it is for routes that have several.
                model=upload.fields.get("model", "").strip() or None if route and "platform" in route else None,
            ),
            config.seconds,
        )

    async def _unless_left(self, request: Request, work: Any) -> Transcript:
        """Wait for ``work``, but not for a client who has left."""
        task: asyncio.Task[Transcript] = asyncio.ensure_future(work)
        left = asyncio.ensure_future(request.receive())
        try:
            await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise ClientDisconnect
        finally:
            left.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
