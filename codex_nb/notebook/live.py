"""The one painter of answers that are still coming.

In a notebook it keeps an output (a display id) and replaces its text; in a terminal it prints what is new. The browser,
not the kernel, is what streaming overloads, so a notebook is painted at most every 1/15 s, and more rarely the longer
the text is; a very long one goes on in a further output. What matters is always painted at the end, whatever ended it.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

from codex_nb.chat.views import View, view_of
from codex_nb.notebook.output import NOTHING, Output
from codex_nb.notebook.passages import Passages
from codex_nb.notebook.thoughts import Thoughts
from codex_nb.safe_markdown import printable, safe_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from codex_nb.notebook.stop import StopButton

__all__ = ["Live", "Painter", "Printed", "Silent", "interval", "rest_of"]

FASTEST = 1 / 15
# A front end renders about this many characters a second beside its other work (tests/bench/paint.py).
CHARACTERS_A_SECOND = 85_000
# Typesetting a formula takes it as long as a hundred characters do; each stands between two of these.
DOLLAR = 50
# A long answer is not read as fast as it comes, and a page that draws less is less behind: so many characters add a
# second between two paintings, up to these seconds.
CALMER = 100_000
CALM = 0.4
# Seconds between two looks of the helper thread.
BEAT = 0.25


def interval(shown: Mapping[str, Any], length: int = 0) -> float:
    """Return the seconds to leave between two paintings of an output like this one, in an answer of this length."""
    texts = [text for text in shown.values() if isinstance(text, str)]
    work = sum(len(text) + DOLLAR * text.count("$") for text in texts)
    return max(FASTEST, work / CHARACTERS_A_SECOND, min(CALM, length / CALMER))


class Painter(Protocol):
    """What shows an answer: entered when it is asked for, fed with text, ended with a receipt."""

    def __enter__(self) -> Self:
        """Show at once that something is under way."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show the last state."""
        ...

    def add(self, delta: str) -> None:
        """Take a few more characters."""
        ...

    def catch_up(self, text: str) -> None:
        """Take the end of ``text`` that an interrupt kept from being added."""
        ...

    def think(self, delta: str) -> None:
        """Take a few more characters of the summary of the model's thoughts."""
        ...

    def wait_for(self, what: str) -> None:
        """Say what is waited for from now on, as long as there is no text."""
        ...

    def end(self, below: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        """Show what stands below the answer; ``metadata`` is kept with the answer's output."""
        ...


class Live:
    """An answer in a notebook's cell: its output, and one below it for the stop button, then for the receipt and more.

    With ``thoughts`` there is one above it, too, for their summary. The whole text stands in the notebook at every
    moment, so that it survives a kernel that dies. A helper thread counts the seconds before the first word and paints
    text that a pause of the stream would otherwise hold back.
    """

    def __init__(
        self, model: str, *, stop_button: bool = True, view: View | None = None, thoughts: bool = False
    ) -> None:
        self._awaited = model
        self._metadata: Mapping[str, Any] = {}
        self._stop_button = stop_button
        self._button: StopButton | None = None
        self._button_shown: dict[str, Any] = {}
        self._below: Mapping[str, str] = {}
        self._above, self._answer = Output(), Passages(view or view_of("markdown"))
        self._thoughts = Thoughts(self._above.show) if thoughts else None
        self._parts: list[str] = []
        self._length = 0
        self._painted = -1
        self._next = 0.0
        self._waits_since = time.monotonic()
        # Re-entrant: an interrupt may land inside a painting, and the last one follows on the same thread.
        self._lock = threading.RLock()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._waits_since = time.monotonic()
        if self._thoughts:
            self._above.show(NOTHING)
        self._answer.first.show(self._waiting())
        try:
            self._show_stop_button()
        except BaseException:  # an interrupt, while the widgets are imported
            self.__exit__(None, None, None)
            raise
        # The kernel files outputs by the cell that is named in the context, so the thread takes it along.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._beat,), name="codex_nb painter", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with self._lock:
            if self._thoughts:
                self._thoughts.settle()
            self._answer.finish("".join(self._parts), self._metadata)
            if self._button:
                self._answer.below.show(self._below or NOTHING)
                self._button.close()
            elif self._below:
                self._answer.below.show(self._below)

    def _show_stop_button(self) -> None:
        if self._stop_button:
            from codex_nb.notebook.stop import StopButton

            self._button = StopButton()
            self._button_shown = self._button.bundle()
            self._answer.below.show(self._button_shown)

    def add(self, delta: str) -> None:
        """Take a few more characters, and paint if it is time."""
        if self._thoughts:
            self._thoughts.settle()
        self._parts.append(delta)
        self._length += len(delta)
        # The first words never wait for the line that counts the seconds.
        if self._length and (self._painted < 0 or time.monotonic() >= self._next):
            self._paint()

    def catch_up(self, text: str) -> None:
        """Take the end of ``text`` that an interrupt kept from being added."""
        if rest := rest_of("".join(self._parts), text):
            self.add(rest)

    def think(self, delta: str) -> None:
        """Take a few more characters of the thoughts; where no place was asked for them, they are not shown."""
        if self._thoughts:
            self._thoughts.add(delta)

    def wait_for(self, what: str) -> None:
        """Take what the waiting line names."""
        self._awaited, self._waits_since = what, time.monotonic()
        self._count_seconds()

    def end(self, below: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        """Take what is shown in place of the stop button."""
        self._below = below
        self._metadata = metadata or {}

    def _paint(self) -> None:
        with self._lock:
            if self._over.is_set() or self._painted == self._length:
                return
            self._painted = self._length
            shown = self._answer.paint("".join(self._parts))
            if self._button_shown:
                self._answer.below.show(self._button_shown)
            self._next = time.monotonic() + interval(shown, self._length)

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            if self._length:
                if time.monotonic() >= self._next:
                    self._paint()
            elif time.monotonic() >= self._next:
                self._count_seconds()

    def _count_seconds(self) -> None:
        with self._lock:
            if not self._over.is_set() and not self._length:
                self._answer.first.show(self._waiting())
                self._next = time.monotonic() + 1

    def _waiting(self) -> dict[str, str]:
        seconds = int(time.monotonic() - self._waits_since)
        line = f"Waiting for {self._awaited}{f' · {seconds} s' if seconds else ''} …"
        return {"text/markdown": f"*{safe_markdown(line)}*", "text/plain": ""}


def rest_of(shown: str, whole: str) -> str:
    """Return what ``whole`` has beyond ``shown``; nothing where it does not go on from it."""
    return whole[len(shown) :] if whole.startswith(shown) else ""


class Printed:
    """An answer in a terminal: thoughts dimmed, text as it comes, then the receipt.

    ``receipts`` is a stream of its own for what is not the answer.
    """

    def __init__(self, receipts: TextIO | None = None) -> None:
        self._beside = receipts
        self._below = ""
        self._parts: list[str] = []
        self._begun = self._thinking = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thought()
        if self._begun:
            print(flush=True)
        if self._below:
            self._print_beside(f"{self._below}\n")

    def think(self, delta: str) -> None:
        """Print a few more characters of the thoughts."""
        delta = delta if self._thinking else delta.lstrip("\n")
        if delta:
            self._print_beside(delta if self._thinking or not self._begun else f"\n\n{delta}")
            self._thinking = True

    def _thought(self) -> None:
        if self._thinking:
            self._print_beside("\n\n")
        self._thinking = False

    def _print_beside(self, text: str) -> None:
        out = self._beside or sys.stdout
        dim, normal = ("\x1b[2m", "\x1b[0m") if out.isatty() else ("", "")
        print(f"{dim}{printable(text)}{normal}", end="", file=out, flush=True)

    def add(self, delta: str) -> None:
        """Print a few more characters, without the control characters that would command the terminal."""
        self._thought()
        self._parts.append(delta)
        print(printable(delta), end="", flush=True)
        self._begun = True

    def catch_up(self, text: str) -> None:
        """Print the end of ``text`` that an interrupt kept from being printed."""
        if rest := rest_of("".join(self._parts), text):
            self.add(rest)

    def wait_for(self, what: str) -> None:
        """Let it pass: a terminal shows no waiting line."""

    def end(self, below: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Take what is printed last, dimmed where the output is a terminal."""
        self._below = below.get("text/plain", "")


class Silent:
    """An answer that is not shown."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def add(self, delta: str) -> None:
        """Let it pass."""

    def catch_up(self, text: str) -> None:
        """Let it pass."""

    def think(self, delta: str) -> None:
        """Let it pass."""

    def wait_for(self, what: str) -> None:
        """Let it pass."""

    def end(self, below: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        """Let it pass."""
