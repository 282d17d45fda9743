"""The two endpoints around an upload: one announces a file, the other finishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from starlette.responses import JSONResponse

from codex_nb.local.bodies import json_body
from codex_nb.local.checks import Refusal
from codex_nb.local.state import state_of
from codex_nb.local.store import LARGEST

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.pieces import Json

WANTED: Final[dict[str, type[Any]]] = {"file_name": str, "file_size": int, "use_case": str}


async def create(request: Request) -> JSONResponse:
    """Serve ``POST /backend-api/files``: an id, and an address to put the bytes to."""
    fields = _read(await json_body(request))
    if isinstance(fields, Refusal):
        return JSONResponse(fields.body, fields.status)
    files = state_of(request).files
    file = files.create(fields["file_name"], fields["file_size"], fields["use_case"])
    url = files.upload_url(file, str(request.base_url))
    return JSONResponse({"file_id": file.id, "upload_url": url, "status": "success"})


async def uploaded(request: Request) -> JSONResponse:
    """Serve ``POST /backend-api/files/{id}/uploaded``: ``retry`` while it is worked on, then where it can be read."""
    body = await json_body(request)
    if isinstance(body, Refusal):
        return JSONResponse(body.body, body.status)
    files = state_of(request).files
    file = files.get(request.path_params["file_id"])
    if file is None:
        return JSONResponse({"detail": "File not found"}, 404)
    if (ending := files.finish(file)) != "success":
        failed = {"status": "error", "error_message": ending}
        return JSONResponse({"status": "retry"} if ending == "retry" else failed)
    return JSONResponse(
        {
            "status": "success",
            "download_url": files.download_url(file, str(request.base_url)),
            "file_name": file.name,
            "mime_type": file.mime_type,
            "file_size_bytes": file.size,
            "error_message": None,
        }
    )


def _read(body: Any) -> Json | Refusal:
    """Check as a form of the service's framework does: 422 with a list, and 413 for what is too large."""
    if isinstance(body, Refusal):
        return body
    fields = cast("Json", body) if isinstance(body, dict) else {}
    wrong = [
        {"type": "missing" if name not in fields else f"{kind.__name__}_type", "loc": ["body", name], "msg": said}
        for name, kind in WANTED.items()
        if (said := _complaint(fields, name, kind))
    ]
    if wrong:
        return Refusal(422, {"detail": wrong})
    if fields["file_size"] > LARGEST:
        return Refusal(413, {"detail": f"File size {fields['file_size']} exceeds the limit of {LARGEST} bytes"})
    return fields


def _complaint(fields: Json, name: str, kind: type[Any]) -> str:
    if name not in fields:
        return "Field required"
    value = fields[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        return f"Input should be a valid {'integer' if kind is int else 'string'}"
    if kind is int and value < 0:
        return "Input should be greater than or equal to 0"
    return "" if value or kind is int else "String should have at least 1 character"
