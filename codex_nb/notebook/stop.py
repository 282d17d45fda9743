"""The stop button of an answer that is under way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import anywidget
from traitlets import Unicode

__all__ = ["StopButton"]

HERE = Path(__file__).parent


class StopButton(anywidget.AnyWidget):
    """A button whose click interrupts the kernel through the front end; it lives as long as the answer is coming."""

    _esm = HERE / "stop.js"
    _css = HERE / "stop.css"

    title = Unicode("Stop the answer; the text so far is kept").tag(sync=True)

    def bundle(self) -> dict[str, Any]:
        """Return the display data, with a plain text for front ends without widgets."""
        data, _metadata = cast("tuple[dict[str, Any], Any]", self._repr_mimebundle_())  # pyright: ignore[reportUnknownMemberType]
        return {**data, "text/plain": "Answer under way"}
