"""``.codex`` on frames: what this package can do with one of its own tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from codex_nb.errors import InvalidOption
from codex_nb.frames.rows.accessor import ColumnRows, FrameRows
from codex_nb.frames.vectors.alike import FrameVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from codex_nb.client.session import Session
    from codex_nb.settings import Backend

__all__ = ["CodexAccessor", "CodexColumnAccessor"]


def _forecast(frame: pd.DataFrame) -> Any:
    from codex_nb.frames.plots import forecast_plot

    return forecast_plot(frame)


def _projection(frame: pd.DataFrame) -> Any:
    from codex_nb.frames.vectors.projection import projection_plot

    return projection_plot(frame)


def _timeline(frame: pd.DataFrame) -> Any:
    from codex_nb.frames.timeline import timeline_plot

    return timeline_plot(frame)


# The source of a frame, and what draws it.
PLOTS: Final[dict[str, Callable[[pd.DataFrame], Any]]] = {
    "forecast": _forecast,
    "project": _projection,
    "wham/tasks/list": _timeline,
}


@pd.api.extensions.register_dataframe_accessor("codex")
class CodexAccessor(FrameRows, FrameVectors):
    """``frame.codex``."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def plot(self) -> Any:
        """Return a chart of a frame that has one of its own.

        Of `forecast`: what was observed, an even pace, and where it leads. Of `project`: rows as points. Of `tasks`:
        when each began, how long it took, where it ran and how it ended.

        An Altair chart if Altair (the extra ``plot``) is installed, as a `Chart`, which front ends show without a
        network; else a Matplotlib figure, else text.

        Raises:
            InvalidOption: the frame is none that has a chart of its own.

        """
        draw = PLOTS.get(self._frame.attrs.get("codex_nb", {}).get("source", ""))
        if draw is None:
            raise InvalidOption(
                "This frame has no chart of its own.",
                hint="There is one of what forecast, tasks and project return.",
            )
        return draw(self._frame)


@pd.api.extensions.register_series_accessor("codex")
class CodexColumnAccessor(ColumnRows):
    """``frame["column"].codex``."""

    def __init__(self, column: pd.Series[Any]) -> None:
        self._column = column

    def embed(
        self,
        session: Session | None = None,
        *,
        model: str | None = None,
        dimensions: int | None = None,
        backend: Backend | str | None = None,
        concurrency: int = 8,
    ) -> pd.Series[Any]:
        """Return the vectors of this column's texts as a column of the same index: ``vector[model]``, float32.

        What stands there twice is asked for once, what was asked for before not at all; see `frames.embeddings`.

        Raises:
            BadRequestError: something is no text, or the service refuses one; ``index`` is its row.
            Stopped: the user interrupted; what came is kept.

        """
        from codex_nb.frames.vectors.embeddings import embed_column

        return embed_column(
            self._column, session, model=model, dimensions=dimensions, backend=backend, concurrency=concurrency
        )

    @property
    def matrix(self) -> NDArray[np.float32]:
        """The vectors of this column: float32, rows by dimensions, NaN where one is missing; read-only.

        Raises:
            InvalidOption: it is no column of vectors.

        """
        from codex_nb.frames.vectors.column import VectorArray

        array: Any = self._column.array
        if not isinstance(array, VectorArray):
            raise InvalidOption(
                f"This column holds {self._column.dtype}, and no vectors.",
                hint="Embed it first: df['text'].codex.embed(). Lists: df['lists'].astype('vector').",
            )
        return array.matrix
