"""Answers of the model (``session.responses``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from codex_nb.client._drivers import SyncDriver
from codex_nb.client._faces import Async, F, Resource, Sync
from codex_nb.client._stream import AsyncParsedStream, AsyncResponseStream, ParsedStream, ResponseStream
from codex_nb.client.resources.answers import Request, collected, compacting, opening, previewing
from codex_nb.client.resources.fields import Fields, Input, spelt_out

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pydantic import TypeAdapter

    from codex_nb.client._stream import Opened, OpenedAsync
    from codex_nb.client.preview import Preview
    from codex_nb.types.parsed import ParsedResponse
    from codex_nb.types.responses import CompactedResponse, Response
    from codex_nb.wire.call import Flow

__all__ = ["Responses"]

T = TypeVar("T")


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
    @spelt_out
    def create(self, *, input: Input, model: str | None = None, stream: bool = False, **fields: Unpack[Fields]) -> Any:
        """Ask the model.

        The backend always streams; without ``stream`` the events are collected into a `Response`, with it they are
        yours to iterate over. ``input`` is a text, or a list of items (dicts, or items of earlier answers). ``tools``
        are dicts, or Pydantic models, each of which is a function with that model's fields.
        ``model`` is the session's, or the first that the service lists, when it is not named. ``timeout`` is in
        seconds of silence, for this request alone.

        Raises:
            UnsupportedParameter: a parameter that the backend refuses; nothing was sent.
            AuthenticationError, RateLimitError, UsageLimitReached, APIError: the request was not taken.
            StreamInterrupted, MalformedStream, ResponseFailed: the answer broke off; ``.partial`` is its text.

        """
        request = Request[None]("create", input, model, fields)
        if not stream:
            return self._driver.run(collected(self._core, request))
        return self._coming(request).begin()

    @overload
    def stream(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        text_format: None = None,
        **fields: Unpack[Fields],
    ) -> ResponseStream: ...
    @overload
    def stream(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        text_format: type[T] | TypeAdapter[T],
        **fields: Unpack[Fields],
    ) -> ParsedStream[T]: ...
    @overload
    def stream(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        text_format: Any,
        **fields: Unpack[Fields],
    ) -> ParsedStream[Any]: ...
    @overload
    def stream(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        text_format: None = None,
        **fields: Unpack[Fields],
    ) -> AsyncResponseStream: ...
    @overload
    def stream(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        text_format: type[T] | TypeAdapter[T],
        **fields: Unpack[Fields],
    ) -> AsyncParsedStream[T]: ...
    @overload
    def stream(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        text_format: Any,
        **fields: Unpack[Fields],
    ) -> AsyncParsedStream[Any]: ...
    @spelt_out
    def stream(
        self, *, input: Input, model: str | None = None, text_format: Any = None, **fields: Unpack[Fields]
    ) -> Any:
        """Ask the model, and read the answer while it comes.

        A context manager over typed events, with ``.text_deltas()`` and ``.final()``. The request is sent when it is
        entered or first iterated. With ``text_format`` the final response is what `parse` returns.
        """
        return self._coming(Request[Any]("stream", input, model, fields, text_format), parse=text_format is not None)

    @overload
    def parse(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        text_format: None = None,
        **fields: Unpack[Fields],
    ) -> ParsedResponse[None]: ...
    @overload
    def parse(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        text_format: type[T] | TypeAdapter[T],
        **fields: Unpack[Fields],
    ) -> ParsedResponse[T]: ...
    @overload
    def parse(
        self: Responses[Sync],
        *,
        input: Input,
        model: str | None = None,
        text_format: Any,
        **fields: Unpack[Fields],
    ) -> ParsedResponse[Any]: ...
    @overload
    def parse(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        text_format: None = None,
        **fields: Unpack[Fields],
    ) -> Coroutine[Any, Any, ParsedResponse[None]]: ...
    @overload
    def parse(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        text_format: type[T] | TypeAdapter[T],
        **fields: Unpack[Fields],
    ) -> Coroutine[Any, Any, ParsedResponse[T]]: ...
    @overload
    def parse(
        self: Responses[Async],
        *,
        input: Input,
        model: str | None = None,
        text_format: Any,
        **fields: Unpack[Fields],
    ) -> Coroutine[Any, Any, ParsedResponse[Any]]: ...
    @spelt_out
    def parse(
        self, *, input: Input, model: str | None = None, text_format: Any = None, **fields: Unpack[Fields]
    ) -> Any:
        """Ask the model for an answer of a given type: ``.output_parsed`` of the response.

        ``text_format`` is a Pydantic model, a dataclass, or any type that pydantic reads (``list[Row]``, a union, a
        ``Literal``, a ``TypeAdapter``). It goes out as a strict JSON schema; the answer is validated by the type
        itself. A refusal, an incomplete answer and a tool call leave ``output_parsed`` None. Calls of strict tools
        have ``parsed_arguments``.

        Raises:
            UnsupportedParameter: a parameter that the backend refuses, or a type that no strict schema can say, such
                as a dict with free keys; nothing was sent.
            InvalidAnswer: the answer came whole and does not fit; ``.response`` and ``.partial`` hold it.
            ToolError: the model called a tool with arguments that do not validate.

        Everything that `create` raises, too.

        """
        return self._driver.run(self._parsed(Request[Any]("parse", input, model, fields, text_format)))

    @overload
    def compact(
        self: Responses[Sync], *, input: Input, model: str | None = None, **fields: Unpack[Fields]
    ) -> CompactedResponse: ...
    @overload
    def compact(
        self: Responses[Async], *, input: Input, model: str | None = None, **fields: Unpack[Fields]
    ) -> Coroutine[Any, Any, CompactedResponse]: ...
    @spelt_out
    def compact(self, *, input: Input, model: str | None = None, **fields: Unpack[Fields]) -> Any:
        """Make a conversation short: ``.output`` takes the place of ``input`` in the next request.

        What was said to the model stays, its own words, thoughts and tool calls become one opaque item. Pass the
        same ``model``, ``instructions`` and ``tools`` as in the conversation, which keeps its cached part.

        Raises:
            InvalidAnswer: the service did not make exactly one compaction item.

        Everything that `create` raises, too.

        """
        return self._driver.run(compacting(self._core, Request[None]("compact", input, model, fields)))

    @spelt_out
    def preview(
        self, *, input: Input, model: str | None = None, text_format: Any = None, **fields: Unpack[Fields]
    ) -> Preview:
        """Return what `stream` would send with the same arguments: address, headers (the login hidden) and body.

        Nothing is sent, not even to learn which models there are.

        Raises:
            UnsupportedParameter: a parameter that the backend refuses.

        """
        return previewing(self._core, Request[Any]("preview", input, model, fields, text_format))

    def _parsed(self, request: Request[T]) -> Flow[ParsedResponse[T]]:
        return request.parsed((yield from collected(self._core, request)))

    def _coming(self, request: Request[Any], *, parse: bool = False) -> ResponseStream | AsyncResponseStream:
        driver, core = self._driver, self._core
        if isinstance(driver, SyncDriver):

            def open_() -> Opened:
                return driver.run(opening(core, request), keep_open=True)

            return ParsedStream(open_, request.parsed) if parse else ResponseStream(open_)

        async def aopen() -> OpenedAsync:
            return await driver.run(opening(core, request), keep_open=True)

        return AsyncParsedStream(aopen, request.parsed) if parse else AsyncResponseStream(aopen)
