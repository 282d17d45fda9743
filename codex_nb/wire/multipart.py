"""A form with one file in it, as ``multipart/form-data``: the file is read piece by piece while it is sent."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from codex_nb.wire.call import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Form", "Part"]


class Part(Content, Protocol):
    """A file of a form."""

    @property
    def name(self) -> str:
        """Return the file's name, without folders."""
        ...

    @property
    def content_type(self) -> str:
        """Return its media type."""
        ...


def _boundary() -> str:
    return f"codex-nb-{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Form:
    """Fields, then the file as the field ``file``."""

    file: Part
    fields: Mapping[str, str]
    boundary: str = field(default_factory=_boundary)

    @property
    def headers(self) -> dict[str, str]:
        """What describes the body."""
        return {"content-type": f"multipart/form-data; boundary={self.boundary}"}

    @property
    def size(self) -> int:
        """The length of the whole, in bytes."""
        return len(self._head()) + self.file.size + len(self._tail())

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes from the beginning."""
        yield self._head()
        yield from self.file.chunks()
        yield self._tail()

    def _head(self) -> bytes:
        fields = "".join(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        )
        name = _quoted(self.file.name)
        file = (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {self.file.content_type}\r\n\r\n"
        )
        return (fields + file).encode("utf-8", "replace")

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


def _quoted(text: str) -> str:
    """Return ``text`` as browsers write it into a part's header."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
