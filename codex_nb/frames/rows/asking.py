"""One request for one or several rows: sent, waited for, read. It raises only when the run stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from codex_nb.client._parsing import answer_of
from codex_nb.errors import (
    AuthenticationError,
    BudgetReached,
    CodexError,
    ContextWindowExceeded,
    InvalidAnswer,
    InvalidOption,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnsupportedByBackend,
    UnsupportedParameter,
    UsageLimitReached,
)
from codex_nb.frames.rows.pace import NotAsked

if TYPE_CHECKING:
    from codex_nb.client._stream import ResponseStream
    from codex_nb.client.session import Session
    from codex_nb.frames.rows.answers import AnswerForm
    from codex_nb.frames.rows.pace import Pace
    from codex_nb.types.responses import Response, ResponseUsage

__all__ = ["Answered", "Asker", "Job"]

# What is wrong with every question alike.
FATAL: Final = (
    AuthenticationError,
    InvalidOption,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedByBackend,
    UnsupportedParameter,
)
# What is wrong with one question, and no fault of the service.
ITS_OWN: Final = (InvalidAnswer, ContextWindowExceeded)
# How often a row is asked by itself, and how often one request is held back by 429.
ATTEMPTS: Final = 2
HOLDS: Final = 6
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Job:
    """The texts of one request, each with its key; ``attempt`` counts from 1."""

    keys: tuple[bytes, ...]
    texts: tuple[str, ...]
    attempt: int = 1

    @property
    def several(self) -> bool:
        """Whether there is more than one row in it."""
        return len(self.keys) > 1


@dataclass(slots=True)
class Answered:
    """What came of a job: the answers as JSON, why others failed, and what is to be asked again."""

    usage: ResponseUsage | None = None
    answers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    failed: dict[bytes, str] = field(default_factory=dict[bytes, str])
    again: list[Job] = field(default_factory=list[Job])
    model: str = ""

    def tokens(self, keys: Sequence[bytes]) -> Counter[bytes]:
        """Return how many tokens fall to each of ``keys``; together they are all of them."""
        if not self.usage:
            return Counter()
        total, count = self.usage.total_tokens, len(keys)
        return Counter({key: total // count + (n < total % count) for n, key in enumerate(keys)})


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for rows. ``fields`` are those of every request."""

    session: Session
    form: AnswerForm
    fields: dict[str, Any]
    pace: Pace

    def __call__(self, job: Job) -> Answered:
        """Ask for the rows of ``job``.

        Raises:
            NotAsked: the run stops.

        """
        answered = Answered()
        for held in range(HOLDS + 1):
            try:
                with self.pace.lease():
                    self.pace.turn()
                    response = self._response(job)
                answered.usage, answered.model = response.usage, response.model
                self._read(job, response, answered)
                self.pace.went_well()
            except (UsageLimitReached, BudgetReached) as error:
                self.pace.stop(str(error), error)
                raise NotAsked(str(error)) from error
            except FATAL as error:
                self.pace.stop(str(error), error)
                raise NotAsked(str(error)) from error
            except RateLimitError as error:
                if held < HOLDS:
                    self.pace.hold(error.retry_after)
                    continue
                self._failed(job, error, answered)
            except NotAsked:
                raise
            except CodexError as error:
                self._failed(job, error, answered)
            break
        return answered

    def _response(self, job: Job) -> Response:
        text: dict[str, Any] = {**(self.fields["text"] or {}), "format": self.form.asked(len(job.texts))}
        fields: dict[str, Any] = self.fields | {
            "input": self.form.together(job.texts) if job.several else job.texts[0],
            "text": {name: value for name, value in text.items() if value} or None,
        }
        stream: ResponseStream = self.session.responses.stream(**fields)
        with stream:
            for _ in stream:
                if self.pace.halted.is_set():
                    raise NotAsked(self.pace.stopped or "")
        return stream.response

    def _read(self, job: Job, response: Response, answered: Answered) -> None:
        """Sort the rows of ``job`` into those that are answered, and the others."""
        message = answer_of(response)
        text = message.text if message else ""
        if job.several:
            ones = self.form.bare_ones(text, len(job.keys)) if response.status == "completed" else {}
            answered.answers = {job.keys[place]: content for place, content in ones.items()}
            self._ask_alone(job, answered)
        elif refusal := response.refusal:
            answered.failed = {job.keys[0]: f"The model refused: {refusal[:SHOWN]}"}
        elif response.status != "completed":
            why = response.incomplete_details.reason if response.incomplete_details else None
            answered.failed = {job.keys[0]: f"The answer is {response.status}{f' ({why})' if why else ''}."}
        else:
            answered.answers = {job.keys[0]: self._bare(text)}

    def _bare(self, text: str) -> bytes:
        try:
            return self.form.bare(text)
        except CodexError:
            raise
        except Exception as error:  # a validator of the user's
            raise InvalidAnswer(f"The check of the answer failed with {type(error).__name__}.") from error

    def _failed(self, job: Job, error: CodexError, answered: Answered) -> None:
        """Ask once more where that may help, alone."""
        answered.usage = answered.usage or getattr(getattr(error, "response", None), "usage", None)
        if isinstance(error, ITS_OWN):
            self.pace.went_well()
        else:
            self.pace.went_wrong(error)
        if job.several:
            self._ask_alone(job, answered)
        elif job.attempt < ATTEMPTS and not isinstance(error, ContextWindowExceeded):
            answered.again = [Job(job.keys, job.texts, job.attempt + 1)]
        else:
            answered.failed = {job.keys[0]: str(error)}

    @staticmethod
    def _ask_alone(job: Job, answered: Answered) -> None:
        pairs = zip(job.keys, job.texts, strict=True)
        answered.again = [Job((key,), (text,)) for key, text in pairs if key not in answered.answers]
