"""The public API as type checkers see it: read by pyright and mypy, never run.

``assert_type`` states what a call returns on each face; a comment that ignores an error states that there is one.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from typing import assert_type

from codex_nb import Session
from codex_nb.client._stream import AsyncResponseStream, ResponseStream
from codex_nb.types.account import Usage
from codex_nb.types.models import ModelInfo, ModelPage
from codex_nb.types.responses import Response


def synchronous(session: Session) -> None:
    """Methods return their result."""
    assert_type(session.models.list(), ModelPage)
    assert_type(session.models.list(refresh=True), ModelPage)
    assert_type(session.models.retrieve("gpt-5.4"), ModelInfo)
    assert_type(session.codex.usage(), Usage)
    assert_type(session.responses.create(input="x"), Response)
    assert_type(session.responses.create(input="x", stream=True), ResponseStream)
    with session.responses.stream(input="x", reasoning={"effort": "low"}) as stream:
        assert_type(stream, ResponseStream)
        for text in stream.text_deltas():
            assert_type(text, str)
        assert_type(stream.final(), Response)


async def asynchronous(session: Session) -> None:
    """The same methods return an awaitable of it."""
    assert_type(await session.aio.models.list(), ModelPage)
    assert_type(await session.aio.models.retrieve("gpt-5.4"), ModelInfo)
    assert_type(await session.aio.codex.usage(), Usage)
    assert_type(await session.aio.responses.create(input="x"), Response)
    assert_type(await session.aio.responses.create(input="x", stream=True), AsyncResponseStream)
    async with session.aio.responses.stream(input="x") as stream:
        assert_type(stream, AsyncResponseStream)
        async for text in stream.text_deltas():
            assert_type(text, str)
        assert_type(await stream.final(), Response)


def mistakes(session: Session) -> None:
    """A misspelt keyword, a missing one and a wrong type are reported on both faces."""
    session.models.list(refrehs=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.models.retrieve()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.models.retrieve(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    session.aio.models.list(refrehs=True)  # type: ignore[call-arg,unused-coroutine]  # pyright: ignore[reportCallIssue]
