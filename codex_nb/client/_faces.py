"""Two faces of one definition: `endpoint` turns a flow into a method, a driver does what the flow asks for."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

import httpx

from codex_nb.client._bodies import AsyncBody, SyncBody
from codex_nb.client._transport import fault, without_query
from codex_nb.errors import CodexError
from codex_nb.wire.call import Blocking, Call, Pause, Read
from codex_nb.wire.retry import Retry, retrying

if TYPE_CHECKING:
    from codex_nb.client._core import Core
    from codex_nb.client._transport import Transport
    from codex_nb.wire.call import Flow, Reply, Step

__all__ = ["Async", "AsyncDriver", "F", "Resource", "Sync", "SyncDriver", "endpoint", "shown_signature"]

P = ParamSpec("P")
T = TypeVar("T")


class Sync:
    """Marks the face whose methods return their result."""


class Async:
    """Marks the face whose methods return an awaitable of it."""


F = TypeVar("F", Sync, Async)


class SyncDriver:
    """Runs flows on the caller's own thread, where an interrupt reaches them."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def run(self, flow: Flow[T], *, keep_open: bool = False) -> T:
        """Do what ``flow`` asks for until it returns, then close what it opened, unless that is its result."""
        flow = retrying(flow, Retry(self.transport.settings.max_retries))
        opened: list[SyncBody] = []
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                try:
                    outcome, failed = self._do(step, opened), None
                except CodexError as error:
                    failed = error
        except StopIteration as end:
            opened = [] if keep_open else opened
            return cast("T", end.value)
        finally:
            for body in opened:
                body.close()

    def _do(self, step: Step, opened: list[SyncBody]) -> Any:
        match step:
            case Call():
                return self._send(step, opened)
            case Read(reply):
                return cast("SyncBody", reply.body).read()
            case Pause(seconds):
                return time.sleep(seconds)
            case Blocking(work):
                return work()

    def _send(self, call: Call, opened: list[SyncBody]) -> Reply:
        transport = self.transport
        client = transport.client()
        request = transport.request(client, call)
        try:
            response = client.send(request, auth=transport.auth_for(call), stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise fault(error, without_query(request.url), transport.settings.silence) from error
        body = SyncBody(response, transport.settings.silence)
        opened.append(body)
        if call.stream and response.is_success:
            return transport.reply(response, b"", body)
        reply = transport.reply(response, body.read_all())
        opened.remove(body)
        return reply


class AsyncDriver:
    """Runs flows on the event loop: `SyncDriver`, with ``await`` where that one waits."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def run(self, flow: Flow[T], *, keep_open: bool = False) -> T:
        """Do what ``flow`` asks for until it returns, then close what it opened, unless that is its result."""
        flow = retrying(flow, Retry(self.transport.settings.max_retries))
        opened: list[AsyncBody] = []
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                try:
                    outcome, failed = await self._do(step, opened), None
                except CodexError as error:
                    failed = error
        except StopIteration as end:
            opened = [] if keep_open else opened
            return cast("T", end.value)
        finally:
            for body in opened:
                await body.aclose()

    async def _do(self, step: Step, opened: list[AsyncBody]) -> Any:
        match step:
            case Call():
                return await self._send(step, opened)
            case Read(reply):
                return await cast("AsyncBody", reply.body).read()
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Blocking(work):
                return await asyncio.to_thread(work)

    async def _send(self, call: Call, opened: list[AsyncBody]) -> Reply:
        transport = self.transport
        client = transport.async_client()
        request = transport.request(client, call)
        try:
            response = await client.send(request, auth=transport.auth_for(call), stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise fault(error, without_query(request.url), transport.settings.silence) from error
        body = AsyncBody(response, transport.settings.silence)
        opened.append(body)
        if call.stream and response.is_success:
            return transport.reply(response, b"", body)
        reply = transport.reply(response, await body.read_all())
        opened.remove(body)
        return reply


class Resource(Generic[F]):
    """A family of endpoints on one face of a session."""

    def __init__(self, core: Core, driver: SyncDriver | AsyncDriver) -> None:
        self._core = core
        self._driver = driver

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._core.settings.backend.name}>"


class endpoint(Generic[P, T]):  # noqa: N801 - a decorator
    """Make a method of a flow: it returns the result on the synchronous face, an awaitable on the other."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self.flow = flow
        shown = shown_signature(flow)
        self._signature = shown.replace(parameters=list(shown.parameters.values())[1:])
        functools.update_wrapper(cast("Callable[..., Any]", self), flow)

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: Resource[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        """Bind to ``resource``, with the real parameters in the signature."""
        if resource is None:
            return self
        flow, driver = self.flow, resource._driver  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return driver.run(flow(resource, *args, **kwargs))

        functools.update_wrapper(call, flow)
        call.__signature__ = self._signature  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
        return call


def shown_signature(method: Callable[..., Any], fields: Iterable[str] = ()) -> inspect.Signature:
    """Return the signature for people and completers, with ``fields`` in place of ``**fields``."""
    whole = inspect.signature(method)
    named = [p for p in whole.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    spelt_out = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in fields]
    return whole.replace(parameters=[*named, *spelt_out], return_annotation=inspect.Signature.empty)
