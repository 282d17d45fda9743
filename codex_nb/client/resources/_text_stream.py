"""The streamed answer of ``/audio/transcriptions``: text as it is made, then the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import pydantic_core

from codex_nb.client._incoming import EVENT_STREAM
from codex_nb.client.resources._route import Heard, text_of
from codex_nb.errors import APIConnectionError, CodexError, MalformedStream, StreamInterrupted
from codex_nb.wire.call import Read, Reply, Tell
from codex_nb.wire.failures import event_error
from codex_nb.wire.json import as_object, as_text
from codex_nb.wire.sse import SSEDecoder

if TYPE_CHECKING:
    from codex_nb.wire.call import Flow, OpenBody
    from codex_nb.wire.json import JSONObject

__all__ = ["LONGEST_TEXT", "interrupted", "streamed"]

# Characters; nobody says more in a piece.
LONGEST_TEXT: Final = 1_000_000
DELTA, DONE = "transcript.text.delta", "transcript.text.done"


def streamed(reply: Reply) -> Flow[JSONObject]:
    """Read the events of ``reply``, telling the text as it grows; a server that does not stream sends JSON.

    Raises:
        StreamInterrupted: it ended before the text was whole; ``.partial`` is what came.
        MalformedStream: it is no stream of such events.

    """
    body = cast("OpenBody", reply.body)
    if body.content_type != EVENT_STREAM:
        whole = b""
        while chunk := (yield Read(reply)):
            whole += chunk
        return text_of(Reply(reply.status, reply.headers, reply.url, reply.at, body.hide(whole)))
    decoder, text = SSEDecoder(), ""
    try:
        while chunk := (yield Read(reply)):
            for payload in decoder.payloads(chunk):
                event = _event(body.hide(payload))
                if event.get("type") == DONE:
                    return {**event, "text": as_text(event.get("text")) or text}
                if "error" in event:
                    raise event_error(event, partial=text, at=reply.at)
                if event.get("type") == DELTA:
                    text += as_text(event.get("delta")) or ""
                    yield Tell(Heard(text))
                    if len(text) > LONGEST_TEXT:
                        raise MalformedStream("The text has no end.", hint="Try another route.")
    except CodexError as error:
        raise interrupted(error, text) from error
    raise interrupted(CodexError("The stream ended before the text was whole."), text)


def interrupted(error: CodexError, text: str) -> CodexError:
    """Return what ``error`` means in the middle of a text."""
    if not isinstance(error, APIConnectionError) and type(error) is not CodexError:  # it says enough by itself
        vars(error).update(partial=text)
        return error
    return StreamInterrupted(error.message, hint="What was heard so far is kept in .partial. Try again.", partial=text)


def _event(payload: bytes) -> JSONObject:
    try:
        return as_object(pydantic_core.from_json(payload))
    except ValueError:
        if payload.strip() in {b"", b"[DONE]"}:
            return {}
        raise MalformedStream("An event of the stream is no JSON.", hint="Try again.") from None
