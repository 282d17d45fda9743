"""The text of each recording that a column names, by `transcripts`."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Collection, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, cast

import pydantic_core

from codex_nb.client.budget import Meter
from codex_nb.client.default import session_of
from codex_nb.columns import DURATION, TEXT, Column
from codex_nb.errors import AudioError, CodexError, FileError, RateLimitError, UsageLimitReached
from codex_nb.frames.kept import key_of
from codex_nb.frames.progress import bar
from codex_nb.frames.rows.asking import FATAL
from codex_nb.frames.rows.digests import digest_of
from codex_nb.frames.rows.outcome import DONE, FAILED, Outcome, outcomes_frame
from codex_nb.frames.rows.pace import NotAsked, Pace
from codex_nb.frames.rows.running import Rows, chosen
from codex_nb.frames.transcripts import CONCURRENCY, check_options, transcripts
from codex_nb.types.audio import Transcript
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.frames.kept import Kept
    from codex_nb.frames.rows.running import How, Keep

__all__ = ["RECORDINGS", "recordings"]

RECORDINGS: Final = CONCURRENCY
VERSION: Final = 1
COLUMNS: Final[list[Column[Any]]] = [
    Column("text", TEXT),
    Column("duration", DURATION),
    Column("route", TEXT),
]


class Recordings(Rows):
    """The recordings of one column; those that hold the same have one key."""

    def __init__(self, session: Session, column: pd.Series[Any], options: dict[str, Any], kept: Kept) -> None:
        self.session, self.options = session, options
        self.sources: dict[bytes, Any] = {}
        self._unknown: set[bytes] = set()
        keys: list[bytes | None] = []
        outcomes: list[Outcome] = []
        for source, missing in zip(column.tolist(), cast("Any", column.isna()), strict=True):
            keys.append(None if missing else self._key(source))
            outcomes.append(Outcome(FAILED, error="There is no recording here.") if missing else Outcome())
            if (key := keys[-1]) is not None:
                self.sources.setdefault(key, source)
        super().__init__(outcomes, keys, column.index, kept)

    def _key(self, source: Any) -> bytes:
        """Return what the recording holds and how it is asked for, as a key; else one that nothing else ever has."""
        digest = digest_of(source)
        if digest is None:
            self._unknown.add(key := uuid.uuid4().bytes)
            return key
        return key_of(
            "transcribe", VERSION, self.session.backend.name, str(sorted(_said(self.options).items())), digest
        )

    def go(self, statuses: Collection[str], pace: Pace, how: How) -> None:
        """Transcribe the recordings that have one of ``statuses``, but for those whose text is kept."""
        self.stopped = self.cause = None
        keys = self.left(statuses)
        if not keys:
            return
        meter = Meter(self.session)
        try:
            with meter, bar(len(keys), "recordings", "transcribing", shown=how.progress) as shown:
                pace.spent = _Spent(meter, how.concurrency)

                def done(place: int, outcome: Transcript | CodexError) -> None:
                    self._note(keys[place], outcome, pace)
                    shown.update()

                transcripts(
                    [self.sources[key] for key in keys],
                    self.session,
                    concurrency=how.concurrency,
                    on_begin=pace.turn,
                    on_done=done,
                    **self.options,
                )
        except KeyboardInterrupt:
            pace.halt("It was interrupted.")
        self.stopped, self.cause = pace.stopped, pace.cause
        self.say_why(keys)

    def _note(self, key: bytes, outcome: Transcript | CodexError, pace: Pace) -> None:
        match outcome:
            case Transcript():
                values = {"text": outcome.text, "duration": outcome.duration, "route": outcome.route}
                if key not in self._unknown:
                    self.kept.put_many([(key, pydantic_core.to_json(values))])
                self.put(key, Outcome(DONE, values))
                pace.went_well()
            case NotAsked():
                pass
            case UsageLimitReached():
                pace.stop(str(outcome), outcome)
            case error if isinstance(error, FATAL):
                pace.stop(str(error), error)
            case error:
                self.put(key, Outcome(FAILED, error=str(error)))
                if isinstance(error, RateLimitError):
                    pace.hold(error.retry_after)
                if not isinstance(error, AudioError | FileError):
                    pace.went_wrong(error)

    def recall(self, key: bytes, content: bytes) -> bool:
        """Take a text that was kept."""
        try:
            values = as_object(pydantic_core.from_json(content))
        except ValueError:
            return False
        self.put(key, Outcome(DONE, values))
        return "text" in values

    def frame(self) -> pd.DataFrame:
        """Return the rows; ``attrs["codex_nb"]`` counts them."""
        made = outcomes_frame(COLUMNS, self.outcomes, self.index, source="transcribe", usage=False)
        made.attrs["codex_nb"] |= self.counts()
        return made


class _Spent:
    """What is used of the quota. Transcripts do not tell it, so it is asked for before each so many of them."""

    def __init__(self, meter: Meter, batch: int) -> None:
        self._meter, self._batch = meter, batch
        self._calls = 0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            # At the beginning the meter has asked itself.
            if self._calls and self._calls % self._batch == 0:
                self._meter.ask()
            self._calls += 1
        return self._meter.spent


def recordings(column: pd.Series[Any], options: dict[str, Any], keep: Keep, session: Session | None) -> Recordings:
    """Return the recordings of ``column``, none of which is sent yet."""
    asked = {name: value for name, value in options.items() if value is not None}
    check_options(asked)
    # A function is another one when its cell runs again, and nothing tells that of it.
    return Recordings(session_of(session), column, asked, chosen(keep if _is_plain(asked) else False))


def _said(options: dict[str, Any]) -> dict[str, Any]:
    """Return what a text depends on: the options, and the engine that the environment chooses."""
    engine = os.environ.get("CODEX_NB_ENGINE", "").strip()
    return {"engine": engine} | options if engine and "local" in str(options.get("route")) else options


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return _is_plain([*cast("Mapping[str, Any]", value).values()])
    if isinstance(value, list | tuple):
        return all(map(_is_plain, cast("list[Any]", value)))
    return isinstance(value, str | Real | os.PathLike | None)
