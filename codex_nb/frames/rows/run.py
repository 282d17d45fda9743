"""One run of a question over the rows of a frame: what is asked, what is known, and where it stops."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import pydantic_core

from codex_nb.client.budget import Meter
from codex_nb.client.side_by_side import side_by_side
from codex_nb.errors import CodexError, InvalidAnswer
from codex_nb.frames.kept import key_of
from codex_nb.frames.progress import bar
from codex_nb.frames.rows.asking import Answered, Asker, Job
from codex_nb.frames.rows.outcome import DONE, FAILED, WAITING, Outcome, outcomes_frame
from codex_nb.frames.rows.pace import NotAsked, Pace
from codex_nb.types.responses import ResponseUsage

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.frames.kept import Kept
    from codex_nb.frames.rows.answers import AnswerForm

__all__ = ["Run"]

# Of the form of what is kept; another number lets older answers be asked for again.
VERSION: Final = 1


class Run:
    """The rows of one frame and what came of them so far; `go` asks for those that are not done.

    ``texts`` are the rows' questions (an error where a row has none), ``fields`` those of every request. ``stopped``
    says why the last `go` ended early, None where it did not; ``cause`` is the error that it ended with, if it did.
    """

    def __init__(
        self,
        session: Session,
        texts: Sequence[str | CodexError],
        index: pd.Index[Any],
        form: AnswerForm,
        fields: dict[str, Any],
        kept: Kept,
    ) -> None:
        self.session, self.index, self.form, self.kept = session, index, form, kept
        self.fields = fields | {"model": fields["model"] or session.models.default()}
        self.outcomes = [Outcome(FAILED, error=str(t)) if isinstance(t, CodexError) else Outcome() for t in texts]
        keys = {text: self._key(text) for text in texts if isinstance(text, str)}
        self.texts = {key: text for text, key in keys.items()}
        self.rows: dict[bytes, list[int]] = {}
        for row, text in enumerate(texts):
            if isinstance(text, str):
                self.rows.setdefault(keys[text], []).append(row)
        self._begin()

    def _begin(self) -> None:
        self.stopped: str | None = None
        self.cause: CodexError | None = None
        self.usage = ResponseUsage()
        self.asked = self.found = 0
        self.spent = 0.0

    def _key(self, text: str) -> bytes:
        said = {name: value for name, value in self.fields.items() if name != "timeout" and value}
        return key_of("map", VERSION, self.session.backend.name, said, (self.form.asked() or {}).get("schema"), text)

    def go(self, statuses: Collection[str], pace: Pace, *, batch: int, concurrency: int, progress: bool) -> None:
        """Ask for the rows that have one of ``statuses``, first of what is kept, then of the service."""
        self._begin()
        texts = {key: text for key, text in self.texts.items() if self._status(key) in statuses}
        for key, content in self.kept.get_many(texts).items():
            if self._recall(key, content):
                self.found += len(self.rows[key])
                del texts[key]
        keys = list(texts)
        groups = [keys[start : start + batch] for start in range(0, len(keys), batch)]
        jobs = [Job(tuple(group), tuple(texts[key] for key in group)) for group in groups]
        if jobs:
            self._ask(jobs, pace, concurrency, progress=progress)
            self._say_why(keys)

    def _ask(self, jobs: list[Job], pace: Pace, concurrency: int, *, progress: bool) -> None:
        meter = Meter(self.session)
        asker = Asker(self.session, self.form, self.fields, pace)
        try:
            with meter, bar(sum(len(job.keys) for job in jobs), "rows", "map", shown=progress) as shown:
                pace.spent = lambda: meter.spent
                for answered in self._answers(jobs, asker, concurrency):
                    self._count(answered)
                    shown.update(len(answered.answers) + len(answered.failed))
                    shown.set_postfix_str(_quota(meter.spent, shown.n, shown.total), refresh=False)
        except KeyboardInterrupt:
            pace.halt("It was interrupted.")
        self.spent, self.stopped, self.cause = meter.spent, pace.stopped, pace.cause

    def _answers(self, jobs: list[Job], asker: Asker, concurrency: int) -> Iterator[Answered]:
        """Ask for all of ``jobs``, then for what is to be asked again; an answer is on disk before it is given."""
        used: Counter[bytes] = Counter()

        def ask(job: Job) -> Answered:
            answered = asker(job)
            self.kept.put_many((key, _kept(content, answered.model)) for key, content in answered.answers.items())
            return answered

        while jobs:
            again: list[Job] = []
            for place, answered in side_by_side(ask, jobs, concurrency):
                if isinstance(answered, NotAsked):
                    continue
                if isinstance(answered, CodexError):
                    raise answered
                used += answered.tokens(jobs[place].keys)
                self._note(answered, used)
                again += answered.again
                yield answered
            jobs = again

    def _count(self, answered: Answered) -> None:
        self.asked += 1
        self.usage += answered.usage or ResponseUsage()

    def _note(self, answered: Answered, used: Counter[bytes]) -> None:
        for key, content in answered.answers.items():
            self._put(key, Outcome(DONE, self.form.row(content), tokens=used.get(key)))
        for key, error in answered.failed.items():
            self._put(key, Outcome(FAILED, error=error, tokens=used.get(key)))

    def _recall(self, key: bytes, content: bytes) -> bool:
        """Take an answer that was kept; return whether it still is one: a check of the user's may be another by now."""
        try:
            answer = pydantic_core.to_json(pydantic_core.from_json(content)["answer"])
            self._put(key, Outcome(DONE, self.form.row(answer), tokens=0))
        except (ValueError, KeyError, TypeError, InvalidAnswer):
            return False
        return True

    def _put(self, key: bytes, outcome: Outcome) -> None:
        """Let all rows of a question have its outcome; what was used counts once."""
        first, *others = self.rows[key]
        self.outcomes[first] = outcome
        shared = None if outcome.tokens is None else 0
        for row in others:
            self.outcomes[row] = Outcome(outcome.status, outcome.values, outcome.error, shared)

    def _say_why(self, keys: Iterable[bytes]) -> None:
        """Say of the rows that still wait why they do."""
        for key in keys:
            if self._status(key) == WAITING:
                self._put(key, Outcome(WAITING, error=self.stopped))

    def _status(self, key: bytes) -> str:
        return self.outcomes[self.rows[key][0]].status

    def count(self, status: str) -> int:
        """Return how many rows have this status."""
        return sum(outcome.status == status for outcome in self.outcomes)

    def frame(self) -> pd.DataFrame:
        """Return the rows; ``attrs["codex_nb"]`` says what the last `go` took."""
        made = outcomes_frame(self.form.columns, self.outcomes, self.index, source="map")
        made.attrs["codex_nb"] |= {
            "model": self.fields["model"],
            **{status: self.count(status) for status in (DONE, FAILED, WAITING)},
            "kept": self.found,
            "requests": self.asked,
            "input_tokens": self.usage.input_tokens,
            "cached_tokens": self.usage.input_tokens_details.cached_tokens,
            "output_tokens": self.usage.output_tokens,
            "quota": self.spent,
            "stopped": self.stopped,
        }
        return self.form.finished(made)


def _kept(content: bytes, model: str) -> bytes:
    return b'{"at":%d,"model":%b,"answer":%b}' % (time.time(), pydantic_core.to_json(model), content)


def _quota(spent: float, done: int, total: int) -> str:
    """Return what the run took of the quota so far, and what it will take in all."""
    return f"quota {spent:g} %, in all about {spent * total / done:.0f} %" if spent and done else ""
