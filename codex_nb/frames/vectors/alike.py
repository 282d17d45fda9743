"""Which rows of a frame are alike: by a column of vectors, or by one of texts, whose vectors are then made."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from codex_nb.client.default import session_of
from codex_nb.client.resources.embeddings import SIZES
from codex_nb.client.session import Session
from codex_nb.columns import NUMBER, PERCENT, Column, table
from codex_nb.errors import InvalidOption
from codex_nb.frames.counts import is_count
from codex_nb.frames.vectors.column import VectorArray, is_vectors
from codex_nb.frames.vectors.embeddings import embed_column, is_platform, space_of, tell_who_bills, texts_of
from codex_nb.frames.vectors.making import Job
from codex_nb.frames.vectors.nearest import groups, nearest, plane
from codex_nb.frames.vectors.projection import Projection
from codex_nb.frames.vectors.values import as_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codex_nb.settings import Backend

__all__ = ["FrameVectors"]

SCALAR: Final = PERCENT  # a float64 as well
FOUND: Final[list[Column[tuple[int, float]]]] = [
    Column("row", NUMBER, lambda found: found[0]),
    Column("score", SCALAR, lambda found: found[1]),
]


class FrameVectors:
    """``frame.codex``: what vectors tell about rows.

    ``on`` names a column of vectors, or one of texts: these are embedded first (see `frames.embeddings`), once for all
    calls on this frame. It may be left out where there is one column of vectors. ``session``, ``model``,
    ``dimensions`` and ``backend`` are those of `frames.embeddings`.
    """

    _frame: pd.DataFrame

    def search(
        self,
        query: Any,
        on: Any = None,
        k: int = 5,
        *,
        session: Session | None = None,
        model: str | None = None,
        dimensions: int | None = None,
        backend: Backend | str | None = None,
    ) -> pd.DataFrame:
        """Return the ``k`` rows that are most alike ``query``, a text or a vector, the best first; exact.

        The index is the frame's. Columns: ``row`` (Int64, its place from 0), ``score`` (float64, the cosine, -1 to 1),
        then the frame's own without its vectors; of those, ``row`` and ``score`` get a ``_``. Rows of one score stand
        in the frame's order. A row without a vector, or with a zero one, is never found.

        Raises:
            InvalidOption: ``on`` or ``k`` fits nothing here, or the query's vector is of another model or length.

        """
        _check(k)
        array = self._vectors(on, session, model, dimensions, backend)
        if isinstance(query, str):
            with Session(backend) if backend is not None else nullcontext(session_of(session)) as used:
                vector = _query(query, array, used, model, dimensions)
        else:
            vector = _vector(query)
        if array.width and len(vector) != array.width:
            raise InvalidOption(
                f"The column's vectors have {array.width} numbers, the query's has {len(vector)}.",
                hint="Name the model that made them: model=, dimensions=.",
            )
        return self._found(*nearest(array, vector, k), "search")

    def similar(
        self,
        index: Any,
        k: int = 5,
        *,
        on: Any = None,
        session: Session | None = None,
        model: str | None = None,
        dimensions: int | None = None,
        backend: Backend | str | None = None,
    ) -> pd.DataFrame:
        """Return the ``k`` rows that are most alike the one labelled ``index``, without it, as `search` does.

        Raises:
            InvalidOption: there is no such row, there are several, or it has no vector.

        """
        _check(k)
        row = self._row(index)
        array = self._vectors(on, session, model, dimensions, backend)
        if array.isna()[row]:
            raise InvalidOption(f"Row {index!r} has no vector.", hint="Its text is missing or empty.")
        return self._found(*nearest(array, array.matrix[row], k, skip=row), "similar")

    def cluster(
        self,
        k: int,
        *,
        on: Any = None,
        seed: int = 0,
        session: Session | None = None,
        model: str | None = None,
        dimensions: int | None = None,
        backend: Backend | str | None = None,
    ) -> pd.Series[Any]:
        """Return a column of this index that says which of ``k`` groups a row is in: ``cluster`` (Int64).

        0 is the largest group; a row without a vector is in none (missing). By scikit-learn's k-means (extra
        ``cluster``) on the vectors' directions; the same ``seed`` gives the same groups. Many equal rows may make
        fewer groups.

        Raises:
            CodexError: scikit-learn is not installed.
            InvalidOption: ``k`` is not between 1 and the number of vectors.

        """
        _check(k)
        found = groups(self._vectors(on, session, model, dimensions, backend), k, seed)
        numbers = pd.array(np.where(found < 0, 0, found), dtype="Int64")
        numbers[found < 0] = pd.NA
        return pd.Series(numbers, index=self._frame.index, name="cluster")

    def project(
        self,
        *,
        on: Any = None,
        seed: int = 0,
        session: Session | None = None,
        model: str | None = None,
        dimensions: int | None = None,
        backend: Backend | str | None = None,
    ) -> Projection:
        """Return the frame laid out in a plane by principal components, to be looked at: ``project().plot()``.

        The index is the frame's. Columns: ``x``, ``y`` (float64, missing for a row without a vector), then the frame's
        own without its vectors; of those, ``x`` and ``y`` get a ``_``. ``attrs["codex_nb"]["shown"]`` is which part of
        the differences the plane shows, 0 to 1 (None where there are none).
        """
        places, shown = plane(self._vectors(on, session, model, dimensions, backend), seed)
        made = Projection({"x": places[:, 0], "y": places[:, 1]}, index=self._frame.index)
        made = Projection(pd.concat([made, self._others({"x", "y"})], axis=1))
        at = pd.Timestamp.now("UTC").isoformat(timespec="seconds")
        part = None if np.isnan(shown) else round(shown, 4)
        made.attrs["codex_nb"] = {"source": "project", "at": at, "shown": part}
        return made

    def _vectors(self, on: Any, session: Any, model: str | None, dimensions: int | None, backend: Any) -> VectorArray:
        """Return the vectors of the column that is named, or is the only one."""
        column = self._column(on)
        array: Any = column.array
        if isinstance(array, VectorArray):
            if model and array.dtype.model not in (None, model):
                raise InvalidOption(
                    f"The column's vectors are those of {array.dtype.model}, not of {model}.",
                    hint="Leave model= out, or embed the texts by the other model.",
                )
            return array
        texts = texts_of(column)
        asked = (texts, id(session), model, dimensions, str(backend))
        # On the frame itself, where pandas 2 keeps the accessor: it goes when the frame goes, and into no copy.
        kept: dict[Any, Any] = vars(self._frame).setdefault("_codex_embedded", {})
        if column.name not in kept or kept[column.name][0] != asked:
            made = embed_column(column, session, model=model, dimensions=dimensions, backend=backend)
            kept[column.name] = (asked, made.array)
        return kept[column.name][1]

    def _column(self, on: Any) -> pd.Series[Any]:
        frame: Any = self._frame
        named = [name for name, dtype in frame.dtypes.items() if is_vectors(pd.Series(dtype=dtype))]
        if on is None and len(named) == 1:
            on = named[0]
        if on is None or not pd.api.types.is_hashable(on) or on not in frame.columns:
            said = f"There is no column {on!r}." if on is not None else "Which column is meant?"
            known = ", ".join(repr(name) for name in frame.columns)
            raise InvalidOption(said, hint=f"Name one of texts or of vectors by on=. There are: {known or 'none'}.")
        column: Any = frame[on]
        if isinstance(column, pd.DataFrame):
            raise InvalidOption(f"There are several columns {on!r}.", hint="Give each a name of its own.")
        return column

    def _row(self, index: Any) -> int:
        try:
            find: Any = self._frame.index.get_loc
            row = find(index)
        except (KeyError, TypeError, ValueError, pd.errors.InvalidIndexError):
            raise InvalidOption(
                f"There is no row {_short(index)}.",
                hint="Name one by its label in the index: df.codex.similar(df.index[0]).",
            ) from None
        # A part of a label may lead to one row alone, as a slice or a mask.
        places = np.atleast_1d(np.arange(len(self._frame))[row])
        if len(places) == 1:
            return int(places[0])
        raise InvalidOption(f"Several rows are called {index!r}.", hint="Take df.reset_index(drop=True) first.")

    def _found(self, rows: NDArray[np.intp], scores: NDArray[np.float64], source: str) -> pd.DataFrame:
        made = table(FOUND, list(zip(rows.tolist(), scores.tolist(), strict=True)), source=source)
        others = self._others({"row", "score"}).iloc[rows]
        made.index = others.index
        found = pd.concat([made, others], axis=1)
        found.attrs = made.attrs
        return found

    def _others(self, taken: set[str]) -> pd.DataFrame:
        """Return the frame without vectors, its columns named so that they do not hide ours."""
        frame: Any = self._frame
        plain = frame.loc[:, [not is_vectors(pd.Series(dtype=dtype)) for dtype in frame.dtypes]]
        names: list[Any] = [*plain.columns]
        for place, name in enumerate(names):
            if isinstance(name, str) and name in taken:
                names[place] = next(other for n in range(1, len(names) + 2) if (other := name + "_" * n) not in names)
        return plain.set_axis(names, axis=1)


def _short(index: Any) -> str:
    return repr(index) if pd.api.types.is_hashable(index) else f"that is called by a {type(index).__name__}"


def _check(k: Any) -> None:
    if not is_count(k):
        raise InvalidOption("k must be a whole number, at least 1.", hint="Leave it out for 5.")


def _vector(query: Any) -> NDArray[np.float32]:
    try:
        rows = as_rows(query)
    except (TypeError, ValueError):
        rows = np.empty((0, 0), np.float32)
    if rows.ndim != 1 or not len(rows):
        raise InvalidOption("The query is neither a text nor one vector.", hint='Example: df.codex.search("red wine").')
    return rows


def _query(
    query: str, array: VectorArray, session: Session, model: str | None, dimensions: int | None
) -> NDArray[np.float32]:
    """Return the vector of a query by the model, and in the length, of the vectors that it is compared with."""
    if not query.strip():
        raise InvalidOption("The query is empty.", hint='Example: df.codex.search("red wine").')
    theirs = array.dtype.model
    if model is None and theirs and theirs not in SIZES and is_platform(session):
        raise InvalidOption(
            f"The column's vectors are those of {theirs}, which is no model of the OpenAI platform. Nothing was sent.",
            hint='Name where they were made, such as backend="local", or the model by model=.',
        )
    space = space_of(session, model or theirs, dimensions)
    if dimensions is None and 0 < array.width < SIZES.get(space.model, 0):
        space = space_of(session, space.model, array.width)
    return Job([query], space).run(1, lambda: tell_who_bills(session))[0]
