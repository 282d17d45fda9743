"""The recorder: speech goes from the microphone of the browser to a file of the kernel, and from there into text."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import anywidget
from traitlets import Bool, Dict, Unicode

from codex_nb.errors import CodexError, InvalidOption
from codex_nb.notebook.dictation import Dictation
from codex_nb.notebook.page import FOLDER, recorder_script
from codex_nb.notebook.recordings import Inbox, Recording
from codex_nb.settings import data_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from codex_nb.notebook.kept import Kept
    from codex_nb.notebook.spoken import Below
    from codex_nb.types.audio import Transcript

__all__ = ["Recorder"]

LAST: Final = "_transcript"
# Seconds between two looks at whether there is a transcript; short, so that an interrupt is heard.
BEAT: Final = 0.1


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
    # The class of the text beside this widget, which is hidden while the widget itself shows it.
    kept = Unicode().tag(sync=True)
    # Whether there are cells around it, and a kernel with a microphone of its own.
    kernel = Bool(default_value=True).tag(sync=True)
    # Tells the recorders of this process from those of the kernel before it, whose recordings may still be in the page.
    process = Unicode(uuid.uuid4().hex).tag(sync=True)

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

        super().__init__(language=language or "", kept=f"codex-nb-kept-{uuid.uuid4().hex}")
        self._options: dict[str, Any] = {
            name: value for name, value in (("route", route), ("prompt", prompt), ("model", model)) if value
        }
        folder = Path(save).expanduser() if save else data_folder() / "recordings"
        self._inbox = Inbox(folder, transcriber or _transcribe)
        self._dictation = Dictation(
            self._inbox,
            reply=self._reply,
            show=self._show,
            options=self._choices,
            in_thread=self._in_thread,
            keep=self._keep,
        )
        self._told = on_transcript
        self._shell: Any = get_ipython()
        self._context = contextvars.copy_context()
        self._asking = threading.Lock()
        self._below: Below | None = None
        self._kept: Kept | None = None
        self._listen()

    @property
    def recordings(self) -> list[Recording]:
        """All that was recorded here, the oldest first."""
        return list(self._inbox.recordings.values())

    @property
    def recording(self) -> Recording | None:
        """The last recording, None before there is one."""
        return self._dictation.recording

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
        while not (found := self._dictation.settled):
            self._check_kernel()
            await asyncio.sleep(BEAT)
        if found.error:
            raise found.error
        return cast("Transcript", found.transcript)

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
        if not self._dictation.take(message, buffers) and message.get("kind") == "ask":
            self._ask(str(message.get("id", "")), str(message.get("text", "")).strip())

    def _reply(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self.send(message, buffers)  # pyright: ignore[reportUnknownMemberType]

    def _show(self, state: dict[str, Any]) -> None:
        # A trait, so that a page that is opened later knows it too.
        self.shown = state
        if self._kept:
            self._kept.show(self.transcript if state.get("phase") == "done" else None)

    def _ask(self, key: str, text: str) -> None:
        shell, below = self._shell, self._below
        if not text or shell is None or below is None:
            self._dictation.reply("answered", key, text="There is no text to ask with.", hint="")
            return
        if not self._asking.acquire(blocking=False):
            return  # the same question twice; the page hears of the first

        def ask() -> None:
            from codex_nb.notebook.spoken import ask_below

            trouble, hint = "", ""
            try:
                ask_below(shell, text, below)
            except CodexError as error:
                trouble, hint = error.message, error.hint
            finally:
                self._asking.release()
                self._dictation.reply("answered", key, text=trouble, hint=hint)

        self._in_thread(ask)

    def _choices(self) -> dict[str, Any]:
        return {**self._options, "language": self.language or None}

    def _keep(self, heard: Transcript) -> None:
        if self._shell is not None:
            self._shell.user_ns[LAST] = heard
        if self._told:
            self._told(heard)

    def _in_thread(self, work: Callable[..., None], *arguments: Any) -> None:
        # The kernel files what is published by the cell that is named in the context.
        context = self._context.copy()
        threading.Thread(target=context.run, args=(work, *arguments), name="codex_nb recorder", daemon=True).start()

    def _ipython_display_(self) -> None:
        from codex_nb.notebook.kept import Kept
        from codex_nb.notebook.output import publish
        from codex_nb.notebook.spoken import Below

        self._context = contextvars.copy_context()
        data, _metadata = cast("tuple[dict[str, Any], Any]", self._repr_mimebundle_())  # pyright: ignore[reportUnknownMemberType]
        publish({**data, "text/plain": repr(self)})
        self._kept = Kept(self.kept, self.transcript)
        self._below = Below()

    def __repr__(self) -> str:
        folder = self._inbox.folder
        if folder.is_relative_to(Path.home()):  # a saved notebook need not name its user
            folder = Path("~") / folder.relative_to(Path.home())
        return f"<Recorder, {len(self.recordings)} recordings in {folder}>"

    def close(self) -> None:
        """Take it off the page; the recordings stay."""
        self._dictation.close()
        super().close()


def _as_asked(_data: Any, default: Any) -> Any:
    return default


def _transcribe(recording: Recording, **options: Any) -> Transcript:
    from codex_nb.notebook.transcribing import transcribe

    return transcribe(cast("object", recording), **options)
