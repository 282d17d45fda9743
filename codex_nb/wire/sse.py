"""Server-sent events: bytes to events by the WHATWG rule, at any chunking, in linear time.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
It works on bytes and never on text lines: U+2028 and U+0085 end lines for `str.splitlines`, but not here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from codex_nb.errors import MalformedStream

__all__ = ["SSEDecoder", "ServerEvent"]

BOM = b"\xef\xbb\xbf"
# Images come as one base64 event of some megabytes; a stream without a blank line must not fill the memory.
MAX_EVENT_BYTES = 64 * 1024 * 1024


# The form that servers send. Anchored at a blank line: when there are as many matches as blank lines, each match is a
# whole event and nothing lies between them.
PLAIN = re.compile(rb"(?:\A|(?<=\n\n))event: [^\n]+\ndata: ([^\n]*)\n\n")
# Longer events are split by hand: the expression above looks at every byte.
LONG_EVENT = 4096


class ServerEvent(NamedTuple):
    """One dispatched event. ``data`` is UTF-8, its lines joined by a line feed; ``event`` is the event's type."""

    data: bytes
    event: bytes = b"message"


class SSEDecoder:
    """Take chunks by `feed`, give events. What follows the last blank line of a stream is dropped, as the rule says."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.last_event_id = b""
        self.retry: int | None = None
        self._max = max_event_bytes
        self._parts: list[bytes] = []  # of the event that is arriving
        self._size = 0
        self._held = b""  # a line feed that may be the first half of a blank line, or a byte order mark in the making
        self._begun = False
        self._after_cr = False

    @property
    def pending(self) -> bool:
        """Whether bytes of an unfinished event have arrived."""
        return bool(self._size or self._held.strip())

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that ``chunk`` completes.

        Raises:
            MalformedStream: one event is longer than ``max_event_bytes``.

        """
        return self._parse(self._whole(chunk))

    def payloads(self, chunk: bytes) -> list[bytes]:
        """Return the data alone of the events that ``chunk`` completes: the fast way, where JSON names its own type."""
        whole = self._whole(chunk)
        expected = whole.count(b"\n\n")
        if len(whole) < LONG_EVENT * expected:
            found: list[bytes] = PLAIN.findall(whole)
            if len(found) == expected:
                return found
        return [event.data for event in self._parse(whole)]

    def _whole(self, chunk: bytes) -> bytes:
        """Return the bytes of all events that are complete now, and keep the rest."""
        if not self._begun:
            chunk = self._without_bom(chunk)
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_line_feeds(chunk)
        if self._held and self._begun:
            chunk, self._held = self._held + chunk, b""
        end = chunk.rfind(b"\n\n") + 2
        if end < 2:  # no blank line
            self._keep(chunk)
            return b""
        whole = b"".join((*self._parts, chunk[:end])) if self._parts else chunk[:end]
        self._parts, self._size = [], 0
        self._keep(chunk[end:])
        return whole

    def _without_bom(self, chunk: bytes) -> bytes:
        chunk, self._held = self._held + chunk, b""
        if len(chunk) < len(BOM) and BOM.startswith(chunk):
            self._held = chunk
            return b""
        self._begun = True
        return chunk.removeprefix(BOM)

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """Turn CRLF and CR into LF; a LF that follows a CR across chunks is the same line's end."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if chunk.endswith(b"\r"):
            self._after_cr = True
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, rest: bytes) -> None:
        """Hold the beginning of the next event; its last line feed apart, so that a blank line is never cut."""
        if rest.endswith(b"\n"):
            rest, self._held = rest[:-1], b"\n"
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
            if self._size > self._max:
                raise MalformedStream(
                    f"One event of the stream is longer than {self._max:,} bytes.",
                    hint="This is no Responses stream; check the backend's address.",
                )

    def _parse(self, whole: bytes) -> list[ServerEvent]:
        return [event for block in whole.split(b"\n\n") if (event := self._parse_block(block))]

    def _parse_block(self, block: bytes) -> ServerEvent | None:
        data: list[bytes] = []
        event = b""
        for line in block.split(b"\n"):
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                data.append(value)
            elif name == b"event":
                event = value
            elif name == b"id" and b"\0" not in value:
                self.last_event_id = value
            elif name == b"retry" and value.isdigit() and len(value) < 16:
                self.retry = int(value)
        return ServerEvent(b"\n".join(data), event or b"message") if data else None
