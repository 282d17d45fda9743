"""What the front end of a shell can do: paint, show an object once, take code for the next cell, ask its user."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from codex_nb.chat.answer import Answer
from codex_nb.chat.fences import joined
from codex_nb.notebook.live import Live, Painter, Printed
from codex_nb.notebook.output import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.chat.views import View

__all__ = ["offer_code", "painter_for", "prompt_of", "show_once"]


def painter_for(shell: Any, view: View, *, thoughts: bool = False) -> Callable[[str], Painter]:
    """Return what makes the painter for this front end; ``view`` makes of the text what is shown of it."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return lambda _model: Printed()
    # A front end that takes no input has nobody to press a button: nbclient, nbconvert, papermill.
    return partial(Live, view=view, thoughts=thoughts, stop_button=bool(getattr(kernel, "_allow_stdin", False)))


# Languages whose code a cell takes, and what must stand above it.
CELLS = {"python": "", "": "", "bash": "%%bash\n"}


def offer_code(shell: Any, text: str) -> None:
    """Put the answer's code into the next cell, where the front end does that, or on the next line of a terminal."""
    language, code = joined(text)
    if code and language in CELLS:
        shell.set_next_input(CELLS[language] + code)


def show_once(shell: Any, answer: Answer) -> None:
    """Keep ``ask(…)`` on a cell's last line from showing its answer a second time."""
    printers: dict[type, Any] = shell.display_formatter.ipython_display_formatter.type_printers
    painted: list[Answer] = getattr(printers.get(Answer), "painted", [])
    painted.append(answer)
    if len(painted) > 1:
        return

    def show(other: Answer) -> None:
        if not any(other is one for one in painted):
            publish(*other._repr_mimebundle_())  # pyright: ignore[reportPrivateUsage]

    def forget(_result: Any) -> None:
        printers.pop(Answer, None)
        shell.events.unregister("post_run_cell", forget)

    vars(show)["painted"] = painted
    printers[Answer] = show
    shell.events.register("post_run_cell", forget)


def prompt_of(shell: Any) -> Callable[[str], str] | None:
    """Return what asks the user, None where nobody can answer. Works in a cell that runs, where widgets do not."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return input if getattr(kernel, "_allow_stdin", False) else None
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    return lambda question: input(f"\n{question}")  # words of the model may stand on this line already
