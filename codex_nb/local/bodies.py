"""How a request's body is read: JSON, perhaps compressed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from codex_nb.local.checks import error
from codex_nb.local.record import UnsupportedEncodingError, decoded

if TYPE_CHECKING:
    from starlette.requests import Request


async def json_body(request: Request) -> Any:
    """Return the decoded body, or the refusal of one that cannot be read."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    try:
        return json.loads(decoded(await request.body(), encoding))
    except UnsupportedEncodingError:
        return error(f"Content encoding {encoding} is not supported.", code="unsupported_content_encoding", status=415)
    except ValueError:
        return error("We could not parse the JSON body of your request.", code="invalid_json")
