"""The ledger as a table: what each call used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from codex_nb.client.default import session as shared_session
from codex_nb.columns import DURATION, INSTANT, NUMBER, TEXT, Column, ordered, table
from codex_nb.errors import InvalidOption
from codex_nb.frames.account import EFFORTS

if TYPE_CHECKING:
    from codex_nb.client.ledger import CallRow
    from codex_nb.client.session import Session

__all__ = ["calls", "moment_of"]

OUTCOMES = ("completed", "incomplete", "interrupted", "failed")

CALLS: list[Column[CallRow]] = [
    Column("time", INSTANT),
    Column("endpoint", TEXT),
    Column("model", TEXT),
    Column("effort", ordered(EFFORTS)),
    Column("outcome", ordered(OUTCOMES)),
    Column("input_tokens", NUMBER),
    Column("cached_tokens", NUMBER),
    Column("output_tokens", NUMBER),
    Column("reasoning_tokens", NUMBER),
    Column("total_tokens", NUMBER),
    Column("to_headers", DURATION),
    Column("to_text", DURATION),
    Column("duration", DURATION, "seconds"),
    Column("status", NUMBER),
    Column("code", TEXT),
    Column("attempts", NUMBER),
    Column("served_model", TEXT),
    Column("tier", TEXT, "service_tier"),
    Column("method", TEXT),
    Column("backend", TEXT),
    Column("host", TEXT),
    Column("engine", TEXT),
    Column("account", TEXT),
    Column("session", TEXT),
    Column("response_id", TEXT),
    Column("request_id", TEXT),
]


def calls(
    session: Session | None = None,
    *,
    since: datetime | timedelta | str | float | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return what the ledger keeps of calls, the latest first, one row each; nothing is sent.

    ``since`` is a datetime (a naive one is local time), epoch seconds, or how long ago: a timedelta or a text such as
    ``"7 days"``. ``limit`` is the number of rows at most.

    Columns: ``time`` (datetime64[us, UTC], the beginning), ``endpoint``, ``model`` (text), ``effort``, ``outcome``
    (ordered categories; beyond ``completed`` to ``failed`` an outcome is the name of the error), ``input_tokens`` (of
    which ``cached_tokens``), ``output_tokens`` (of which ``reasoning_tokens``), ``total_tokens`` (Int64),
    ``to_headers``, ``to_text``, ``duration`` (timedelta64[us]), ``status``, ``attempts`` (Int64), and as text ``code``,
    ``served_model``, ``tier``, ``method``, ``backend``, ``host``, ``engine``, ``account`` (tells accounts apart; it is
    not an id), ``session``, ``response_id``, ``request_id``. What is not known is missing, never 0.

    Raises:
        InvalidOption: ``since`` is no time.
        CodexError: the ledger's file cannot be read.

    """
    ledger = (session or shared_session()).ledger
    return table(CALLS, ledger.calls(moment_of(since), limit), source="ledger")


def moment_of(since: datetime | timedelta | str | float | None) -> datetime | float | None:
    """Return when ``since`` is; a timedelta, or a text that is one, counts back from now.

    Raises:
        InvalidOption: it is no time.

    """
    try:
        if isinstance(since, str):
            since = _parsed(since)
        return datetime.now().astimezone() - since if isinstance(since, timedelta) else since
    except (ValueError, OverflowError) as error:
        raise InvalidOption(
            f"since is {str(since)[:40]!r}, which is no time.", hint='Say "7 days", "2026-10-01" or a datetime.'
        ) from error


def _parsed(text: str) -> datetime | timedelta:
    try:
        when: Any = pd.Timedelta(text)
    except ValueError:
        when = pd.Timestamp(text)
    if pd.isna(when):
        raise ValueError(text)
    return when.to_pytimedelta() if isinstance(when, pd.Timedelta) else when.to_pydatetime()
