"""The ledger as a table: what each call used."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
import pandas as pd

from codex_nb.client.default import session_of
from codex_nb.columns import DURATION, INSTANT, NUMBER, TEXT, Column, ordered, table
from codex_nb.errors import InvalidOption
from codex_nb.frames.account import EFFORTS
from codex_nb.frames.counts import is_count
from codex_nb.moments import Moment, epoch, no_time

if TYPE_CHECKING:
    from codex_nb.client.ledger import CallRow
    from codex_nb.client.session import Session

__all__ = ["Since", "calls", "moment_of"]

Since: TypeAlias = "Moment | timedelta | np.timedelta64 | str"

# A length of time says its unit, or is 1:30:00. pandas takes a number alone, and 2024-05, for nanoseconds.
LENGTH: Final = re.compile("[a-zµ:]", re.IGNORECASE)

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
    since: Since | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return what the ledger keeps of calls, the latest first, one row each; nothing is sent.

    ``since`` is a date or a datetime (local time where no zone is said), epoch seconds, or how long ago: a timedelta.
    Texts such as ``"2026-10-01"`` and ``"7 days"``, and what pandas and numpy have of these, are as good. ``limit`` is
    the number of rows at most.

    Columns: ``time`` (datetime64[us, UTC], the beginning), ``endpoint``, ``model`` (text), ``effort``, ``outcome``
    (ordered categories; beyond ``completed`` to ``failed`` an outcome is the name of the error), ``input_tokens`` (of
    which ``cached_tokens``), ``output_tokens`` (of which ``reasoning_tokens``), ``total_tokens`` (Int64),
    ``to_headers``, ``to_text``, ``duration`` (timedelta64[us]), ``status``, ``attempts`` (Int64), and as text ``code``,
    ``served_model``, ``tier``, ``method``, ``backend``, ``host``, ``engine``, ``account`` (tells accounts apart; it is
    not an id), ``session``, ``response_id``, ``request_id``. What is not known is missing, never 0.

    Raises:
        InvalidOption: ``since`` is no time, or ``limit`` no count above 0.
        CodexError: the ledger's file cannot be read.

    """
    if limit is not None and not is_count(limit):
        raise InvalidOption("limit is a count of rows, at least 1.", hint="Leave it out for all.")
    rows = session_of(session).ledger.calls(moment_of(since), limit and int(limit))
    return table(CALLS, rows, source="ledger")


def moment_of(since: Since | None) -> float | None:
    """Return when ``since`` is, in epoch seconds; a timedelta, or a text that is one, counts back from now.

    Raises:
        InvalidOption: it is no time.

    """
    if since is None:
        return None
    try:
        when: Any = _parsed(since) if isinstance(since, str) else since
        if isinstance(when, (timedelta, np.timedelta64)):
            when = time.time() - pd.Timedelta(cast("Any", when)).total_seconds()
    except (ValueError, OverflowError) as error:
        raise no_time(since) from error
    return epoch(when)


def _parsed(text: str) -> datetime | timedelta:
    if LENGTH.search(text):
        with suppress(ValueError):
            return pd.Timedelta(text)
    return pd.Timestamp(text)
