"""The realtime transcription socket: bare samples in, text out as it is heard."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import json
import time
import wave
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from codex_nb.local.checks import error
from codex_nb.local.pieces import Ear, Hearing
from codex_nb.local.speech import NO_EAR, duration_used, tokens_used
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.websockets import WebSocket

    from codex_nb.local.pieces import Json

__all__ = ["serve"]

RATE: Final = 24_000
WIDTH: Final = 2
FORMAT: Final = {"type": "audio/pcm", "rate": RATE}
# The shortest sound that may be committed, in seconds, and the most that is kept at once, in bytes.
SHORTEST: Final = 0.1
MOST: Final = 64 * 1024 * 1024
LIFETIME: Final = 1800
WITHOUT_DELTAS: Final = frozenset({"whisper-1"})
MODELS: Final = frozenset({"gpt-4o-transcribe", "gpt-4o-mini-transcribe", *WITHOUT_DELTAS})
DETECTION: Final = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}
HEARD: Final = "conversation.item.input_audio_transcription"


async def serve(socket: WebSocket) -> None:
    """Serve ``GET /v1/realtime?intent=transcription``."""
    state = state_of(socket)
    if socket.query_params.get("intent") != "transcription":
        refusal = error("This socket transcribes only: intent=transcription.", "intent", "invalid_value")
        await socket.send_denial_response(JSONResponse(refusal.body, refusal.status))
        return
    if not isinstance(state.engine, Ear):
        await socket.send_denial_response(JSONResponse(NO_EAR, 404))
        return
    await socket.accept()
    state.count_stream(1)
    try:
        listening = _Listening(state.engine, state.new_id())
        await socket.send_text(listening.event("session.created", session=listening.session()))
        while True:
            message = await socket.receive_text()
            async for event in listening.take(message):
                await socket.send_text(event)
    except (WebSocketDisconnect, KeyError):  # a message of bytes, which the service does not know either
        pass
    finally:
        state.count_stream(-1)


class _Listening:
    """One socket's session: what was agreed, and the sound that is not committed yet."""

    def __init__(self, engine: Ear, name: str) -> None:
        self._engine = engine
        self._name = f"sess_{name}"
        self._input: Json = {
            "format": FORMAT,
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": DETECTION,
        }
        self._include: Any = None
        self._sound = bytearray()
        self._events = self._items = 0
        self._expires = int(time.time()) + LIFETIME

    def session(self) -> Json:
        return {
            "type": "transcription",
            "id": self._name,
            "object": "realtime.transcription_session",
            "expires_at": self._expires,
            "audio": {"input": self._input},
            "include": self._include,
        }

    def event(self, kind: str, **fields: Any) -> str:
        self._events += 1
        return json.dumps({"type": kind, "event_id": f"event_{self._events}", **fields})

    async def take(self, message: str) -> AsyncIterator[str]:
        """Give what the service says to a message."""
        try:
            asked: Any = json.loads(message)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            yield self._error("The message is no JSON object.", code="invalid_json")
            return
        given = cast("Json", asked)
        match given.get("type"):
            case "session.update":
                yield self._update(given)
            case "input_audio_buffer.append":
                if refusal := self._append(given.get("audio")):
                    yield refusal
            case "input_audio_buffer.clear":
                self._sound.clear()
                yield self.event("input_audio_buffer.cleared")
            case "input_audio_buffer.commit":
                async for event in self._commit():
                    yield event
            case kind:
                yield self._error(f"Invalid value: '{kind}'.", "type", "invalid_value")

    def _update(self, given: Json) -> str:
        session: Any = given.get("session")
        if not isinstance(session, dict) or session.get("type") != "transcription":  # pyright: ignore[reportUnknownMemberType]
            return self._error("Missing or invalid 'session.type'.", "session.type", "invalid_value")
        fields = cast("Json", session)
        audio: Any = fields.get("audio", {})
        wanted: Any = cast("Json", audio).get("input", {}) if isinstance(audio, dict) else None
        if not isinstance(wanted, dict):
            return self._error("Invalid type for 'session.audio.input'.", "session.audio.input", "invalid_type")
        changed = self._input | cast("Json", wanted)
        if refusal := self._refusal(fields, changed):
            return refusal
        self._input = changed
        self._include = fields.get("include", self._include)
        return self.event("session.updated", session=self.session())

    def _refusal(self, fields: Json, wanted: Json) -> str | None:
        unknown = [f"session.{name}" for name in fields if name not in {"type", "audio", "include"}]
        known = ("format", "transcription", "noise_reduction", "turn_detection")
        unknown += [f"session.audio.input.{name}" for name in wanted if name not in known]
        if unknown:
            return self._error(f"Unknown parameter: '{unknown[0]}'.", unknown[0], "unknown_parameter")
        if wanted["format"] != FORMAT:
            return self._error("This server takes audio/pcm at 24000 Hz.", "session.audio.input.format")
        if wanted["turn_detection"] not in (None, DETECTION):
            return self._error("This server detects no turns.", "session.audio.input.turn_detection")
        said = wanted["transcription"]
        if said is not None and (not isinstance(said, dict) or cast("Json", said).get("model") not in MODELS):
            return self._error("Model not found.", "session.audio.input.transcription.model", "model_not_found")
        return None

    def _append(self, audio: Any) -> str | None:
        try:
            self._sound += base64.b64decode(audio, validate=True)
        except (binascii.Error, TypeError, ValueError):
            return self._error("Invalid 'audio'. Expected base64-encoded bytes.", "audio", "invalid_value")
        if len(self._sound) > MOST:
            self._sound.clear()
            return self._error("The input audio buffer is full.", code="input_audio_buffer_full")
        return None

    async def _commit(self) -> AsyncIterator[str]:
        sound, seconds = bytes(self._sound), len(self._sound) / WIDTH / RATE
        self._sound.clear()
        if seconds < SHORTEST:
            said = "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but "
            said += f"buffer only has {1000 * seconds:.2f}ms of audio."
            yield self._error(said, code="input_audio_buffer_commit_empty")
            return
        before = f"item_{self._name}_{self._items}" if self._items else None
        self._items += 1
        item = f"item_{self._name}_{self._items}"
        yield self.event("input_audio_buffer.committed", previous_item_id=before, item_id=item)
        content = [{"type": "input_audio", "transcript": None}]
        message = {"id": item, "type": "message", "status": "completed", "role": "user", "content": content}
        yield self.event("conversation.item.added", previous_item_id=before, item=message)
        if self._input["transcription"] is not None:
            async for event in self._heard(item, sound, seconds):
                yield event

    async def _heard(self, item: str, sound: bytes, seconds: float) -> AsyncIterator[str]:
        """Give the text as it is heard, then the whole."""
        asked: Json = self._input["transcription"]
        at: Json = {"item_id": item, "content_index": 0}
        loop, deltas = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(delta: str | None) -> None:
            loop.call_soon_threadsafe(deltas.put_nowait, delta)

        hearing = Hearing(_as_wav(sound), asked.get("language") or "", asked.get("prompt") or "", tell)
        ends = asyncio.ensure_future(self._engine.hear(hearing))
        ends.add_done_callback(lambda _: tell(None))
        while (delta := await deltas.get()) is not None:
            if asked["model"] not in WITHOUT_DELTAS:
                yield self.event(f"{HEARD}.delta", **at, delta=delta)
        text = await ends
        if text is None:
            told = {"type": "transcription_error", "code": "audio_unintelligible", "param": None}
            yield self.event(f"{HEARD}.failed", **at, error=told | {"message": "The audio could not be transcribed."})
            return
        usage = duration_used(seconds) if asked["model"] in WITHOUT_DELTAS else tokens_used(seconds, text)
        yield self.event(f"{HEARD}.completed", **at, transcript=text, usage=usage)

    def _error(self, message: str, param: str | None = None, code: str | None = "unsupported_value") -> str:
        told = {"type": "invalid_request_error", "code": code, "message": message, "param": param, "event_id": None}
        return self.event("error", error=told)


def _as_wav(sound: bytes) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, WIDTH, RATE, 0, "NONE", ""))
        file.writeframes(sound[: len(sound) // WIDTH * WIDTH])
    return target.getvalue()
