"""One output of a cell, and what puts it there."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from IPython.display import publish_display_data  # pyright: ignore[reportUnknownVariableType]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["NOTHING", "Output", "publish"]

publish = cast("Callable[..., None]", publish_display_data)
# An output that takes no room.
NOTHING = {"text/html": "", "text/plain": ""}


class Output:
    """One output of the cell, shown once and then replaced."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._shown: tuple[object, object] | None = None

    def show(self, data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
        """Show a bundle, unless it is what stands there."""
        new = (dict(data), dict(metadata or {}))
        if new != self._shown:
            publish(*new, transient={"display_id": self._id}, update=self._shown is not None)
            self._shown = new
