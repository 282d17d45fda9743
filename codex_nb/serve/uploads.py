"""Reading an upload: within its bounds, on the disk when it is long, and never trusted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from tempfile import SpooledTemporaryFile

    from starlette.datastructures import FormData
    from starlette.requests import Request

__all__ = ["TooLargeError", "Upload", "UploadError", "read_upload"]

MAX_FILES, MAX_FIELDS, MAX_FIELD = 8, 100, 256 * 1024
# How long a client may send nothing in the middle of its upload.
SILENCE_SECONDS = 60.0
UNNAMED = "audio"


class UploadError(Exception):
    """A body that is no form with a recording in it."""


class TooLargeError(Exception):
    """A body above the limit."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with a recording. ``file`` is open; `close` deletes it."""

    name: str
    content_type: str
    file: SpooledTemporaryFile[bytes]
    fields: dict[str, str]
    _parser: MultiPartParser

    def close(self) -> None:
        """Delete what was kept on the disk."""
        _drop(self._parser)


async def read_upload(request: Request, limit: int) -> Upload:
    """Read the form that ``request`` brings.

    Raises:
        UploadError: it is no such form, its file is missing or empty, or it stopped in the middle.
        TooLargeError: it is longer than ``limit`` bytes.

    """
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdecimal() and int(length[:20]) > limit:
        raise TooLargeError
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise UploadError("the request is no multipart/form-data")
    parser = MultiPartParser(
        request.headers,
        _bounded(request, limit),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, LookupError) as error:  # its own parser's errors are ValueErrors
        _drop(parser)
        said = str(getattr(error, "message", "") or "it cannot be read")
        raise UploadError(f"invalid multipart form: {said[:100]}") from None
    except BaseException:
        _drop(parser)
        raise
    try:
        return _upload(form, parser)
    except UploadError:
        _drop(parser)
        raise


def _drop(parser: MultiPartParser) -> None:
    """Delete every file that came, whole or not; the parser does so itself for one kind of error only."""
    for file in cast("list[Any]", getattr(parser, "_files_to_close_on_error", [])):
        file.close()


def _upload(form: FormData, parser: MultiPartParser) -> Upload:
    files = [each for each in form.getlist("file") if isinstance(each, UploadFile)]
    if not files:
        raise UploadError("missing multipart file field")
    last = files[-1]
    if not last.size:
        raise UploadError("file is empty")
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    file = cast("Any", last.file)
    return Upload(_base_name(last.filename or ""), last.content_type or "", file, fields, parser)


def _base_name(name: str) -> str:
    """Return a file's name without folders, of any system, quotes and control characters."""
    base = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in base if letter.isprintable() and letter not in "\"'").strip()
    return kept[:200] or UNNAMED


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Give the body as it comes, and no more of it than ``limit``."""
    read = 0
    chunks: AsyncIterator[bytes] = request.stream()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks, b""), SILENCE_SECONDS)
        except TimeoutError:
            raise UploadError("the upload stopped in the middle") from None
        if not chunk:
            return
        read += len(chunk)
        if read > limit:
            raise TooLargeError
        yield chunk
