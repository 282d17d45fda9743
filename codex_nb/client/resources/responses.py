"""Answers of the model (``session.responses``)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, Unpack, cast, overload

from codex_nb.client._drivers import SyncDriver
from codex_nb.client._faces import Async, F, Resource, Sync, shown_signature
from codex_nb.client._incoming import EVENT_STREAM, Incoming
from codex_nb.client._stream import AsyncResponseStream, ResponseStream
from codex_nb.client.resources.models import default_model
from codex_nb.errors import CodexError
from codex_nb.wire.call import Call, Flow, Read
from codex_nb.wire.headers import turn
from codex_nb.wire.request import REFUSED, refuse, request_body

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from codex_nb.types.responses import Response
    from codex_nb.wire.call import Reply

__all__ = ["Fields", "Responses"]

C = TypeVar("C", bound=Callable[..., Any])


class Refused(TypedDict, total=False):
    """What openai-python takes and the Codex backend refuses: named here to be refused with a reason."""

    temperature: object
    top_p: object
    presence_penalty: object
    frequency_penalty: object
    top_logprobs: object
    max_output_tokens: object
    max_tool_calls: object
    metadata: object
    user: object
    safety_identifier: object
    truncation: object
    previous_response_id: object
    conversation: object
    background: object
    prompt: object
    prompt_cache_retention: object
    stream_options: object
    store: object


class Fields(Refused, total=False):
    """What a request says besides its model and input."""

    instructions: str | None
    tools: Iterable[Mapping[str, Any]] | None
    tool_choice: str | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    reasoning: Mapping[str, Any] | None
    text: Mapping[str, Any] | None
    include: list[str] | None
    service_tier: str | None
    prompt_cache_key: str | None
    extra_body: Mapping[str, Any] | None


Input = str | Iterable[Any]


def _spelt_out(method: C) -> C:
    """Show every field in the method's signature, for Shift-Tab and completion."""
    method.__signature__ = shown_signature(method, [name for name in Fields.__annotations__ if name not in REFUSED])  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return method


class Responses(Resource[F]):
    """``session.responses``."""

    @overload
    def create(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        stream: Literal[False] = False,
        **fields: Unpack[Fields],
    ) -> Response: ...
    @overload
    def create(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        stream: Literal[True],
        **fields: Unpack[Fields],
    ) -> ResponseStream: ...
    @overload
    def create(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        stream: Literal[False] = False,
        **fields: Unpack[Fields],
    ) -> Coroutine[Any, Any, Response]: ...
    @overload
    def create(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        stream: Literal[True],
        **fields: Unpack[Fields],
    ) -> Coroutine[Any, Any, AsyncResponseStream]: ...
    @_spelt_out
    def create(self, *, input: Input, model: str | None = None, stream: bool = False, **fields: Unpack[Fields]) -> Any:
        """Ask the model.

        The backend always streams; without ``stream`` the events are collected into a `Response`, with it they are
        yours to iterate over. ``input`` is a text, or a list of items (dicts, or items of earlier answers).
        ``model`` is the session's, or the first that the service lists, when it is not named.

        Raises:
            UnsupportedParameter: a parameter that the backend refuses; nothing was sent.
            AuthenticationError, RateLimitError, UsageLimitReached, APIError: the request was not taken.
            StreamInterrupted, MalformedStream, ResponseFailed: the answer broke off; ``.partial`` is its text.

        """
        if not stream:
            return self._driver.run(self._collected(self._request(input, model, fields)))
        answer = self._coming(self._request(input, model, fields))
        return answer.begin()

    @overload
    def stream(
        self: Responses[Sync], *, input: Input, model: str | None = None, **fields: Unpack[Fields]
    ) -> ResponseStream: ...
    @overload
    def stream(
        self: Responses[Async], *, input: Input, model: str | None = None, **fields: Unpack[Fields]
    ) -> AsyncResponseStream: ...
    @_spelt_out
    def stream(self, *, input: Input, model: str | None = None, **fields: Unpack[Fields]) -> Any:
        """Ask the model, and read the answer while it comes.

        A context manager over typed events, with ``.text_deltas()`` and ``.final()``. The request is sent when it is
        entered or first iterated.
        """
        return self._coming(self._request(input, model, fields))

    def _coming(self, request: _Request) -> ResponseStream | AsyncResponseStream:
        driver = self._driver
        if isinstance(driver, SyncDriver):
            return ResponseStream(lambda: driver.run(self._opening(request), keep_open=True))
        return AsyncResponseStream(lambda: driver.run(self._opening(request), keep_open=True))

    def _request(self, input: Input, model: str | None, fields: Fields) -> _Request:
        given = cast("dict[str, Any]", fields)
        known = Fields.__annotations__.keys() - REFUSED.keys()
        refuse({name: value for name, value in given.items() if name not in known})
        return _Request(input, model, {name: value for name, value in given.items() if name in known})

    def _opening(self, request: _Request) -> Flow[tuple[Incoming, Any]]:
        """Send ``request``; return the open answer once it is known to be a stream of events."""
        model = request.model or (yield from default_model(self._core))
        codex = self._core.settings.backend.speaks_codex
        conversation = request.fields.get("prompt_cache_key") or self._core.id
        body = request_body(
            model=model,
            input=request.input,
            cache_key=conversation if codex else None,
            fields=request.fields,
        )
        headers = turn(conversation, str(uuid.uuid4())) if codex else {"accept": EVENT_STREAM}
        reply: Reply = yield Call("POST", "codex/responses", json=body, headers=headers, stream=True)
        arriving: Any = reply.body
        incoming = Incoming(reply, arriving.content_type)
        if arriving.content_type not in {EVENT_STREAM, ""}:
            beginning: bytes = yield Read(reply)
            raise incoming.refusal(beginning)
        return incoming, arriving

    def _collected(self, request: _Request) -> Flow[Response]:
        incoming, _ = yield from self._opening(request)
        while not incoming.finished:
            try:
                incoming.take((yield Read(incoming.reply)))
            except CodexError as error:
                raise incoming.broken(error) from error
        if incoming.failure:
            raise incoming.failure
        return incoming.response


class _Request:
    """What was asked for: sent as it stands when the answer is opened."""

    def __init__(self, input: Input, model: str | None, fields: dict[str, Any]) -> None:
        self.input = input
        self.model = model
        self.fields = fields
