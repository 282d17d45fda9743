"""A shell's questions: asked with the conversation they belong to, shown, kept, and asked again."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from codex_nb.chat.ask import Ask
from codex_nb.chat.views import view_of
from codex_nb.client.default import session as shared_session
from codex_nb.client.tape import taped
from codex_nb.errors import CodexError, ContextWindowExceeded, InvalidOption
from codex_nb.notebook.chats import conversations, notebook_of
from codex_nb.notebook.front import offer_code, painter_for, show_once
from codex_nb.notebook.live import Painter, Silent
from codex_nb.notebook.options import defaults, variable
from codex_nb.notebook.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.chat.answer import Answer
    from codex_nb.chat.dry_run import DryRun
    from codex_nb.client.tape import Tape

__all__ = ["LAST", "perform", "retry", "tape_of"]

LAST = "_codex"


@dataclass(frozen=True, slots=True)
class Asked:
    """The last question of a shell, without its history, and how its answer was shown."""

    question: Ask
    place: Any
    out: str | None
    cache: str | None
    quiet: bool
    stream: bool


_asked: WeakKeyDictionary[Any, Asked] = WeakKeyDictionary()


def perform(
    question: Ask,
    shell: Any,
    *,
    out: str | None,
    quiet: bool,
    stream: bool,
    chat: dict[str, Any],
    dry: bool,
    cache: str | None,
) -> Answer | DryRun:
    """Ask, in the conversation that ``chat`` names where there is a ``shell``; or only say what would be asked."""
    record: Callable[[Answer], Answer] = lambda answer: answer  # noqa: E731 - outside of IPython nothing goes on
    if shell is not None:
        here, plain = conversations(shell), question
        question, record = here.join(question, **chat)
        if not dry:
            _asked[shell] = Asked(plain, here.latest, out, cache, quiet=quiet, stream=stream)
    if dry:
        tape_of(question, shell, cache)  # a mistake in the option is told although nothing is asked
        return _dry(question, shell, out)
    return _show(question, shell, record, out=out, quiet=quiet, stream=stream, cache=cache)


def retry(shell: Any, **changes: Any) -> None:
    """Ask the last question again, with ``changes`` of its options; its answer takes the place of the earlier one.

    Raises:
        InvalidOption: nothing was asked yet in this kernel.

    """
    last = _asked.get(shell)
    if last is None:
        raise InvalidOption("Nothing was asked yet in this kernel.", hint="Ask with %%codex.")
    out = variable(changes.pop("out", None)) or last.out
    options = _fields(last.question) | {name: value for name, value in changes.items() if value}
    if changes.get("model") and not changes.get("effort"):  # one that the new model's name brings along comes first
        options["usual_effort"] = options.pop("effort")
    question = Ask.of(**options)
    _asked[shell] = replace(last, question=question, out=out)
    question, record = conversations(shell).join_at(last.place, question)
    _show(question, shell, record, out=out, quiet=last.quiet, stream=last.stream, cache=last.cache)


def _fields(question: Ask) -> dict[str, Any]:
    return {each.name: getattr(question, each.name) for each in fields(question)}


def _show(
    question: Ask,
    shell: Any,
    record: Callable[[Answer], Answer],
    *,
    out: str | None,
    quiet: bool,
    stream: bool,
    cache: str | None,
) -> Answer:
    def keep(answer: Answer) -> Answer:
        answer = record(answer)
        if shell is not None:
            shell.user_ns[LAST] = answer
            if out:
                shell.user_ns[out] = answer
        return answer

    shows = shell is not None and not quiet
    view = view_of(question.format, question.schema)
    thoughts = question.summary not in {None, "none"}
    paint: Callable[[str], Painter] = painter_for(shell, view, thoughts=thoughts) if shows else lambda _model: Silent()
    detail = defaults(shell).get("receipt", "short")
    with taped(tape_of(question, shell, cache)):
        answer = _fitting(
            question,
            shell,
            cache,
            lambda fitted: run(fitted, shared_session(), paint, stream=stream, keep=keep, detail=detail),
        )
    if shell is not None and not quiet:
        show_once(shell, answer)
    if shell is not None and question.format == "code" and answer.status == "completed":
        offer_code(shell, answer.text)
    return answer


def _fitting(question: Ask, shell: Any, cache: str | None, perform: Callable[[Ask], Answer]) -> Answer:
    """Ask with a history that fits the model: made short before, where the limit nears, and once more if it was hit.

    Where the service cannot make it short, the question goes as it is.
    """
    last = _asked.get(shell) if shell is not None else None
    if last is None or not question.turns_sent or last.place.turns is not None or tape_of(question, shell, cache):
        return perform(question)
    here = conversations(shell)

    def shorter() -> Ask:
        here.compact(last.place, question, shared_session())
        return here.join_at(last.place, question)[0]

    from codex_nb.notebook.compacting import near_limit

    if near_limit(question, last.place.after, shared_session()):
        try:
            question = shorter()
        except CodexError as error:
            warnings.warn(f"The conversation could not be made short: {error.message}", stacklevel=2)
    try:
        return perform(question)
    except ContextWindowExceeded as error:
        if last.place.compacted:
            raise
        try:
            question = shorter()
        except CodexError:
            raise error from None
    return perform(question)


def tape_of(question: Ask, shell: Any, option: str | None) -> Tape | None:
    """Return what records and replays the answers of this question's cell; None where nothing does.

    ``option`` is record, replay or off; without it ``CODEX_NB_CACHE`` says it.
    """
    from codex_nb.chat.cache import cache_of

    notebook = notebook_of(shell) if shell is not None else None
    cache = cache_of(option, os.environ.get("CODEX_NB_CACHE"), notebook)
    return cache.of_cell(question.cell) if cache else None


def _dry(question: Ask, shell: Any, out: str | None) -> DryRun:
    from codex_nb.chat.dry_run import dry_run

    found = dry_run(question, shared_session())
    if shell is not None and out:
        shell.user_ns[out] = found
    return found
