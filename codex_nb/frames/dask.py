"""``.codex`` on frames and columns of Dask: `map` and `embed`, partition by partition, on any scheduler.

Importing this module registers it (``codex_nb.frames`` does so itself where ``dask.dataframe`` is imported already).
Each process that works has one session, with the login that it finds on its own machine; no login, no session and no
client travels in the graph. Extra ``dask``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from codex_nb.chat.ask import Ask
from codex_nb.client.default import opened
from codex_nb.errors import BudgetReached, InvalidOption, UsageLimitReached
from codex_nb.frames.rows.answers import AnswerForm
from codex_nb.frames.rows.outcome import DONE, RESERVED, WAITING, outcomes_frame
from codex_nb.frames.rows.pace import Limits
from codex_nb.frames.rows.prompt import row_texts
from codex_nb.frames.rows.questions import check_batch, questions
from codex_nb.frames.rows.running import CONCURRENCY, How
from codex_nb.frames.rows.workers import pace_of, worker_session
from codex_nb.frames.vectors.column import VectorDtype
from codex_nb.frames.vectors.example import ExampleVectors
from codex_nb.settings import Backend

if TYPE_CHECKING:
    from codex_nb.frames.rows.pace import Until

__all__ = ["DaskColumn", "DaskFrame", "register"]

# Options of a question that go to the workers as they are, and those that `map` takes by name.
OF_A_QUESTION: Final = ("model", "effort", "instructions", "verbosity", "tier", "timeout")
OF_A_RUN: Final = ("schema", "batch", "concurrency", "max_quota", "until", "keep", "backend")
# What `map` of pandas has besides.
INSTEAD: Final = {
    "session": "Each worker has its own; backend= says where they ask.",
    "progress": "Dask shows it: dask.diagnostics.ProgressBar().",
}


class DaskFrame:
    """``frame.codex`` of a Dask frame."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def map(
        self,
        prompt: str,
        *,
        schema: Any = None,
        batch: int = 1,
        concurrency: int = CONCURRENCY,
        max_quota: float | None = None,
        until: Until | None = None,
        keep: bool | str = True,
        backend: Backend | str | None = None,
        **options: Any,
    ) -> Any:
        """Ask ``prompt`` of each row when the frame is computed; `FrameRows.map` of pandas, lazily.

        The same columns and options, but for ``session``, of which each worker has its own, and ``progress``, which
        Dask shows by itself (``dask.diagnostics.ProgressBar``). ``concurrency`` and the pause after a 429 hold for all
        workers together; when one of them reaches the plan's limit, or ``max_quota`` (which each counts from its first
        question on), all stop and the rest waits. ``backend`` is where the workers ask: that of the shared session,
        else their own default. Answers are kept on the worker's machine, so that a partition that is computed again
        asks nothing.

        Raises:
            InvalidOption: the prompt, the schema or an option cannot be used.

        """
        _refuse_unknown(options)
        form, limits = AnswerForm(schema, RESERVED), Limits.of(max_quota, until)
        Ask.of("-", **options)
        row_texts(prompt, self._frame._meta)  # noqa: SLF001 - Dask's own name for it
        How(concurrency)
        check_batch(batch)
        meta = form.finished(outcomes_frame(form.columns, [], self._frame._meta.index[:0], source="map"))  # noqa: SLF001
        meta.attrs = {}
        return self._frame.map_partitions(
            _mapped,
            run=uuid.uuid4().hex,
            prompt=prompt,
            limits=limits,
            concurrency=concurrency,
            backend=_backend(backend),
            options={"schema": schema, "batch": batch, "keep": keep} | _with_model(options),
            meta=meta,
        )


class DaskColumn:
    """``frame["column"].codex`` of a Dask frame."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def map(self, prompt: str, **options: Any) -> Any:
        """Ask ``prompt`` of each value, as `DaskFrame.map` of a frame of this one column."""
        name = self._column.name
        return DaskFrame(self._column.to_frame("value" if name is None else name)).map(prompt, **options)

    def embed(
        self, *, model: str | None = None, dimensions: int | None = None, backend: Backend | str | None = None
    ) -> Any:
        """Return the vectors of this column's texts when it is computed, as ``embed`` does on pandas.

        How long they are is known only then, so ``to_parquet`` keeps lists of any length, which read back as vectors.
        """
        from codex_nb.frames.vectors.embeddings import MODEL

        model = model or MODEL
        meta: Any = pd.Series([], index=self._column._meta.index[:0], name=self._column.name, dtype=VectorDtype(model))  # noqa: SLF001
        return self._column.map_partitions(
            _embedded, backend=_backend(backend), model=model, dimensions=dimensions, meta=meta
        )


def _mapped(
    part: pd.DataFrame,
    *,
    run: str,
    prompt: str,
    limits: Limits,
    concurrency: int,
    backend: Backend | None,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Ask about one partition, on the worker."""
    session = worker_session(backend)
    asked = questions(part, prompt, session=session, **options)
    asked.go((WAITING,), pace_of(run, limits, concurrency, session), How(concurrency, progress=False))
    if asked.cause and not asked.count(DONE) and not isinstance(asked.cause, UsageLimitReached | BudgetReached):
        raise asked.cause
    return asked.frame()


def _embedded(
    part: pd.Series[Any], *, backend: Backend | None, model: str | None, dimensions: int | None
) -> pd.Series[Any]:
    from codex_nb.frames.vectors.embeddings import embed_column

    return embed_column(part, worker_session(backend), model=model, dimensions=dimensions)


def _refuse_unknown(options: Iterable[str]) -> None:
    for name in options:
        if name not in OF_A_QUESTION:
            known = (*OF_A_QUESTION, *OF_A_RUN)
            close = get_close_matches(name, known, n=1)
            usual = f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."
            raise InvalidOption(f"map on Dask frames has no option {name!r}.", hint=INSTEAD.get(name, usual))


def _backend(said: Backend | str | None) -> Backend | None:
    """Return where workers ask. A backend is addresses only: no login is in it."""
    shared = opened()
    if said is None:
        return shared.backend if shared else None
    return Backend.parse(said)


def _with_model(options: dict[str, Any]) -> dict[str, Any]:
    shared = opened()
    return options if options.get("model") or not shared else options | {"model": shared.model}


@cache
def register() -> None:
    """Give every Dask frame and column ``.codex``, and Dask an example of a column of vectors."""
    extensions: Any = import_module("dask.dataframe.extensions")
    extensions.register_dataframe_accessor("codex")(DaskFrame)
    extensions.register_series_accessor("codex")(DaskColumn)
    extensions.make_array_nonempty.register(VectorDtype)(ExampleVectors.of)


register()
