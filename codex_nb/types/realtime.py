"""The answer to a realtime call's offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

__all__ = ["RealtimeCall"]


@dataclass(frozen=True, slots=True)
class RealtimeCall:
    """A realtime call: ``text`` is the SDP answer for the peer connection, ``call_id`` names the call.

    The answer holds the connection's own password, so it does not show here.
    """

    call_id: str
    content: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The SDP answer."""
        return self.content.decode("utf-8", "replace")

    def read(self) -> bytes:
        """Return the SDP answer as bytes."""
        return self.content

    def write_to_file(self, file: str | os.PathLike[str]) -> None:
        """Write the SDP answer to a file."""
        from pathlib import Path

        Path(file).write_bytes(self.content)
