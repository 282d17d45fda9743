"""Vectors of texts, as a frame and as a column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, cast

import pandas as pd

from codex_nb.client.default import session_of
from codex_nb.client.session import Session
from codex_nb.client.side_by_side import check_concurrency
from codex_nb.columns import TEXT, Column, table
from codex_nb.errors import BadRequestError, InvalidOption
from codex_nb.frames.counts import is_count
from codex_nb.frames.vectors.column import VectorArray, VectorDtype
from codex_nb.frames.vectors.making import Job, Space
from codex_nb.frames.vectors.values import as_rows, is_missing
from codex_nb.notices import warn

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from codex_nb.settings import Backend

__all__ = ["CONCURRENCY", "MODEL", "embed_column", "embeddings", "is_platform", "texts_of"]

MODEL: Final = "text-embedding-3-small"
CONCURRENCY: Final = 8
# Texts of one request to a model on this machine, which takes some seconds for as many, and says nothing meanwhile.
SLOWLY: Final = 16
BILLED: Final = (
    "Embeddings come from the OpenAI platform, which may bill them to your organization there, outside of the ChatGPT "
    'plan; backend="local" makes them on this machine.'
)
COLUMNS: Final[list[Column[str | None]]] = [Column("text", TEXT, lambda text: text)]

_told = False


def embeddings(
    texts: Iterable[Any],
    session: Session | None = None,
    *,
    model: str | None = None,
    dimensions: int | None = None,
    backend: Backend | str | None = None,
    concurrency: int = CONCURRENCY,
) -> pd.DataFrame:
    """Return the vector of each text, one row each, in their order; a Series keeps its index.

    Columns: ``text`` (text) and ``embedding`` (``vector[model]``: one float32 matrix, rows by dimensions, which is
    ``frame["embedding"].array.matrix``). A missing text (None, NaN) has a missing vector, and so has an empty one, for
    which the service has none; a warning counts those. ``attrs["codex_nb"]`` says besides source and time the
    ``model``, how many texts were ``asked`` for, how many were ``kept``, and the service's ``tokens``.

    Each text is asked for once: vectors are kept on disk (``CODEX_NB_KEPT``), by the service, the model, the
    dimensions and a digest of the text, as soon as they come. A call that was interrupted or killed is therefore just
    made again. ``backend="local"`` embeds on this machine (extra ``local``); another one is opened for this call.
    ``model`` None is ``text-embedding-3-small``, on the embedded backend its own.

    Raises:
        BadRequestError: something is no text, or the service refuses one; ``index`` is its row.
        UsageLimitReached: the platform organization has no credit.
        Stopped: the user interrupted; what came is kept.

    """
    index = cast("Any", texts).index if isinstance(texts, pd.Series) else None
    found = texts_of(texts)
    array, facts = _vectors(found, session, model, dimensions, backend, concurrency)
    said = table(COLUMNS, found, source="platform/embeddings")
    # Not copied: the matrix may fill half of the memory.
    frame = pd.DataFrame({"text": said["text"].array, "embedding": cast("Any", array)}, index=index, copy=False)
    frame.attrs["codex_nb"] = said.attrs["codex_nb"] | facts
    return frame


def embed_column(
    column: pd.Series[Any],
    session: Session | None = None,
    *,
    model: str | None = None,
    dimensions: int | None = None,
    backend: Backend | str | None = None,
    concurrency: int = CONCURRENCY,
) -> pd.Series[Any]:
    """Return the vectors of a column of texts as a column: `embeddings`, with the same index and name."""
    array, facts = _vectors(texts_of(column), session, model, dimensions, backend, concurrency)
    made: pd.Series[Any] = pd.Series(cast("Any", array), index=column.index, name=column.name, copy=False)
    made.attrs["codex_nb"] = {"source": "platform/embeddings", "at": _now()} | facts
    return made


def texts_of(texts: Any) -> list[str | None]:
    """Return texts as they are to be embedded, None for a missing one.

    Raises:
        BadRequestError: something is no text; ``index`` is its row.

    """
    if isinstance(texts, str):
        return [texts]
    if isinstance(texts, (pd.DataFrame, bytes, dict)) or not isinstance(texts, Iterable):
        raise BadRequestError(
            f"What is of type {type(cast('Any', texts)).__name__} holds no texts that could be embedded.",
            hint="Pass a list or a column of texts: frames.embeddings(df['text']).",
            status_code=400,
            code="invalid_input",
        )
    return [_text(each, row) for row, each in enumerate(cast("Iterable[Any]", texts))]


def _text(value: Any, row: int) -> str | None:
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return None
    hint = "It holds vectors already: df['column'].astype('vector')." if _is_vector(value) else ""
    raise BadRequestError(
        f"Row {row} is no text but of type {type(value).__name__}.",
        hint=hint or "Make texts of the column first: df['column'].astype(str).",
        status_code=400,
        code="invalid_input",
        index=row,
    )


def _is_vector(value: Any) -> bool:
    try:
        return as_rows(value).ndim == 1
    except (TypeError, ValueError):
        return False


def _vectors(
    texts: Sequence[str | None],
    session: Session | None,
    model: str | None,
    dimensions: int | None,
    backend: Backend | str | None,
    concurrency: int,
) -> tuple[VectorArray, dict[str, Any]]:
    """Return the vectors of texts, and what is to be said of them."""
    _check(session, dimensions, backend, concurrency)
    if empty := texts.count(""):
        warn(
            f"{empty} of {len(texts)} texts are empty: the service has no vector for them, so they have none.",
        )
    with _opened(session, backend) as used:
        space = space_of(used, model, dimensions)
        job = Job(texts, space)
        matrix = job.run(concurrency, lambda: tell_who_bills(used))
    facts = {"model": space.model, "asked": job.asked, "kept": job.kept, "tokens": job.tokens}
    return VectorArray(matrix, VectorDtype(space.model)), facts


def _check(session: Any, dimensions: Any, backend: Any, concurrency: Any) -> None:
    if session is not None and backend is not None:
        raise InvalidOption("A session has its backend.", hint="Give session= or backend=, not both.")
    if dimensions is not None and not is_count(dimensions):
        raise InvalidOption("dimensions must be a whole number, at least 1.", hint="Leave it out for the model's own.")
    check_concurrency(concurrency, CONCURRENCY)


def _opened(session: Session | None, backend: Backend | str | None) -> AbstractContextManager[Session]:
    return Session(backend) if backend is not None else nullcontext(session_of(session))


def space_of(session: Session, model: str | None, dimensions: int | None) -> Space:
    """Return where the vectors of a model of the session's backend lie."""
    backend, dimensions = session.backend, None if dimensions is None else int(dimensions)
    if backend.login != "local":
        return Space(session, model or MODEL, dimensions, backend.url("platform/embeddings"))
    # The embedded backend has one model, which answers to the public names too; its port changes, and says nothing.
    served = session.embeddings.create(input="a", model=model or MODEL).model
    return Space(session, served, dimensions, f"local {served}", SLOWLY)


def is_platform(session: Session) -> bool:
    """Whether the session's vectors are those of the OpenAI platform."""
    return session.backend.speaks_codex and session.backend.login != "local"


def tell_who_bills(session: Session) -> None:
    """Say once a process that the platform may bill, if it is what the session asks."""
    global _told  # noqa: PLW0603 - once a process
    if _told or not is_platform(session):
        return
    _told = True
    from tqdm import tqdm

    tqdm.write(BILLED)


def _now() -> str:
    return pd.Timestamp.now("UTC").isoformat(timespec="seconds")
