"""A question for each row of a frame: what is asked, what is known, and what each row took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import pydantic_core

from codex_nb.chat.ask import Ask
from codex_nb.client.budget import Meter
from codex_nb.client.default import session_of
from codex_nb.client.side_by_side import side_by_side
from codex_nb.errors import CodexError, InvalidAnswer, InvalidOption
from codex_nb.frames.counts import is_count
from codex_nb.frames.kept import key_of
from codex_nb.frames.progress import bar
from codex_nb.frames.rows.answers import AnswerForm
from codex_nb.frames.rows.asking import Answered, Asker, Job
from codex_nb.frames.rows.outcome import DONE, FAILED, RESERVED, Outcome, outcomes_frame
from codex_nb.frames.rows.pace import NotAsked, Pace
from codex_nb.frames.rows.prompt import row_texts
from codex_nb.frames.rows.running import Rows, chosen
from codex_nb.types.responses import ResponseUsage

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.frames.kept import Kept
    from codex_nb.frames.rows.running import How, Keep

__all__ = ["Questions", "check_batch", "questions"]

# Of the form of what is kept; another number lets older answers be asked for again.
VERSION: Final = 1
# More rows in one request are answered worse, and one that fails costs more.
MOST_ROWS: Final = 100


class Questions(Rows):
    """The rows of one frame, each with its question.

    ``texts`` are the questions (an error where a row has none), ``fields`` those of every request, ``batch`` is how
    many rows go into one.
    """

    def __init__(
        self,
        session: Session,
        texts: Sequence[str | CodexError],
        index: pd.Index[Any],
        form: AnswerForm,
        fields: dict[str, Any],
        kept: Kept,
        *,
        batch: int = 1,
    ) -> None:
        check_batch(batch)
        self.session, self.form, self.batch = session, form, batch
        self.fields = fields | {"model": fields["model"] or session.models.default()}
        keys = {text: self._key(text) for text in texts if isinstance(text, str)}
        self.texts = {key: text for text, key in keys.items()}
        outcomes = [Outcome(FAILED, error=str(t)) if isinstance(t, CodexError) else Outcome() for t in texts]
        super().__init__(outcomes, [keys[text] if isinstance(text, str) else None for text in texts], index, kept)
        self._begin()

    def _begin(self) -> None:
        self.stopped = self.cause = None
        self.usage = ResponseUsage()
        self.asked = 0
        self.spent = 0.0

    def _key(self, text: str) -> bytes:
        said = {name: value for name, value in self.fields.items() if name != "timeout" and value}
        return key_of("map", VERSION, self.session.backend.name, said, (self.form.asked() or {}).get("schema"), text)

    def go(self, statuses: Collection[str], pace: Pace, how: How) -> None:
        """Ask for the rows that have one of ``statuses``, first of what is kept, then of the service."""
        self._begin()
        keys = self.left(statuses)
        groups = [keys[start : start + self.batch] for start in range(0, len(keys), self.batch)]
        jobs = [Job(tuple(group), tuple(self.texts[key] for key in group)) for group in groups]
        if jobs:
            self._ask(jobs, pace, how)
            self.say_why(keys)

    def _ask(self, jobs: list[Job], pace: Pace, how: How) -> None:
        meter = pace.meter or Meter(self.session)
        asker = Asker(self.session, self.form, self.fields, pace)
        try:
            with (
                nullcontext() if pace.meter else meter,
                bar(sum(len(job.keys) for job in jobs), "rows", "map", shown=how.progress) as shown,
            ):
                pace.spent = lambda: meter.spent
                for answered in self._answers(jobs, asker, how.concurrency):
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
                used.update(answered.tokens(jobs[place].keys))
                self._note(answered, used)
                again += answered.again
                yield answered
            jobs = again

    def _count(self, answered: Answered) -> None:
        self.asked += 1
        self.usage += answered.usage or ResponseUsage()

    def _note(self, answered: Answered, used: Counter[bytes]) -> None:
        for key, content in answered.answers.items():
            self.put(key, Outcome(DONE, self.form.row(content), tokens=used.get(key)))
        for key, error in answered.failed.items():
            self.put(key, Outcome(FAILED, error=error, tokens=used.get(key)))

    def recall(self, key: bytes, content: bytes) -> bool:
        """Take an answer that was kept; return whether it still is one: a check of the user's may be another by now."""
        try:
            answer = pydantic_core.to_json(pydantic_core.from_json(content)["answer"])
            self.put(key, Outcome(DONE, self.form.row(answer), tokens=0))
        except (ValueError, KeyError, TypeError, InvalidAnswer):
            return False
        return True

    def frame(self) -> pd.DataFrame:
        """Return the rows; ``attrs["codex_nb"]`` says what the last `go` took."""
        made = outcomes_frame(self.form.columns, self.outcomes, self.index, source="map")
        made.attrs["codex_nb"] |= {
            "model": self.fields["model"],
            **self.counts(),
            "requests": self.asked,
            "input_tokens": self.usage.input_tokens,
            "cached_tokens": self.usage.input_tokens_details.cached_tokens,
            "output_tokens": self.usage.output_tokens,
            "quota": self.spent,
        }
        return self.form.finished(made)


def check_batch(batch: int) -> None:
    """Check how many rows are to go into one request.

    Raises:
        InvalidOption: it is no such number.

    """
    if not is_count(batch) or batch > MOST_ROWS:
        raise InvalidOption(f"batch is {batch!r}.", hint=f"It is a whole number, 1 to {MOST_ROWS} rows a request.")


def _kept(content: bytes, model: str) -> bytes:
    return b'{"at":%d,"model":%b,"answer":%b}' % (time.time(), pydantic_core.to_json(model), content)


def _quota(spent: float, done: int, total: int) -> str:
    """Return what the run took of the quota so far, and what it will take in all."""
    return f"quota {spent:g} %, in all about {spent * total / done:.0f} %" if spent and done else ""


def questions(
    frame: pd.DataFrame,
    prompt: str,
    *,
    schema: Any = None,
    batch: int = 1,
    keep: Keep = True,
    session: Session | None = None,
    **options: Any,
) -> Questions:
    """Return the questions of the rows of ``frame``, none asked yet; ``options`` are those of an `Ask`."""
    texts = row_texts(prompt, frame)
    asked: dict[str, Any] = Ask.of("-", **options).request()
    fields = {name: value for name, value in asked.items() if name not in {"input", "text_format"}}
    form = AnswerForm(schema, RESERVED)
    return Questions(session_of(session), texts, frame.index, form, fields, chosen(keep), batch=batch)
