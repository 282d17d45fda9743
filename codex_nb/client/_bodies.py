"""Bodies that are still arriving: httpx's bytes, with its exceptions turned into ours and the login taken out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Final

import httpx

from codex_nb.client._transport import HIDDEN, close, fault, secrets_of, without_query

if TYPE_CHECKING:
    from codex_nb.client._recording import Recording

__all__ = ["AsyncBody", "SyncBody"]

MAX_ERROR_BODY: Final = 64 * 1024
LONGEST_TYPE: Final = 80


class _Body:
    """What both kinds know: the content type, and the token that must not show if the service quotes it."""

    def __init__(self, response: httpx.Response, silence: float, recording: Recording | None = None) -> None:
        self.response = response
        self.recording = recording
        self._secrets = [secret.encode() for secret in secrets_of(response)]
        kind = self.hide(response.headers.get("content-type", "").encode()).decode()
        self.content_type = kind.partition(";")[0].strip().lower()[:LONGEST_TYPE]
        self._silence = silence

    @property
    def closed(self) -> bool:
        """Whether nothing more can be read."""
        return self.response.is_closed

    def _is_enough(self, chunks: list[bytes]) -> bool:
        """Whether the rest is not worth reading: that of a long error."""
        return not self.response.is_success and sum(map(len, chunks)) >= MAX_ERROR_BODY

    def hide(self, content: bytes) -> bytes:
        """Return ``content`` without the login, if it quotes it."""
        for secret in self._secrets:
            content = content.replace(secret, HIDDEN.encode())
        return content

    def _fault(self, error: httpx.HTTPError) -> Exception:
        return fault(error, without_query(self.response.request.url), self._silence)


class SyncBody(_Body):
    """A body on the synchronous client. ``chunks`` gives it as it comes, gzip undone."""

    def __init__(self, response: httpx.Response, silence: float, recording: Recording | None = None) -> None:
        super().__init__(response, silence, recording)
        self.chunks = map(self.hide, self._arriving())

    def _arriving(self) -> Iterator[bytes]:
        try:
            yield from self.response.iter_bytes()
        except httpx.HTTPError as error:
            raise self._fault(error) from error

    def read(self) -> bytes:
        """Return the next bytes, ``b""`` at the end."""
        return next(self.chunks, b"")

    def read_all(self) -> bytes:
        """Return the body, as far as it is worth reading, and close it."""
        chunks: list[bytes] = []
        for chunk in self._arriving():
            chunks.append(chunk)
            if self._is_enough(chunks):
                break
        self.close()
        return self.hide(b"".join(chunks))

    def close(self) -> None:
        """Drop what is left; the connection goes back to the pool if nothing is."""
        if self.recording:
            self.recording.left()
        close(self.response)


class AsyncBody(_Body):
    """A body on the asynchronous client. ``chunks`` gives it as it comes, gzip undone."""

    def __init__(self, response: httpx.Response, silence: float, recording: Recording | None = None) -> None:
        super().__init__(response, silence, recording)
        self.chunks = self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._arriving():
            yield self.hide(chunk)

    async def _arriving(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.response.aiter_bytes():
                yield chunk
        except httpx.HTTPError as error:
            raise self._fault(error) from error

    async def read(self) -> bytes:
        """Return the next bytes, ``b""`` at the end."""
        return await anext(self.chunks, b"")

    async def read_all(self) -> bytes:
        """Return the body, as far as it is worth reading, and close it."""
        chunks: list[bytes] = []
        async for chunk in self._arriving():
            chunks.append(chunk)
            if self._is_enough(chunks):
                break
        await self.aclose()
        return self.hide(b"".join(chunks))

    async def aclose(self) -> None:
        """Drop what is left; the connection goes back to the pool if nothing is."""
        if self.recording:
            self.recording.left()
        await self.response.aclose()
