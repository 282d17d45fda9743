"""The route ``realtime``: bare samples go up on a socket, and the text comes down while it is made."""

from __future__ import annotations

import base64
import json
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pydantic_core

from codex_nb.audio.prepare import bare
from codex_nb.client.resources._route import MODEL, Heard
from codex_nb.client.resources._text_stream import LONGEST_TEXT, interrupted
from codex_nb.errors import AudioError, CodexError, MalformedStream
from codex_nb.wire.call import Blocking, Call, Read, Tell, Write
from codex_nb.wire.failures import Failure, event_error
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from codex_nb.audio.clip import Clip
    from codex_nb.client._core import Core
    from codex_nb.client.resources._route import Asked
    from codex_nb.wire.call import Flow, Reply
    from codex_nb.wire.json import JSONObject

__all__ = ["realtime"]

RATE: Final = 24_000
# The service takes nothing shorter than a tenth of a second, in bytes.
SHORTEST: Final = RATE // 10 * 2
HEARD: Final = "conversation.item.input_audio_transcription"


def realtime(core: Core, clip: Clip, asked: Asked) -> Flow[JSONObject]:  # noqa: ARG001 - as all routes
    """Open a socket, send the sound a second at a time, and listen all the while.

    Raises:
        StreamInterrupted: the socket closed, broke or went silent too early; ``.partial`` is what was heard.
        MalformedStream: what came are not the events of a transcription.
        ResponseFailed: the service sent an error.
        AudioError: it can make no text of the sound.

    """
    reply: Reply = yield Call(
        "GET",
        "platform/realtime",
        params={"intent": "transcription"},
        headers={"x-session-id": str(uuid.uuid4())},
        socket=True,
    )
    talk = _Talk(reply)
    try:
        yield from talk.say({"type": "session.update", "session": _session(asked)})
        while not talk.agreed:  # what is sent before is judged by other rules
            yield from talk.listen()
        sent, blocks = 0, bare(clip, RATE)
        while block := (yield Blocking(partial(next, blocks, b""))):
            sent += len(block)
            yield from talk.append(block)
        if sent < SHORTEST:
            yield from talk.append(bytes(SHORTEST - sent))
        yield from talk.say({"type": "input_audio_buffer.commit"})
        while talk.answer is None:
            yield from talk.listen()
    except CodexError as error:
        raise interrupted(error, talk.text) from error
    return talk.answer


def _session(asked: Asked) -> JSONObject:
    """Return what is agreed: the sound's form, the model, and that nobody but us says where a turn ends."""
    heard = {"model": asked.model or MODEL, "language": asked.language, "prompt": asked.prompt, **asked.extra}
    sound = {
        "format": {"type": "audio/pcm", "rate": RATE},
        "transcription": {name: value for name, value in heard.items() if value is not None},
        "turn_detection": None,
    }
    return {"type": "transcription", "audio": {"input": sound}}


class _Talk:
    """What was said on one socket. ``text`` is what was heard so far, ``answer`` the whole once it is there."""

    def __init__(self, reply: Reply) -> None:
        self.text = ""
        self.agreed = False
        self.answer: JSONObject | None = None
        self._reply = reply

    def say(self, event: JSONObject) -> Flow[None]:
        """Send an event, and take what came meanwhile."""
        messages: list[bytes] = yield Write(self._reply, json.dumps(event))
        for message in messages:
            yield from self._take(message)

    def append(self, block: bytes) -> Flow[None]:
        """Send some sound."""
        yield from self.say({"type": "input_audio_buffer.append", "audio": base64.b64encode(block).decode()})

    def listen(self) -> Flow[None]:
        """Wait for the next event, and take it."""
        message: bytes = yield Read(self._reply)
        if not message:
            ending = getattr(self._reply.body, "ending", "") or "the connection broke"
            raise CodexError(f"Before the text was whole, {ending}.")
        yield from self._take(message)

    def _take(self, message: bytes) -> Flow[None]:
        event = _event(message)
        match event.get("type"):
            case "session.updated":
                self.agreed = True
            case kind if kind == f"{HEARD}.delta":
                self.text += _text(event, "delta")
                yield Tell(Heard(self.text))
            case kind if kind == f"{HEARD}.completed":
                self.answer = {**event, "text": _text(event, "transcript")}
            case kind if kind == f"{HEARD}.failed":
                said = Failure(event).message
                raise AudioError(
                    f"The service can make no text of this sound{': ' + said if said else '.'}",
                    hint="Play it here to see whether it is whole, or try another route.",
                )
            case "error":
                raise event_error(event, partial=self.text, at=self._reply.at)
            case _:  # what is of no interest here, and what is not known yet
                pass
        if len(self.text) > LONGEST_TEXT:
            raise MalformedStream("The text has no end.", hint="Try another route.")


def _event(message: bytes) -> JSONObject:
    try:
        return as_object(pydantic_core.from_json(message))
    except ValueError:
        raise MalformedStream("A message on the socket is no JSON.", hint="Try again.") from None


def _text(event: JSONObject, name: str) -> str:
    text: Any = event.get(name)
    if not isinstance(text, str):
        raise MalformedStream(
            f"An event of the socket holds no {name}.", hint="The service may have changed; look for a newer codex_nb."
        )
    return text
