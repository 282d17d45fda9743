"""The drivers: each does what a flow asks for, on its own face."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from codex_nb.client._bodies import AsyncBody, SyncBody
from codex_nb.client._recording import Watched
from codex_nb.client._transport import fault, without_query
from codex_nb.errors import CodexError
from codex_nb.wire.call import Blocking, Call, Pause, Play, Read, Together
from codex_nb.wire.retry import Retry, retrying

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from codex_nb.client._recording import Recorder, Recording
    from codex_nb.client._transport import Transport
    from codex_nb.wire.call import Flow, Reply, Step

__all__ = ["AsyncDriver", "SyncDriver"]

T = TypeVar("T")


class SyncDriver:
    """Runs flows on the caller's own thread, where an interrupt reaches them."""

    def __init__(self, transport: Transport, recorder: Recorder | None = None) -> None:
        self.transport = transport
        self.recorder = recorder

    def run(self, flow: Flow[T], *, keep_open: bool = False, halted: threading.Event | None = None) -> T:
        """Do what ``flow`` asks for until it returns, then close what it opened, unless that is its result.

        Once ``halted`` is set the flow is left at its next step.
        """
        watched = Watched(self.recorder)
        flow = retrying(watched.flow(flow), Retry(self.transport.settings.max_retries))
        opened: list[SyncBody] = []
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                if halted and halted.is_set():
                    raise _Halted
                try:
                    outcome, failed = self._do(step, opened, watched), None
                except CodexError as error:
                    failed = error
        except StopIteration as end:
            opened = [] if keep_open else opened
            return cast("T", end.value)
        finally:
            flow.close()
            for body in opened:
                body.close()

    def _do(self, step: Step, opened: list[SyncBody], watched: Watched) -> Any:
        match step:
            case Call():
                return self._send(step, opened, watched.recording)
            case Read(reply):
                return cast("SyncBody", reply.body).read()
            case Play():
                return self._play(step)
            case Pause(seconds):
                return time.sleep(seconds)
            case Blocking(work):
                return work()
            case Together():
                return self._together(step)

    def _send(self, call: Call, opened: list[SyncBody], recording: Recording | None) -> Reply:
        transport = self.transport
        client = transport.client()
        request = transport.request(client, call)
        if recording:
            recording.sending(request)
        try:
            response = client.send(request, auth=transport.auth_for(call, self), stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise fault(error, without_query(request.url), transport.silence(call)) from error
        streams = call.stream and response.is_success
        body = SyncBody(response, transport.silence(call), recording if streams else None)
        if recording:
            recording.arrived(response)
        opened.append(body)
        if streams:
            return transport.reply(response, b"", body)
        reply = transport.reply(response, body.read_all())
        opened.remove(body)
        return reply

    def _play(self, step: Play) -> Reply:
        response = httpx.Response(200, headers=step.headers, content=iter(step.chunks), request=_as_if(step))
        return self.transport.reply(response, b"", SyncBody(response, self.transport.settings.silence))

    def _together(self, step: Together) -> list[Any]:
        """Run each flow on a thread of its own; flows are taken on the caller's thread, which an interrupt frees."""
        ended: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        results: dict[int, Any] = {}
        halted = threading.Event()
        started = 0

        def work(number: int, flow: Flow[Any]) -> None:
            try:
                ended.put((number, self.run(flow, halted=halted), None))
            except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
                ended.put((number, None, error))

        def take_one() -> None:
            number, result, error = ended.get()
            if error:
                raise error
            results[number] = result

        try:
            for flow in step.flows:
                if started - len(results) >= step.limit:
                    take_one()
                run = contextvars.copy_context().run
                threading.Thread(target=run, args=(work, started, flow), daemon=True).start()
                started += 1
            while len(results) < started:
                take_one()
        finally:
            halted.set()
        return [results[number] for number in range(started)]


def _as_if(step: Play) -> httpx.Request:
    return httpx.Request("POST", step.url)


async def _each(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class _Halted(BaseException):
    """A flow is left because one beside it failed."""


class AsyncDriver:
    """Runs flows on the event loop: `SyncDriver`, with ``await`` where that one waits."""

    def __init__(self, transport: Transport, recorder: Recorder | None = None) -> None:
        self.transport = transport
        self.recorder = recorder

    async def run(self, flow: Flow[T], *, keep_open: bool = False) -> T:
        """Do what ``flow`` asks for until it returns, then close what it opened, unless that is its result."""
        watched = Watched(self.recorder)
        flow = retrying(watched.flow(flow), Retry(self.transport.settings.max_retries))
        opened: list[AsyncBody] = []
        outcome: Any = None
        failed: CodexError | None = None
        try:
            while True:
                step = flow.throw(failed) if failed else flow.send(outcome)
                try:
                    outcome, failed = await self._do(step, opened, watched), None
                except CodexError as error:
                    failed = error
        except StopIteration as end:
            opened = [] if keep_open else opened
            return cast("T", end.value)
        finally:
            flow.close()
            for body in opened:
                await body.aclose()

    async def _do(self, step: Step, opened: list[AsyncBody], watched: Watched) -> Any:
        match step:
            case Call():
                return await self._send(step, opened, watched.recording)
            case Read(reply):
                return await cast("AsyncBody", reply.body).read()
            case Play():
                return self._play(step)
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Blocking(work):
                return await asyncio.to_thread(work)
            case Together():
                return await self._together(step)

    async def _send(self, call: Call, opened: list[AsyncBody], recording: Recording | None) -> Reply:
        transport = self.transport
        client = transport.async_client()
        request = transport.request(client, call)
        if recording:
            recording.sending(request)
        try:
            response = await client.send(
                request, auth=transport.auth_for(call, self), stream=True, follow_redirects=False
            )
        except httpx.HTTPError as error:
            raise fault(error, without_query(request.url), transport.silence(call)) from error
        streams = call.stream and response.is_success
        body = AsyncBody(response, transport.silence(call), recording if streams else None)
        if recording:
            recording.arrived(response)
        opened.append(body)
        if streams:
            return transport.reply(response, b"", body)
        reply = transport.reply(response, await body.read_all())
        opened.remove(body)
        return reply

    def _play(self, step: Play) -> Reply:
        response = httpx.Response(200, headers=step.headers, content=_each(step.chunks), request=_as_if(step))
        return self.transport.reply(response, b"", AsyncBody(response, self.transport.settings.silence))

    async def _together(self, step: Together) -> list[Any]:
        room = asyncio.Semaphore(step.limit)
        tasks: list[asyncio.Task[Any]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for flow in step.flows:
                    await room.acquire()
                    tasks.append(group.create_task(self.run(flow)))
                    tasks[-1].add_done_callback(lambda _task: room.release())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in tasks]
