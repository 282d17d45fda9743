"""The second port: signed addresses that take and give bytes, and must never see who is signed in."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from codex_nb.local.state import state_of
from codex_nb.local.store import CHUNK, LARGEST, Incoming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from codex_nb.local.store import Files, Permission, StoredFile

# Whoever sends one of these has shown a login to a host that it is not for.
SECRETS: Final = ("authorization", "chatgpt-account-id", "cookie")


async def put(request: Request) -> Response:
    """Take the bytes of a file."""
    files = state_of(request).files
    file = files.get(request.path_params["file_id"])
    incoming = Incoming()
    # Read to the end in any case: an answer in the middle of an upload is lost when the connection closes.
    try:
        async for chunk in request.stream():
            incoming.write(chunk)
    except ClientDisconnect:
        incoming.content.close()
        return _error(400, "IncompleteBody", "The request body ended early.")
    refusal = _shown_secret(request) or _unsigned(request, files, "w") or _unfit(request, file, incoming.size)
    if refusal is not None or file is None:
        incoming.content.close()
        return refusal or _error(404, "BlobNotFound", "The specified blob does not exist.")
    files.receive(file, incoming)
    return Response(status_code=201, headers={"etag": f'"{incoming.sha256[:16]}"', **_about()})


async def get(request: Request) -> Response:
    """Give the bytes of a file that was finished."""
    files = state_of(request).files
    file = files.get(request.path_params["file_id"])
    refusal = _shown_secret(request) or _unsigned(request, files, "r")
    if refusal is not None:
        return refusal
    if file is None or file.content is None:
        return _error(404, "BlobNotFound", "The specified blob does not exist.")
    headers = {"content-length": str(file.received), **_about()}
    return StreamingResponse(_chunks(file), media_type=file.mime_type, headers=headers)


async def _chunks(file: StoredFile) -> AsyncIterator[bytes]:
    at = 0
    while chunk := file.piece(at, CHUNK):
        at += len(chunk)
        yield chunk


def _shown_secret(request: Request) -> Response | None:
    shown = next((name for name in SECRETS if name in request.headers), None)
    said = f"Server failed to authenticate the request. The header {shown} must not be sent to a signed address."
    return _error(403, "AuthenticationFailed", said) if shown else None


def _unsigned(request: Request, files: Files, permission: Permission) -> Response | None:
    objection = files.objection(request.path_params["file_id"], dict(request.query_params), permission)
    said = f"Server failed to authenticate the request. {objection}"
    return _error(403, "AuthenticationFailed", said) if objection else None


def _unfit(request: Request, file: StoredFile | None, size: int) -> Response | None:
    """Refuse an upload that storage of this kind would not take."""
    if request.headers.get("x-ms-blob-type") != "BlockBlob":
        return _error(400, "MissingRequiredHeader", "An HTTP header that's mandatory is missing: x-ms-blob-type.")
    if "content-length" not in request.headers:
        return _error(411, "MissingContentLengthHeader", "The Content-Length header was not specified.")
    if size > LARGEST:
        return _error(413, "RequestBodyTooLarge", "The request body is too large and exceeds the limit.")
    if file is not None and size != file.size:
        return _error(400, "InvalidInput", f"{file.size} bytes were announced and {size} received.")
    if file is not None and file.finished:
        return _error(409, "BlobImmutableDueToPolicy", "The file is finished and cannot be replaced.")
    return None


def _about() -> dict[str, str]:
    return {"x-ms-request-id": secrets.token_hex(16), "x-ms-version": "2025-05-05"}


def _error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, media_type="application/xml", headers={"x-ms-error-code": code, **_about()})
