"""The part of ``.codex`` that asks about rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codex_nb.frames.rows.pace import Limits
from codex_nb.frames.rows.questions import questions
from codex_nb.frames.rows.recordings import RECORDINGS, recordings
from codex_nb.frames.rows.running import CONCURRENCY, How, Keep, ended, retried

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.frames.rows.pace import Until

__all__ = ["ColumnRows", "FrameRows"]


class FrameRows:
    """Questions about the rows of ``_frame``."""

    _frame: pd.DataFrame

    def map(  # noqa: PLR0913 - the options of a question, and where the run stops
        self,
        prompt: str,
        *,
        schema: Any = None,
        model: str | None = None,
        effort: str | None = None,
        instructions: str | None = None,
        verbosity: str | None = None,
        tier: str | None = None,
        timeout: float | None = None,
        batch: int = 1,
        concurrency: int = CONCURRENCY,
        max_quota: float | None = None,
        until: Until | None = None,
        keep: Keep = True,
        progress: bool = True,
        session: Session | None = None,
    ) -> pd.DataFrame:
        """Ask ``prompt`` of each row: ``df.codex.map("Classify: {{text}}", schema="label: good|bad, score: float")``.

        ``{{text}}`` is the column ``text``, any other ``{{…}}`` a Python expression of columns. ``schema`` is what the
        answer shall be: a Pydantic model, a dataclass, a type, a JSON schema, a frame with the wanted columns, or a
        line such as the above. ``model``, ``effort``, ``instructions``, ``verbosity``, ``tier`` and ``timeout``
        (seconds of silence) are those of ``%%codex``; ``gpt-5.4/high`` names model and effort.

        Returns a frame with the index of this one. Its columns are the schema's fields, typed as `frames` are (``int``
        Int64, ``float`` float64, ``bool`` boolean, a choice an ordered category, dates datetime64[us]
        (those with a zone in UTC), text), or one column ``answer``; then ``_status`` (category: ``done``, ``failed``,
        ``waiting``), ``_error`` (text: why it is not done) and ``_usage`` (Int64: tokens used for the row; 0 where the
        answer was known already, missing where nothing is known). ``attrs["codex_nb"]`` counts rows, requests, tokens
        and percent of quota.

        Equal prompts are asked once. A row that fails stops no other; it is asked twice at most, then see `retry`.
        ``batch`` rows go into one request (default 1); of those, rows whose answer is missing, double or does not fit
        are asked alone. ``concurrency`` requests are under way at once; a 429 holds all of them back.

        The run stops, what is under way comes to its end, and the finished part is returned with a warning: when
        ``max_quota`` percent of any window of the quota are used, at ``until`` (a datetime, a timedelta, ``"17:30"``),
        at the plan's usage limit, after many failures in a row. An interrupt leaves what is under way. Where warnings
        are errors, the finished part is the error's ``.partial``.

        Answers are kept on this machine (``CODEX_NB_KEPT``: off, or another place), each when it comes, so that the
        same call later asks only for the rest. What was asked is not kept, only its digest; the answers are, in
        clear, in a file of your own. ``keep=False`` keeps and finds nothing, a path keeps them elsewhere.

        Raises:
            InvalidOption: an option, the schema or the prompt cannot be used: no such column, or a private one.
            UnsupportedParameter: the schema has no strict form.
            AuthenticationError, APIError: the service takes no question at all.

        """
        limits, how = Limits.of(max_quota, until), How(concurrency, progress)
        options: dict[str, Any] = {
            "model": model,
            "effort": effort,
            "instructions": instructions,
            "verbosity": verbosity,
            "tier": tier,
            "timeout": timeout,
        }
        asked = questions(self._frame, prompt, schema=schema, batch=batch, keep=keep, session=session, **options)
        return ended(asked, limits, how)

    def retry(
        self, *, waiting: bool = False, max_quota: float | None = None, until: Until | None = None
    ) -> pd.DataFrame:
        """Work again on the rows of a result of `map` or `transcribe` that failed, with ``waiting`` on the others too.

        Returns the whole result anew. Works in the kernel that made it; later, make the same call again.

        Raises:
            InvalidOption: this is no such result, or rows of it were taken out or moved.

        """
        return retried(self._frame, waiting=waiting, max_quota=max_quota, until=until)


class ColumnRows:
    """Questions about the values of ``_column``."""

    _column: pd.Series[Any]

    def map(self, prompt: str, **options: Any) -> pd.DataFrame:
        """Ask ``prompt`` of each value, which ``{{name}}`` puts in, or ``{{value}}`` where the series has no name.

        The same as `FrameRows.map` of a frame of this one column.
        """
        asked = FrameRows()
        asked._frame = self._column.to_frame("value" if self._column.name is None else self._column.name)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return asked.map(prompt, **options)

    def transcribe(  # noqa: PLR0913 - each is an option of its own
        self,
        *,
        route: str | Sequence[str] | None = None,
        language: str | None = None,
        prompt: str | None = None,
        concurrency: int = RECORDINGS,
        max_quota: float | None = None,
        until: Until | None = None,
        keep: Keep = True,
        progress: bool = True,
        session: Session | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Return the text of each recording that this column names: ``df["path"].codex.transcribe(language="en")``.

        The values are what ``codex_nb.transcribe`` takes: paths, bytes, recordings. ``route``, ``language``,
        ``prompt`` and ``options`` are its options. A recording that is there twice, by its content, is sent once.

        Returns a frame with the index of this column: ``text`` (text), ``duration`` (timedelta64[us]), ``route``
        (text), ``_status`` (category: ``done``, ``failed``, ``waiting``) and ``_error`` (text). A bad recording stops
        no other. Stops, keeps and finds what it has as `FrameRows.map` does: texts are kept by what the file holds, so
        a file that moved is not sent again, and one that changed is. Nothing is kept of an ``engine`` that is a
        function, which may be another by the next call, and of a stream that can be read only once.

        Raises:
            InvalidOption: an option cannot be used.
            AuthenticationError, APIError: the service takes no recording at all.

        """
        routes = route if isinstance(route, str | None) else ",".join(route)
        asked = {"route": routes, "language": language, "prompt": prompt, **options}
        limits, how = Limits.of(max_quota, until), How(concurrency, progress)
        return ended(recordings(self._column, asked, keep, session), limits, how)
