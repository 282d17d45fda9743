"""The body of a request: JSON, a form, or bytes streamed from where they are kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlencode

if TYPE_CHECKING:
    from codex_nb.wire.call import Call, Content

__all__ = ["AsyncChunks", "Body", "Chunks", "body"]


class Chunks:
    """A streamed body on the synchronous client. A redirect or a login may ask for it again."""

    def __init__(self, content: Content) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        return self.content.chunks()


class AsyncChunks:
    """A streamed body on the asynchronous client, read where it does not hold up the event loop."""

    def __init__(self, content: Content) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self.content.chunks()
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk


Body: TypeAlias = bytes | Chunks | AsyncChunks | None


def body(call: Call, *, asynchronous: bool) -> tuple[dict[str, str], Body]:
    """Return the headers that describe the body of ``call``, and the body."""
    if call.json is not None:
        text = json.dumps(call.json, ensure_ascii=False, separators=(",", ":"))
        return {"content-type": "application/json"}, text.encode("utf-8", "replace")
    if call.form is not None:
        return {"content-type": "application/x-www-form-urlencoded"}, urlencode(call.form).encode()
    if call.content is not None:
        streamed = AsyncChunks(call.content) if asynchronous else Chunks(call.content)
        return {"content-length": str(call.content.size)}, streamed
    return {}, None
