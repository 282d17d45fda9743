"""Dictation: what a page records comes in by messages, is written to the disk, and becomes text.

The page may be a widget's or one of its own (`codex-nb record`); it is told what has arrived by replies, and how
things stand by a state that a page opened later is given as well.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final

from codex_nb.errors import AudioError, CodexError
from codex_nb.notebook.hearing import Hearing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from codex_nb.notebook.recordings import Inbox, Recording
    from codex_nb.types.audio import Transcript

__all__ = ["Dictation"]

# Bytes of a recording that are sent back to a page at once; a message of 10 MiB would break the connection.
PIECE: Final = 1 << 20
# Seconds between two looks at the microphone of this machine, and until it is taken for forgotten.
LOOK: Final = 0.2
LONGEST: Final = 3 * 3600.0


class Dictation:
    """Recordings from one page, each on its way from the microphone to text.

    ``reply`` sends the page a message with bytes, ``show`` tells it the state; ``options`` gives those of the next
    transcription; ``in_thread`` runs what takes long; ``keep`` is given each transcript, on such a thread.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        reply: Callable[[dict[str, Any], list[bytes]], None],
        show: Callable[[dict[str, Any]], None],
        options: Callable[[], dict[str, Any]],
        in_thread: Callable[..., None],
        keep: Callable[[Transcript], None],
    ) -> None:
        self.inbox = inbox
        self.state: dict[str, Any] = {}
        self._send, self._tell, self._options = reply, show, options
        self._in_thread, self._keep = in_thread, keep
        self._last = ""
        self._hearing: Hearing | None = None
        self._hushed = threading.Event()

    @property
    def recording(self) -> Recording | None:
        """The last recording, None before there is one."""
        return self.inbox.recordings.get(self._last)

    @property
    def settled(self) -> Recording | None:
        """The last recording, None unless its transcription is over, well or not."""
        return self.recording if self.state.get("phase") in {"done", "failed"} else None

    def take(self, message: dict[str, Any], buffers: Sequence[bytes | memoryview] = ()) -> bool:
        """Take a message of the page, on any thread and in any order; return whether it is one of ours."""
        key, kind = str(message.get("id", "")), str(message.get("kind", ""))
        take = getattr(self, f"_on_{kind}", None) if kind.isalpha() else None
        if take is None:
            return False
        with self.inbox.lock:
            try:
                take(key, message, buffers)
            except AudioError as error:
                self.reply("refused", key, text=error.message, hint=error.hint)
        return True

    def reply(self, kind: str, key: str, buffers: list[bytes] | None = None, **facts: Any) -> None:
        """Send the page a message about one recording."""
        self._send({"kind": kind, "id": key, **facts}, buffers or [])

    def _have(self, key: str, **facts: Any) -> None:
        self.reply("have", key, have=self.inbox.have(key), holds=self.inbox.holds(key), **facts)

    def _on_begin(self, key: str, message: dict[str, Any], _buffers: Any) -> None:
        known = key in self.inbox.recordings
        name, content_type = str(message.get("name", "")), str(message.get("type", ""))
        self.inbox.begin(key, content_type=content_type, name=name)
        if not known:
            self._last = key
            self._show(key, "arriving", name=name)
        self._have(key, asked=message.get("asked"), whole=self.inbox.recordings[key].whole)

    def _on_chunk(self, key: str, message: dict[str, Any], buffers: Sequence[bytes | memoryview]) -> None:
        if buffers:
            self.inbox.chunk(key, int(message["at"]), bytes(buffers[0]))
            self._have(key, at=message["at"])

    def _on_end(self, key: str, message: dict[str, Any], _buffers: Any) -> None:
        seconds = message.get("seconds")
        before = self.inbox.recordings.get(key)
        was_whole = before is not None and before.whole
        size = int(message["size"])
        all_here = self.inbox.have(key) >= size
        found = self.inbox.end(
            key,
            size=size,
            sha256=str(message["sha256"]),
            duration=float(seconds) if seconds else None,
        )
        self._have(key, asked=message.get("asked"), whole=found is not None, damaged=all_here and found is None)
        if found and not was_whole:
            self.begin_transcribing(key)

    def _on_finish(self, key: str, _message: dict[str, Any], _buffers: Any) -> None:
        if key in self.inbox.recordings and not self.inbox.recordings[key].whole:
            self.inbox.finish(key)
            self.begin_transcribing(key)

    def _on_retry(self, key: str, _message: dict[str, Any], _buffers: Any) -> None:
        if key in self.inbox.recordings and self.state.get("phase") == "failed":
            self.begin_transcribing(key)

    def _on_delete(self, key: str, _message: dict[str, Any], _buffers: Any) -> None:
        self.inbox.delete(key)
        if key == self._last:
            self._last = next(reversed(self.inbox.recordings), "")
            self.state = {}
            self._tell(self.state)

    def _on_fetch(self, key: str, message: dict[str, Any], _buffers: Any) -> None:
        """Send a piece of the recording to a page that was opened anew, and has it no more."""
        found = self.inbox.recordings.get(key)
        if not found or not found.path.exists():
            return
        with found.path.open("rb") as file:
            at = file.seek(max(0, int(message["at"])))
            self.reply("piece", key, [file.read(PIECE)], at=at, size=found.path.stat().st_size)

    def _on_listen(self, key: str, _message: dict[str, Any], _buffers: Any) -> None:
        """Record with the microphone of this machine, for a page that is given none."""
        if self._hearing or key in self.inbox.recordings:
            return
        self._last = key
        try:
            self._hearing = Hearing(self.inbox, key=key)
        except AudioError as error:
            self._last = ""
            self.state = {"id": key, "phase": "deaf", "error": error.message, "hint": error.hint}
            self._tell(self.state)
            return
        self._show(key, "listening")
        self._in_thread(self._watch, self._hearing)

    def _on_hush(self, _key: str, _message: dict[str, Any], _buffers: Any) -> None:
        self._hushed.set()

    def _watch(self, hearing: Hearing) -> None:
        """Show how a recording of this machine goes on, until somebody or something ends it."""
        self._hushed.clear()
        while not self._hushed.wait(LOOK) and hearing.going and hearing.seconds < LONGEST:
            self._show(hearing.key, "listening", seconds=round(hearing.seconds, 1), level=round(hearing.level, 2))
        self.hush()

    def hush(self) -> None:
        """Close the microphone of this machine, and make text of what it heard."""
        with self.inbox.lock:
            hearing, self._hearing = self._hearing, None
        if hearing is None:
            return
        try:
            hearing.stop()
        except CodexError as error:
            hearing.recording.error = error
            self._show(hearing.key, "failed", error=error.message, hint=error.hint)
        else:
            self.begin_transcribing(hearing.key)

    def close(self) -> None:
        """Close the microphone and the files; what came in stays."""
        with self.inbox.lock:
            hearing, self._hearing = self._hearing, None
        if hearing:
            with contextlib.suppress(CodexError):
                hearing.stop()
        self.inbox.close()

    def begin_transcribing(self, key: str) -> None:
        """Make text of a recording that is whole."""
        self._last = key
        self._show(key, "transcribing")
        self._in_thread(self._transcribe, key)

    def _transcribe(self, key: str) -> None:
        found = self.inbox.recordings[key]
        try:
            heard = found.retry(**self._options())
            self._keep(heard)
        except CodexError as error:
            found.error = error
            self._show(key, "failed", error=error.message, hint=error.hint)
        except Exception as error:  # noqa: BLE001 - of a transcriber of the user's; nobody else would see it
            found.error = AudioError(f"{type(error).__name__}: {error}", source=str(found.path), container="")
            self._show(key, "failed", error=str(error), hint="The recording is kept.")
        else:
            self._show(key, "done", text=str(heard), route=getattr(heard, "route", ""))

    def _show(self, key: str, phase: str, **facts: Any) -> None:
        with self.inbox.lock:
            found = self.inbox.recordings.get(key)
            if key == self._last and found:
                about = {"path": str(found.path), "seconds": found.duration, "whole": found.whole}
                self.state = {"id": key, "phase": phase, **about, **facts}
                self._tell(self.state)
