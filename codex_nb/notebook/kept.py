"""The text beside a recorder: what a saved notebook still shows when no kernel stands behind it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from codex_nb.notebook.output import NOTHING, publish

if TYPE_CHECKING:
    from codex_nb.types.audio import Transcript

__all__ = ["Kept"]


class Kept:
    """An output of the cell with the last transcript, replaced in place.

    ``name`` is the class of what it shows; the recorder hides that class wherever it shows the text itself.
    """

    def __init__(self, name: str, heard: Transcript | None) -> None:
        self._name = name
        self._id = uuid.uuid4().hex
        self._shown = heard
        publish(self._bundle(heard), transient={"display_id": self._id})

    def show(self, heard: Transcript | None) -> None:
        """Show another text, or none."""
        if heard is not self._shown:
            self._shown = heard
            publish(self._bundle(heard), transient={"display_id": self._id}, update=True)

    def _bundle(self, heard: Transcript | None) -> dict[str, str]:
        if heard is None:
            return NOTHING
        named = heard.model_copy(update={"source": Path(heard.source).name})  # the folder is the user's affair
        shown = named._repr_html_()  # pyright: ignore[reportPrivateUsage]
        return {"text/html": f'<div class="{self._name}">{shown}</div>', "text/plain": repr(named)}
