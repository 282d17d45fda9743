"""The body of a request: JSON, a form, or bytes streamed from where they are kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from urllib.parse import urlencode

import msgspec

from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from codex_nb.wire.call import Call, Content

__all__ = ["AsyncChunks", "Body", "Chunks", "body"]

FLAT: Final = frozenset({str, int, bool, type(None)})


class Chunks:
    """A streamed body on the synchronous client. A redirect or a login may ask for it again."""

    def __init__(self, content: Content, progress: Callable[[int], None] | None = None) -> None:
        self.content = content
        self.progress = progress or _unseen

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        self.progress(sent)
        for chunk in self.content.chunks():
            yield chunk
            sent += len(chunk)
            self.progress(sent)


class AsyncChunks:
    """A streamed body on the asynchronous client, read where it does not hold up the event loop."""

    def __init__(self, content: Content, progress: Callable[[int], None] | None = None) -> None:
        self.content = content
        self.progress = progress or _unseen

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self.content.chunks()
        sent = 0
        self.progress(sent)
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk
            sent += len(chunk)
            self.progress(sent)


def _unseen(_sent: int) -> None:
    """Take the place of a caller who does not look."""


Body: TypeAlias = bytes | Chunks | AsyncChunks | None


def body(call: Call, *, asynchronous: bool) -> tuple[dict[str, str], Body]:
    """Return the headers that describe the body of ``call``, and the body."""
    if call.json is not None:
        return {"content-type": "application/json"}, _json(call.json)
    if call.form is not None:
        return {"content-type": "application/x-www-form-urlencoded"}, urlencode(call.form).encode()
    if call.content is not None:
        kind = AsyncChunks if asynchronous else Chunks
        return {"content-length": str(call.content.size)}, kind(call.content, call.progress)
    return {}, None


def _json(value: Any) -> bytes:
    if isinstance(value, dict) and all(map(_is_flat, cast("dict[str, Any]", value).values())):
        with suppress(TypeError, ValueError, OverflowError):  # half a character, a number of many digits
            return msgspec.json.encode(value)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidOption(
            f"The request holds what JSON has no form for ({error}).", hint="It was not sent; pass plain values."
        ) from None
    return text.encode("utf-8", "replace")


def _is_flat(value: Any) -> bool:
    """Whether both encoders write ``value`` alike, and the quick one may: so they do texts that are embedded."""
    kinds = set(map(type, cast("list[Any]", value))) if type(value) is list else {type(value)}
    return kinds <= FLAT


def _plain(value: Any) -> Any:
    """Return the plain values of numpy's numbers and arrays, and of what is made like them."""
    if tolist := getattr(value, "tolist", None):
        return tolist()
    raise TypeError(f"an object of type {type(value).__name__}")
