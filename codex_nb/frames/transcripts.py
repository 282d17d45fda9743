"""Text of many recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from codex_nb.client._sounds import name_of
from codex_nb.client.default import session_of
from codex_nb.client.resources.audio import refuse_unknown
from codex_nb.client.side_by_side import check_concurrency, side_by_side
from codex_nb.columns import DURATION, TEXT, Column, table
from codex_nb.errors import CodexError, InvalidOption
from codex_nb.types.audio import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from codex_nb.client.session import Session

__all__ = ["COLUMNS", "CONCURRENCY", "check_options", "transcripts"]

CONCURRENCY = 8
# The forms that give a `Transcript`, which a row is made of.
OBJECTS: Final = ("json", "verbose_json")
Row = tuple[str, Transcript | CodexError | None]


def _of(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row[1], name) if isinstance(row[1], Transcript) else None


def _error(row: Row) -> str | None:
    if isinstance(row[1], Transcript):
        return None
    return str(row[1]) if row[1] else "Not begun."


COLUMNS: list[Column[Row]] = [
    Column("source", TEXT, lambda row: row[0]),
    Column("text", TEXT, _of("text")),
    Column("duration", DURATION, _of("duration")),
    Column("route", TEXT, _of("route")),
    Column("error", TEXT, _error),
]


def transcripts(
    sources: Iterable[Any],
    session: Session | None = None,
    *,
    concurrency: int = CONCURRENCY,
    on_begin: Callable[[], None] | None = None,
    on_done: Callable[[int, Transcript | CodexError], None] | None = None,
    on_interrupt: Callable[[pd.DataFrame], None] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return the text of each recording in ``sources``, one row each, in their order; a bad one stops no other.

    Columns: ``source``, ``text`` (text, missing where it failed), ``duration`` (timedelta64[us]), ``route``, ``error``
    (text, missing where it went well). ``options`` are those of ``audio.transcriptions.create``, but for those that
    give no `Transcript`. ``on_begin()`` is called before each, and may raise what comes of it; ``on_done(place,
    outcome)`` as each ends; ``on_interrupt`` gets the table so far when the user interrupts.

    Raises:
        InvalidOption: there is no such option, or it leaves no `Transcript` for a row.

    """
    check_options(options)
    check_concurrency(concurrency, CONCURRENCY)
    given = list(sources)
    create: Any = session_of(session).audio.transcriptions.create

    def one(each: Any) -> Transcript:
        if on_begin:
            on_begin()
        return create(file=each, **options)

    rows: list[Row] = [(name_of(each), None) for each in given]
    try:
        for place, outcome in side_by_side(one, given, concurrency):
            rows[place] = (rows[place][0], outcome)
            if on_done:
                on_done(place, outcome)
    except KeyboardInterrupt:
        if on_interrupt:
            on_interrupt(_frame(rows))
        raise
    return _frame(rows)


def check_options(options: Mapping[str, Any]) -> None:
    """Check the options of many recordings, before any is sent.

    Raises:
        InvalidOption: there is no such option, or it leaves no `Transcript` for a row.

    """
    if "file" in options:
        raise InvalidOption("The recordings are given already, so file says nothing.", hint="Leave file out.")
    if options.get("stream"):
        raise InvalidOption("A table has whole texts; nothing of it streams.", hint="Leave stream out.")
    if options.get("response_format", "json") not in OBJECTS:
        raise InvalidOption(
            f"There is no table of {str(options['response_format'])[:40]}.",
            hint="Leave response_format out, or take verbose_json; the text is the column text.",
        )
    refuse_unknown(options.keys() - {"response_format", "stream"})


def _frame(rows: list[Row]) -> pd.DataFrame:
    return table(COLUMNS, rows, source="audio/transcriptions")
