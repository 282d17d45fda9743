"""The public API as type checkers see it: read by pyright and mypy, never run.

``assert_type`` states what a call returns on each face; a comment that ignores an error states that there is one.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from pathlib import Path
from typing import assert_type

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from codex_nb import Session
from codex_nb.client._pages import AsyncPage, Page
from codex_nb.client._stream import AsyncParsedStream, AsyncResponseStream, ParsedStream, ResponseStream
from codex_nb.types.account import Usage
from codex_nb.types.audio import Transcript
from codex_nb.types.config import Requirements
from codex_nb.types.embeddings import Embedding, EmbeddingResponse
from codex_nb.types.environments import Environment, Environments
from codex_nb.types.files import UploadedFile
from codex_nb.types.memories import Memories
from codex_nb.types.models import ModelInfo, ModelPage
from codex_nb.types.parsed import ParsedResponse
from codex_nb.types.realtime import RealtimeCall
from codex_nb.types.responses import CompactedResponse, Response
from codex_nb.types.sign_in import SignedIn, SignedOut
from codex_nb.types.tasks import Task, TaskDetail
from codex_nb.types.turns import TaskTurn, TaskTurns


class City(BaseModel):
    """What answers are asked to be."""

    name: str


def synchronous(session: Session) -> None:
    """Methods return their result."""
    assert_type(session.models.list(), ModelPage)
    assert_type(session.models.list(refresh=True), ModelPage)
    assert_type(session.models.retrieve("gpt-5.4"), ModelInfo)
    assert_type(session.codex.usage(), Usage)
    assert_type(session.codex.tasks.list(limit=2), Page[Task])
    for task in session.codex.tasks.list().auto_paging():
        assert_type(task, Task)
    assert_type(session.codex.tasks.retrieve("t"), TaskDetail)
    assert_type(session.codex.tasks.turns.list("t"), TaskTurns)
    assert_type(session.codex.environments.list(), Environments)
    assert_type(list(session.codex.environments.list()), list[Environment])
    assert_type(session.codex.tasks.turns.sibling_turns("t", "u")[0], TaskTurn)
    assert_type(session.codex.tasks.retrieve("t").diffs, list[str])
    assert_type(session.codex.config.requirements(), Requirements)
    assert_type(session.login(method="device"), SignedIn)
    assert_type(session.logout(), bool)
    assert_type(session.revoke(), SignedOut)
    assert_type(session.account(), SignedIn)
    assert_type(session.audio.transcriptions.create(file="a.wav"), Transcript)
    assert_type(session.audio.transcriptions.create(file=b"", response_format="srt", route="platform"), str)
    session.audio.transcriptions.create(file="a.wav", langauge="en")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    assert_type(session.responses.create(input="x"), Response)
    assert_type(session.responses.create(input="x", stream=True), ResponseStream)
    with session.responses.stream(input="x", reasoning={"effort": "low"}) as stream:
        assert_type(stream, ResponseStream)
        for text in stream.text_deltas():
            assert_type(text, str)
        assert_type(stream.final(), Response)


def parsing(session: Session) -> None:
    """The type that is asked for is the type that comes."""
    assert_type(session.responses.parse(input="x", text_format=City), ParsedResponse[City])
    assert_type(session.responses.parse(input="x", text_format=City, tools=[City]).output_parsed, City | None)
    assert_type(session.responses.parse(input="x", text_format=list[City]).output_parsed, list[City] | None)
    adapter: TypeAdapter[City | int] = TypeAdapter(City | int)
    assert_type(session.responses.parse(input="x", text_format=adapter), ParsedResponse[City | int])
    assert_type(session.responses.parse(input="x"), ParsedResponse[None])
    with session.responses.stream(input="x", text_format=City) as stream:
        assert_type(stream, ParsedStream[City])
        assert_type(stream.final().output_parsed, City | None)
    assert_type(session.responses.compact(input="x"), CompactedResponse)


async def parsing_asynchronously(session: Session) -> None:
    """On the other face too."""
    assert_type(await session.aio.responses.parse(input="x", text_format=City), ParsedResponse[City])
    assert_type((await session.aio.responses.parse(input="x", text_format=list[City])).output_parsed, list[City] | None)
    async with session.aio.responses.stream(input="x", text_format=City) as stream:
        assert_type(stream, AsyncParsedStream[City])
        assert_type((await stream.final()).output_parsed, City | None)
    assert_type(await session.aio.responses.compact(input="x"), CompactedResponse)


def payloads(session: Session) -> None:
    """Vectors, files and calls."""
    found = session.embeddings.create(input=["x"], dimensions=3)
    assert_type(found, EmbeddingResponse)
    assert_type(found.matrix, NDArray[np.float32])
    assert_type(found.data[0], Embedding)
    assert_type(found[0].index, int)
    session.embeddings.create(input=[1, 2], encoding_format="base64")
    assert_type(session.files.upload("notes.txt", on_progress=print), UploadedFile)
    assert_type(session.files.upload(b"bytes", name="notes.txt").uri, str)
    call = session.realtime.calls.create(sdp="v=0", session={"model": "gpt-live-1-codex"})
    assert_type(call, RealtimeCall)
    assert_type(call.text, str)
    assert_type(session.realtime_websocket_url(model="gpt-realtime"), str)
    assert_type(session.realtime_websocket_headers(), dict[str, str])


async def payloads_asynchronously(session: Session) -> None:
    """On the other face too."""
    assert_type(await session.aio.embeddings.create(input="x"), EmbeddingResponse)
    assert_type(await session.aio.files.upload(Path("notes.txt")), UploadedFile)
    assert_type(await session.aio.realtime.calls.create(sdp="v=0"), RealtimeCall)
    assert_type(session.aio.realtime_websocket_url(model="gpt-realtime"), str)


async def asynchronous(session: Session) -> None:
    """The same methods return an awaitable of it."""
    assert_type(await session.aio.models.list(), ModelPage)
    assert_type(await session.aio.models.retrieve("gpt-5.4"), ModelInfo)
    assert_type(await session.aio.codex.usage(), Usage)
    assert_type(await session.aio.codex.tasks.list(), AsyncPage[Task])
    async for task in (await session.aio.codex.tasks.list()).auto_paging():
        assert_type(task, Task)
    async for task in session.aio.codex.tasks.list().auto_paging():
        assert_type(task, Task)
    assert_type(await session.aio.codex.memories.list(), Memories)
    assert_type(await session.aio.login(paste=True), SignedIn)
    assert_type(await session.aio.logout(), bool)
    assert_type(await session.aio.revoke(), SignedOut)
    assert_type(await session.aio.account(), SignedIn)
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
    session.codex.tasks.list(limt=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.models.retrieve()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.models.retrieve(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    session.aio.models.list(refrehs=True)  # type: ignore[call-arg,unused-coroutine]  # pyright: ignore[reportCallIssue]
    session.responses.parse(input="x", text_fromat=City)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    session.embeddings.create(inputs="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.files.upload("x", nmae="y")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.responses.compact(inptu="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
