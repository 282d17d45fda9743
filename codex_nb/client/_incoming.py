"""One answer in flight, apart from any network: chunks in, typed events out, and what a break of the stream means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from codex_nb.client._kept import event_windows
from codex_nb.errors import APITimeoutError, CodexError, MalformedStream, ResponseFailed, StreamInterrupted
from codex_nb.types.events import CLASSES, ResponseEvent
from codex_nb.types.responses import Response
from codex_nb.wire.assemble import TERMINAL, Assembly
from codex_nb.wire.failures import Failure, event_error
from codex_nb.wire.headers import quota
from codex_nb.wire.items import CALLS
from codex_nb.wire.json import as_object
from codex_nb.wire.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.client._recording import Recording
    from codex_nb.wire.call import Reply
    from codex_nb.wire.headers import QuotaWindow
    from codex_nb.wire.json import JSONObject

__all__ = ["EVENT_STREAM", "Incoming", "shaped"]

EVENT_STREAM: Final = "text/event-stream"
FAILURES: Final = frozenset(kind for kind, status in TERMINAL.items() if status == "failed")

M = TypeVar("M", bound=BaseModel)


class Incoming:
    """The state of one stream. After the terminal event `finished` holds, and `failure` if it was a bad one.

    ``completed`` is told when it was a good one; ``asked`` gives what the request said.
    """

    def __init__(self, reply: Reply, content_type: str, completed: Callable[[Incoming], None] | None = None) -> None:
        self.reply = reply
        self.content_type = content_type
        self.failure: CodexError | None = None
        self.finished = False
        # The seconds that it took when it was recorded; the bytes, where it is to be recorded.
        self.replayed: float | None = None
        self.chunks: list[bytes] | None = None
        self.asked: Callable[[], JSONObject] = dict
        self._assembly = Assembly()
        self._decoder = SSEDecoder()
        self._received = 0
        self._hide = reply.body.hide if reply.body else bytes
        self._completed = completed
        self._recording: Recording | None = getattr(reply.body, "recording", None)
        self._text_awaited = self._recording is not None
        if self._recording:
            self._recording.answer = self._assembly

    @property
    def text(self) -> str:
        """The text so far."""
        return self._assembly.text

    @property
    def served_model(self) -> str | None:
        """The model that the service says answers."""
        return self._assembly.metadata.get("openai-model") or self.reply.headers.get("openai-model")

    @property
    def turn_state(self) -> str | None:
        """The service's word for the turn, to be said again in requests that continue it."""
        return self._assembly.metadata.get("x-codex-turn-state") or self.reply.headers.get("x-codex-turn-state")

    @property
    def quota(self) -> list[QuotaWindow]:
        """What the service says of the quota: an event's word, which is newer, else that of the headers."""
        return event_windows(self._assembly.rate_limits) or quota(self.reply.headers)

    @property
    def call_ids(self) -> list[str]:
        """The tool calls so far."""
        items = map(as_object, self._assembly.response()["output"])
        return [str(item["call_id"]) for item in items if item.get("type") in CALLS and item.get("call_id")]

    @property
    def response(self) -> Response:
        """The response as far as it came; whole once `finished`.

        Raises:
            MalformedStream: a field is not of the shape it must have.

        """
        learnt = {"served_model": self.served_model, "local_engine": self.reply.headers.get("x-codex-nb-engine")}
        return shaped(Response, self._assembly.response() | learnt, partial=self.text)

    def take(self, chunk: bytes) -> list[ResponseEvent]:
        """Return the events that ``chunk`` completes; an empty one is the end of the body."""
        if chunk:
            if self.chunks is not None:
                self.chunks.append(chunk)
            return self.feed(chunk)
        self.ended()
        return []

    def feed(self, chunk: bytes) -> list[ResponseEvent]:
        """Return the events that ``chunk`` completes, up to the terminal one."""
        self._received += len(chunk)
        events: list[ResponseEvent] = []
        parse, add, classes = pydantic_core.from_json, self._assembly.add, CLASSES
        try:
            payloads = self._decoder.payloads(chunk)
        except MalformedStream as error:
            self._end(self.broken(error))
            return events
        for payload in payloads:
            try:
                raw: JSONObject = parse(payload)
            except ValueError:
                if payload.strip() in {b"", b"[DONE]"}:  # how other servers say "the end"
                    continue
                self._end(self._no_json())
                break
            try:
                kind: Any = raw["type"]
            except (KeyError, TypeError):  # JSON, but no event
                continue
            if type(kind) is not str:
                continue
            if kind in FAILURES:  # where a service may quote the login; chunks may have cut it in two
                raw = parse(self._hide(payload))
            add(raw)
            events.append(classes.get(kind, ResponseEvent)(raw, kind))
            if kind in TERMINAL:
                self._end(self._ending_error(kind, raw))
                break
        if self._text_awaited and self._recording and self._assembly.begun:
            self._text_awaited = False
            self._recording.text_came()
        return events

    def ended(self) -> None:
        """Take the end of the body; without a terminal event it is a failure."""
        if self.finished:
            return
        if not self._received:
            self._end(
                MalformedStream(
                    "The service answered with nothing.",
                    hint="Try again; if it stays so, check the backend's address.",
                    content_type=self.content_type,
                )
            )
        else:
            self._end(self.broken(CodexError("The stream ended before the answer was complete.")))

    def broken(self, error: CodexError) -> CodexError:
        """Return what ``error`` means in the middle of an answer; it becomes this stream's `failure`."""
        if isinstance(error, MalformedStream):
            error.partial, error.content_type = self.text, self.content_type
            failure: CodexError = error
        else:
            failure = StreamInterrupted(
                error.message
                if type(error) is CodexError or isinstance(error, APITimeoutError)
                else "The connection broke before the answer was complete.",
                hint="The text so far is kept in .partial. Try again.",
                partial=self.text,
                response=self._so_far(),
            )
        self._end(failure)
        return failure

    def refusal(self, beginning: bytes) -> MalformedStream:
        """Return the error for a body that is no event stream at all; ``beginning`` are its first bytes."""
        try:
            said = Failure(pydantic_core.from_json(beginning)).message
        except ValueError:
            said = ""
        what = "a web page" if "html" in self.content_type else self.content_type or "no content type"
        return MalformedStream(
            f"The service answered with {what}, not with a stream of events{': ' + said if said else '.'}",
            hint="Check the backend's address, and whether a proxy or sign-in page is in the way.",
            content_type=self.content_type,
        )

    def _end(self, failure: CodexError | None) -> None:
        self.finished = True
        self.failure = self.failure or failure
        if self._recording:
            self._recording.ended(self.failure)
        if self._completed and not self.failure:
            self._completed(self)

    def _ending_error(self, kind: str, raw: dict[str, Any]) -> CodexError | None:
        if kind not in FAILURES:
            return None
        error = event_error(raw, partial=self.text, at=self.reply.at)
        if isinstance(error, ResponseFailed):
            error.response = self._so_far()
        return error

    def _so_far(self) -> Response | None:
        """Return the response for an error to carry; what went wrong first is the error, not the response's form."""
        try:
            return self.response
        except MalformedStream:
            return None

    def _no_json(self) -> CodexError:
        return MalformedStream(
            "An event of the stream is no JSON.",
            hint="The text so far is kept in .partial. Try again; if it stays so, check the backend's address.",
            partial=self.text,
            content_type=self.content_type,
        )


def shaped(shape: type[M], payload: Any, *, partial: str = "") -> M:
    """Return ``payload`` as ``shape``.

    Raises:
        MalformedStream: a field that matters is not of the type it must have. The message names the field, and
            never quotes a value.

    """
    try:
        return shape.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise MalformedStream(
            f"The service sent a {shape.__name__} whose {field or 'form'} is not understood ({first['type']}).",
            hint="The service may have changed; look for a newer codex_nb.",
            partial=partial,
        ) from None
