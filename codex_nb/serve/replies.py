"""What the server answers: OpenAI's forms of a transcript and of an error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from codex_nb.errors import APIStatusError, AudioError, AuthenticationError, CodexError, MalformedStream, NotSignedIn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codex_nb.types.audio import Transcript

__all__ = ["FORMATS", "FormatError", "failure", "failure_of", "reply", "wanted_format"]

FORMATS = ("json", "text", "verbose_json")
LONGEST = 300


class FormatError(Exception):
    """A ``response_format`` that is not served."""


def wanted_format(text: str) -> str:
    """Return the format that a form asks for.

    Raises:
        FormatError: the endpoint gives no times, or the format is not known.

    """
    wanted = text.strip() or "json"
    if wanted in {"srt", "vtt"}:
        raise FormatError("response_format srt/vtt is not supported because timestamps are unavailable")
    if wanted not in FORMATS:
        raise FormatError(f"unsupported response_format: {wanted[:60]}")
    return wanted


def reply(found: Transcript, wanted: str, language: str | None, *, stream: bool = False) -> Response:
    """Return a transcript in the form that was asked for."""
    if stream:
        events = [{"type": "transcript.text.delta", "delta": found.text}] if found.text else []
        events.append({"type": "transcript.text.done", "text": found.text})
        lines = [*(json.dumps(event) for event in events), "[DONE]"]
        return Response("".join(f"data: {line}\n\n" for line in lines), media_type="text/event-stream")
    if wanted == "text":
        return PlainTextResponse(found.text)
    if wanted == "json":
        return JSONResponse({"text": found.text})
    segments = [{"id": number, **segment.raw} for number, segment in enumerate(found.segments)]
    return JSONResponse(
        {
            "task": "transcribe",
            "language": language,
            "duration": found.duration,
            "text": found.text,
            "segments": segments,
        }
    )


def failure(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error in OpenAI's form."""
    error: dict[str, Any] = {"message": message, "type": kind, "param": None, "code": None}
    return JSONResponse({"error": error}, status, headers=dict(headers or {}))


def failure_of(error: CodexError) -> Response:
    """Return the reply for what went wrong: at the recording (400), at the login here (500), or upstream (502)."""
    if isinstance(error, NotSignedIn):
        return failure(500, "server_error", _cut(f"failed to load Codex auth: {error}"))
    if isinstance(error, AudioError) and not getattr(error, "route", ""):
        return failure(400, "invalid_request_error", _cut(str(error)))
    return failure(502, "upstream_error", _cut(f"upstream transcribe failed: {_upstream(error)}"))


def _upstream(error: CodexError) -> str:
    if isinstance(error, AuthenticationError):
        return f"transcribe request failed with HTTP {error.status_code}: {error}"
    if isinstance(error, APIStatusError):
        return f"transcribe request failed with HTTP {error.status_code}: {error.body}"
    if isinstance(error, MalformedStream):
        return f"transcribe response did not contain text ({error})"
    return f"transcribe request failed: {error}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
