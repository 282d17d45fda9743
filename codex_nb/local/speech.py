"""The two endpoints that make text of speech."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from codex_nb.local.checks import error
from codex_nb.local.containers import TAKEN, container_of, seconds_of
from codex_nb.local.pieces import Ear, Hearing
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from codex_nb.local.pieces import Json

MAX_AUDIO: Final = 26_214_400
NOT_HEARD: Final = {"detail": "Error in ASR API"}
NO_EAR: Final = {"detail": "This engine does not hear."}

# Model -> the formats of its answers.
FORMATS: Final = {
    "whisper-1": ("json", "text", "srt", "verbose_json", "vtt"),
    "gpt-4o-transcribe": ("json", "text"),
    "gpt-4o-mini-transcribe": ("json", "text"),
    "gpt-4o-transcribe-diarize": ("json", "text", "diarized_json"),
}
# What takes a time from a segment; nothing here knows any.
NEEDS_TIMES: Final = ("srt", "vtt", "diarized_json")


async def chatgpt(request: Request) -> Response:
    """Serve ``POST /backend-api/transcribe``: it looks at the bytes, not at names and types."""
    async with request.form(max_files=1, max_part_size=MAX_AUDIO) as form:
        upload = form.get("file")
        content = await upload.read() if isinstance(upload, UploadFile) else b""
        language, prompt = str(form.get("language") or ""), str(form.get("prompt") or "")
    engine = state_of(request).engine
    if not isinstance(engine, Ear):
        return JSONResponse(NO_EAR, 404)
    if container_of(content) not in TAKEN:
        return JSONResponse(NOT_HEARD, 500)
    text = await engine.hear(Hearing(content, language=language, prompt=prompt))
    return JSONResponse({"text": text}) if text is not None else JSONResponse(NOT_HEARD, 500)


async def openai(request: Request) -> Response:
    """Serve ``POST /v1/audio/transcriptions``."""
    async with request.form(max_files=1, max_part_size=MAX_AUDIO) as form:
        upload = form.get("file")
        content = await upload.read() if isinstance(upload, UploadFile) else None
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
    refusal = _refusal(content, fields)
    if refusal:
        return refusal
    sound = cast("bytes", content)
    engine = state_of(request).engine
    if not isinstance(engine, Ear):
        return JSONResponse(NO_EAR, 404)
    text = await engine.hear(Hearing(sound, language=fields.get("language", ""), prompt=fields.get("prompt", "")))
    if text is None:
        return _error("Audio file might be corrupted or unsupported", "file", "invalid_value")
    return _answer(text, sound, fields)


def _answer(text: str, sound: bytes, fields: dict[str, str]) -> Response:
    """Return what was heard in the form that was asked for."""
    usage = tokens_used(seconds_of(sound) or 1.0, text)
    if fields.get("stream") == "true" and fields["model"] != "whisper-1":
        return StreamingResponse(_events(text, usage), media_type="text/event-stream")
    match fields.get("response_format", "json"):
        case "text":
            return PlainTextResponse(text + "\n")
        case "verbose_json":
            return JSONResponse(_verbose(text, sound, fields.get("language", "")))
        case _:
            return JSONResponse({"text": text, "usage": usage})


def _refusal(content: bytes | None, fields: dict[str, str]) -> JSONResponse | None:  # noqa: PLR0911 - a list
    model, wanted = fields.get("model", ""), fields.get("response_format", "json")
    if content is None:
        return _error("you must provide a file", "file", None)
    if not model:
        return _error("you must provide a model parameter", "model", None)
    if model not in FORMATS:
        return _error(f"The model '{model}' does not exist.", "model", "model_not_found", 404)
    if len(content) > MAX_AUDIO:
        said = f"Maximum content size limit ({MAX_AUDIO}) exceeded ({len(content)} bytes read)"
        return JSONResponse({"error": {"message": said, "type": "server_error", "param": None, "code": None}}, 413)
    if wanted not in FORMATS[model] or wanted in NEEDS_TIMES:
        return _error(
            f"response_format '{wanted}' is not compatible with model '{model}'.",
            "response_format",
            "unsupported_value",
        )
    if container_of(content) not in TAKEN:
        return _error("Invalid file format.", "file", "invalid_value")
    return None


def _error(message: str, param: str, code: str | None, status: int = 400) -> JSONResponse:
    refusal = error(message, param, code, status)
    return JSONResponse(refusal.body, refusal.status)


def tokens_used(seconds: float, text: str) -> Json:
    """Return the usage of a model that counts tokens."""
    heard, said = round(10 * seconds), max(1, len(text.split()))
    return {
        "type": "tokens",
        "total_tokens": heard + said,
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": said,
    }


def duration_used(seconds: float) -> Json:
    """Return the usage of a model that counts seconds."""
    return {"type": "duration", "seconds": round(seconds + 0.5)}


def _verbose(text: str, sound: bytes, language: str) -> Json:
    """Return the long form. A file whose length is not known has no segments."""
    seconds = seconds_of(sound)
    whole: Json = {"task": "transcribe", "language": language or "english", "text": text, "segments": []}
    if seconds is None:
        return whole
    segment: Json = {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": seconds,
        "text": f" {text}",
        "tokens": [],
        "temperature": 0.0,
    }
    return {
        **whole,
        "duration": seconds,
        "segments": [segment],
        "usage": duration_used(seconds),
    }


def _events(text: str, usage: Json) -> Iterator[str]:
    def event(payload: Any) -> str:
        return f"data: {payload if isinstance(payload, str) else json.dumps(payload)}\n\n"

    for at in range(0, len(text), 7):
        yield event({"type": "transcript.text.delta", "delta": text[at : at + 7]})
    yield event({"type": "transcript.text.done", "text": text, "usage": usage})
    yield event("[DONE]")
