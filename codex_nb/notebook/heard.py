"""The text of a recording while it is heard: painted in the cell as it grows, and gone once it is whole."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast

from codex_nb.chat.views import View, Viewed
from codex_nb.client.default import session as shared_session
from codex_nb.notebook.front import painter_for
from codex_nb.notebook.live import Silent
from codex_nb.notebook.output import NOTHING
from codex_nb.safe_markdown import printable

if TYPE_CHECKING:
    from codex_nb.types.audio import Transcript

__all__ = ["watched"]

STYLE = "white-space: pre-wrap; max-width: 60em; line-height: 1.5"


def watched(shell: Any, source: Any, *, quiet: bool, asked: dict[str, Any]) -> Transcript:
    """Return what is said in ``source``, showing it as it is heard; what a failure leaves of it stays shown."""
    view = _Growing()
    # In a terminal nothing that is printed goes again, and the transcript comes anyway.
    shown = not quiet and getattr(shell, "kernel", None) is not None
    painter = painter_for(shell, view)(f"the route {asked['route']}") if shown else Silent()
    create: Any = shared_session().audio.transcriptions.create
    with painter, create(file=source, stream=True, **asked) as stream:
        for delta in stream.text_deltas():
            painter.add(delta)
        view.over = True
    return cast("Transcript", stream.transcript)


class _Growing(View):
    """Plain text; nothing of it once the transcript itself is there."""

    over = False

    def __init__(self) -> None:
        super().__init__(_plain)

    def whole(self, text: str) -> Viewed:
        return Viewed(dict(NOTHING)) if self.over else Viewed(_plain(text))


def _plain(text: str) -> dict[str, Any]:
    return {"text/html": f'<div style="{STYLE}">{escape(printable(text))}</div>', "text/plain": printable(text)}
