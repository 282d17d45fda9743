"""``.codex`` on frames: what this package can do with one of its own tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from codex_nb.errors import InvalidOption

__all__ = ["CodexAccessor"]


def _forecast(frame: pd.DataFrame) -> Any:
    from codex_nb.frames.plots import forecast_plot

    return forecast_plot(frame)


# The source of a frame, and what draws it.
PLOTS: Final[dict[str, Callable[[pd.DataFrame], Any]]] = {"forecast": _forecast}


@pd.api.extensions.register_dataframe_accessor("codex")
class CodexAccessor:
    """``frame.codex``."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def plot(self) -> Any:
        """Return a chart of a frame of `forecast`: what was observed, an even pace, and where it leads.

        An Altair chart if Altair (the extra ``plot``) is installed, else a Matplotlib figure, else text.

        Raises:
            InvalidOption: the frame is none that has a chart of its own.

        """
        draw = PLOTS.get(self._frame.attrs.get("codex_nb", {}).get("source", ""))
        if draw is None:
            raise InvalidOption(
                "This frame has no chart of its own.", hint=f"There is one of frames.{', frames.'.join(PLOTS)}()."
            )
        return draw(self._frame)
