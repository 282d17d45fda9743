"""The recorder: speech goes from the microphone of the browser to a file of the kernel, and from there into text."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import anywidget
from traitlets import Dict, Unicode

from codex_nb.errors import AudioError, CodexError, InvalidOption
from codex_nb.notebook.page import FOLDER, recorder_script
from codex_nb.notebook.recordings import Inbox, Recording
from codex_nb.settings import data_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from codex_nb.types.audio import Transcript

__all__ = ["Recorder"]

LAST: Final = "_transcript"
# Seconds between two looks at whether there is a transcript; short, so that an interrupt is heard.
BEAT: Final = 0.1
# Bytes of a recording that are sent back to a page at once; a message of 10 MiB would break the connection.
PIECE: Final = 1 << 20


class Recorder(anywidget.AnyWidget):
    """A recorder in the notebook: show it, speak, and the text stands below.

    ``language``, ``route``, ``prompt`` and ``model`` are those of `transcribe`; the language can be chosen in the
    recorder too. Recordings are written to ``save``, or to the user's data folder, while they are made, and stay when
    a transcription fails: `recordings`, the last one being `recording`. ``transcriber`` is called with a `Recording`
    and the options, in place of `transcribe`; ``on_transcript`` with each `Transcript`, in a thread.
    """

    _esm = recorder_script()
    _css = FOLDER / "recorder.css"

    language = Unicode("").tag(sync=True)
    shown = Dict().tag(sync=True)

    def __init__(
        self,
        *,
        language: str | None = None,
        route: str | None = None,
        prompt: str | None = None,
        model: str | None = None,
        save: str | Path | None = None,
        transcriber: Callable[..., Transcript] | None = None,
        on_transcript: Callable[[Transcript], None] | None = None,
    ) -> None:
        from IPython.core.getipython import get_ipython

        super().__init__(language=language or "")
        self._options: dict[str, Any] = {
            name: value for name, value in (("route", route), ("prompt", prompt), ("model", model)) if value
        }
        folder = Path(save).expanduser() if save else data_folder() / "recordings"
        self._inbox = Inbox(folder, transcriber or _transcribe)
        self._told = on_transcript
        self._shell: Any = get_ipython()
        self._last = ""
        self._context = contextvars.copy_context()
        self._below: Any = None
        self._listen()

    @property
    def recordings(self) -> list[Recording]:
        """All that was recorded here, the oldest first."""
        return list(self._inbox.recordings.values())

    @property
    def recording(self) -> Recording | None:
        """The last recording, None before there is one."""
        return self._inbox.recordings.get(self._last)

    @property
    def transcript(self) -> Transcript | None:
        """The text of the last recording, None before there is one."""
        return self.recording.transcript if self.recording else None

    async def result(self) -> Transcript:
        """Wait for the transcript of the recording that is under way, or of the first one; return it.

        Raises:
            CodexError: the transcription failed; the recording is kept, and ``recorder.recording.retry()`` tries again.
            InvalidOption: this kernel reads no messages of the page while a cell waits.

        """
        while not (found := self._settled()):
            self._check_kernel()
            await asyncio.sleep(BEAT)
        if found.error:
            raise found.error
        return cast("Transcript", found.transcript)

    def _settled(self) -> Recording | None:
        found = self.recording
        return found if found and self.shown.get("phase") in {"done", "failed"} else None

    def _check_kernel(self) -> None:
        if getattr(self._shell, "kernel", None) is None:
            return
        from importlib.metadata import version

        if int(version("ipykernel").partition(".")[0]) < 7:
            raise InvalidOption(
                "This kernel (ipykernel 6) reads nothing from the recorder while a cell waits.",
                hint="Use recorder.transcript in the next cell, or install ipykernel 7.",
            )

    def _listen(self) -> None:
        self.on_msg(self._take)  # pyright: ignore[reportUnknownMemberType]
        # ipykernel 7.4 reads messages of a widget on the main thread, where a busy cell holds them up. What comes here
        # may come on any thread, so it asks for the way of 7.0 to 7.3: a thread beside the cells.
        comm: Any = self.comm
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = _as_asked  # noqa: SLF001

    def _take(self, _widget: Any, message: dict[str, Any], buffers: Sequence[memoryview] = ()) -> None:
        """Take a message of the page; any thread, any order."""
        key, kind = str(message.get("id", "")), str(message.get("kind", ""))
        take = getattr(self, f"_on_{kind}", None) if kind.isalpha() else None
        if take is None:
            return
        with self._inbox.lock:
            try:
                take(key, message, buffers)
            except AudioError as error:
                self._reply("refused", key, text=error.message, hint=error.hint)

    def _reply(self, kind: str, key: str, buffers: list[bytes] | None = None, **facts: Any) -> None:
        self.send({"kind": kind, "id": key, **facts}, buffers)  # pyright: ignore[reportUnknownMemberType]

    def _on_begin(self, key: str, message: dict[str, Any], _buffers: Any) -> None:
        known = key in self._inbox.recordings
        name, content_type = str(message.get("name", "")), str(message.get("type", ""))
        have = self._inbox.begin(key, content_type=content_type, name=name)
        if not known:
            self._last = key
            self._show(key, "arriving", name=name)
        self._reply("have", key, have=have, asked=message.get("asked"), whole=self._inbox.recordings[key].whole)

    def _on_chunk(self, key: str, message: dict[str, Any], buffers: Sequence[memoryview]) -> None:
        if buffers:
            self._reply("have", key, have=self._inbox.chunk(key, int(message["at"]), bytes(buffers[0])))

    def _on_end(self, key: str, message: dict[str, Any], _buffers: Any) -> None:
        seconds = message.get("seconds")
        before = self._inbox.recordings.get(key)
        was_whole = before is not None and before.whole
        found = self._inbox.end(
            key,
            size=int(message["size"]),
            sha256=str(message["sha256"]),
            duration=float(seconds) if seconds else None,
        )
        if found is None:
            self._reply("have", key, have=self._inbox.have(key), asked=message.get("asked"), whole=False)
            return
        self._reply("have", key, have=message["size"], whole=True)
        if not was_whole:
            self._begin_transcribing(key)

    def _on_finish(self, key: str, _message: dict[str, Any], _buffers: Any) -> None:
        if self._inbox.finish(key):
            self._begin_transcribing(key)

    def _on_retry(self, key: str, _message: dict[str, Any], _buffers: Any) -> None:
        if key in self._inbox.recordings and self.shown.get("phase") == "failed":
            self._begin_transcribing(key)

    def _on_delete(self, key: str, _message: dict[str, Any], _buffers: Any) -> None:
        self._inbox.delete(key)
        if key == self._last:
            self._last = next(reversed(self._inbox.recordings), "")
            self.shown = {}

    def _on_fetch(self, key: str, message: dict[str, Any], _buffers: Any) -> None:
        """Send a piece of the recording to a page that was opened anew, and has it no more."""
        found = self._inbox.recordings.get(key)
        if not found or not found.path.exists():
            return
        with found.path.open("rb") as file:
            at = file.seek(max(0, int(message["at"])))
            self._reply("piece", key, [file.read(PIECE)], at=at, size=found.path.stat().st_size)

    def _on_ask(self, key: str, message: dict[str, Any], _buffers: Any) -> None:
        from codex_nb.notebook.spoken import ask_below

        text = str(message.get("text", "")).strip()
        if not text or self._shell is None or self._below is None:
            self._reply("answered", key, text="There is no text to ask with.", hint="")
            return

        def ask() -> None:
            try:
                ask_below(self._shell, text, self._below)
            except CodexError as error:
                self._reply("answered", key, text=error.message, hint=error.hint)
            else:
                self._reply("answered", key, text="", hint="")

        self._in_thread(ask)

    def _begin_transcribing(self, key: str) -> None:
        self._last = key
        self._show(key, "transcribing")
        self._in_thread(self._transcribe, key)

    def _transcribe(self, key: str) -> None:
        found = self._inbox.recordings[key]
        try:
            heard = found.retry(**self._options, language=self.language or None)
            self._keep(heard)
        except CodexError as error:
            found.error = error
            self._show(key, "failed", error=error.message, hint=error.hint)
        except Exception as error:  # noqa: BLE001 - of a transcriber of the user's; nobody else would see it
            found.error = AudioError(f"{type(error).__name__}: {error}", source=str(found.path), container="")
            self._show(key, "failed", error=str(error), hint="The recording is kept.")
        else:
            self._show(key, "done", text=str(heard), route=getattr(heard, "route", ""))

    def _keep(self, heard: Transcript) -> None:
        if self._shell is not None:
            self._shell.user_ns[LAST] = heard
        if self._told:
            self._told(heard)

    def _show(self, key: str, phase: str, **facts: Any) -> None:
        """Tell the page how things stand; a trait, so that a page that is opened later knows it too."""
        with self._inbox.lock:
            found = self._inbox.recordings.get(key)
            if key == self._last and found:
                about = {"path": str(found.path), "seconds": found.duration, "whole": found.whole}
                self.shown = {"id": key, "phase": phase, **about, **facts}

    def _in_thread(self, work: Callable[..., None], *arguments: Any) -> None:
        # The kernel files what is published by the cell that is named in the context.
        context = self._context.copy()
        threading.Thread(target=context.run, args=(work, *arguments), name="codex_nb recorder", daemon=True).start()

    def _ipython_display_(self) -> None:
        from codex_nb.notebook.live import publish
        from codex_nb.notebook.spoken import Below

        self._context = contextvars.copy_context()
        data, _metadata = cast("tuple[dict[str, Any], Any]", self._repr_mimebundle_())  # pyright: ignore[reportUnknownMemberType]
        publish({**data, "text/plain": repr(self)})
        self._below = Below()

    def __repr__(self) -> str:
        return f"<Recorder, {len(self.recordings)} recordings in {self._inbox.folder}>"

    def close(self) -> None:
        """Take it off the page; the recordings stay."""
        self._inbox.close()
        super().close()


def _as_asked(_data: Any, default: Any) -> Any:
    return default


def _transcribe(recording: Recording, **options: Any) -> Transcript:
    from codex_nb.notebook.transcribing import transcribe

    return transcribe(cast("object", recording), **options)
