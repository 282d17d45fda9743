"""How a sign-in talks to the person: what it shows, and where it gets a pasted address from."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Printing", "Prompt", "Terminal", "ask_once", "open_browser"]

WHERE = "Paste the address that your browser ended at, or press Enter when its page says that you are signed in: "


class Prompt(Protocol):
    """What shows a sign-in. Each method returns at once; they are not called from two threads at a time."""

    def link(self, url: str, *, opened: bool) -> None:
        """Show the address to sign in at; ``opened`` says whether a browser is showing it already."""
        ...

    def code(self, code: str, url: str, seconds: float) -> None:
        """Show the code to type at ``url``; called again each second, with the ``seconds`` that are left."""
        ...

    def pasted(self) -> str | None:
        """Return the address that the person pasted, if one is there."""
        ...


class Printing:
    """Writes lines to standard output, and takes no pasted address."""

    def __init__(self) -> None:
        self._shown = ""

    def link(self, url: str, *, opened: bool) -> None:
        """Print the address."""
        first = "Your browser opens the sign-in page. If it does not, open" if opened else "Open this page to sign in:"
        self._write(f"{first}\n\n  {url}\n\n")

    def code(self, code: str, url: str, seconds: float) -> None:
        """Print the code once."""
        if code != self._shown:
            self._shown = code
            self._write(
                f"1. Open {url}\n2. Type this code: {code}\n\n"
                f"It is good for {seconds / 60:.0f} minutes. Never give it to anybody.\n"
            )

    def pasted(self) -> str | None:
        """Return nothing."""
        return None

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class Terminal(Printing):
    """Writes to a terminal, counts down there, and takes a pasted address at any time without waiting for it."""

    def link(self, url: str, *, opened: bool) -> None:
        """Print the address, and say that the one it ends at may be pasted."""
        super().link(url, opened=opened)
        if self._can_look():
            self._write("If the browser cannot reach this machine, paste the address here that it ends at.\n")

    def code(self, code: str, url: str, seconds: float) -> None:
        """Print the code once, and the time that is left."""
        super().code(code, url, seconds)
        if sys.stdout.isatty():
            left = max(0, round(seconds))
            self._write(f"\rWaiting, {left // 60}:{left % 60:02d} left ")

    def pasted(self) -> str | None:
        """Return the line that was typed or pasted, if there is one."""
        if not self._can_look():
            return None
        import select

        if not select.select([sys.stdin], [], [], 0)[0]:
            return None
        line = sys.stdin.readline()
        self._open = bool(line)
        return line.strip() or None

    def __init__(self) -> None:
        super().__init__()
        self._open = True

    def _can_look(self) -> bool:
        # Windows cannot look at a console without waiting.
        return self._open and sys.platform != "win32" and sys.stdin is not None and not sys.stdin.closed


def ask_once(ask: Callable[[str], str] = input) -> Callable[[], str | None]:
    """Return what asks the person for the address, once; it waits for the answer."""
    asked = False

    def pasted() -> str | None:
        nonlocal asked
        if asked:
            return None
        asked = True
        return ask(WHERE)

    return pasted


def open_browser(url: str) -> bool:
    """Show ``url`` in the person's browser; return whether there is one that could.

    A browser of the terminal's own would take the terminal over, so there must be a screen.
    """
    import webbrowser

    screen = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    return bool(screen) and webbrowser.open(url)
