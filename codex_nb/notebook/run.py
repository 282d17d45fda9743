"""One question from a notebook, from asking to the last painting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from codex_nb.chat.answer import Answer
from codex_nb.chat.quota import quota_use
from codex_nb.chat.views import json_of
from codex_nb.errors import CodexError, Stopped, ToolError
from codex_nb.notebook.below import below
from codex_nb.notebook.receipt import receipt
from codex_nb.tools.toolbox import MOST_ROUNDS
from codex_nb.types.events import TextDeltaEvent
from codex_nb.types.responses import FunctionToolCall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from codex_nb.chat.ask import Ask
    from codex_nb.client._stream import ResponseStream
    from codex_nb.client.session import Session
    from codex_nb.notebook.live import Painter
    from codex_nb.tools.toolbox import Toolbox, ToolCall
    from codex_nb.types.responses import Response
    from codex_nb.wire.headers import QuotaWindow

__all__ = ["run"]

THE_MODEL = "the model"
# Events of the summary of the model's thoughts -> what they add to it, if that is not their delta.
SUMMARY = {"response.reasoning_summary_part.added": "\n\n", "response.reasoning_summary_text.delta": ""}


def run(
    ask: Ask,
    session: Session,
    paint: Callable[[str], Painter],
    *,
    stream: bool,
    keep: Callable[[Answer], Answer],
    detail: str = "short",
) -> Answer:
    """Ask, show the answer while it comes, and hand it to ``keep``, also when it broke off.

    ``keep`` returns the answer with what it adds to it.
    ``paint`` makes the painter for a model's name. Without ``stream`` the text is shown once, when it is whole.
    ``detail`` says how much the receipt tells: ``full``, ``short`` or ``off``.

    Raises:
        Stopped: the user interrupted; the text so far was shown and kept.
        CodexError: what went wrong; text that had come was shown and kept.

    """
    began = time.monotonic()
    try:
        return _run(ask, session, paint, began, stream=stream, keep=keep, detail=detail)
    except KeyboardInterrupt:
        seconds = time.monotonic() - began
        raise Stopped(f"Stopped after {seconds:.1f} s. The text so far is kept in _codex.") from None


def _run(
    ask: Ask,
    session: Session,
    paint: Callable[[str], Painter],
    began: float,
    *,
    stream: bool,
    keep: Callable[[Answer], Answer],
    detail: str,
) -> Answer:
    exchange = _Exchange(ask)
    with paint(ask.model or session.model or THE_MODEL) as painter:
        try:
            exchange.run(session, painter if stream else None)
        except KeyboardInterrupt:
            exchange.status = "interrupted"
            raise
        finally:
            answer = exchange.answer(time.monotonic() - began)
            if answer.text or answer.refusal or answer.tool_calls or answer.status != "failed":
                answer = keep(answer)
                if not stream:
                    painter.think(answer.summary)
                # An interrupt may land between taking a few characters and showing them.
                painter.catch_up(answer.text or answer.refusal)
                painter.end(below(receipt(answer, detail), answer), answer.metadata)
    return answer


class _Exchange:
    """One question, its answer, and the calls of tools in between, each round of which is a request of its own."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.status = "failed"
        self._coming: ResponseStream | None = None
        self._rounds: list[Response] = []
        self._texts: list[str] = []
        self._items: list[Any] = []
        self._calls: list[ToolCall] = []
        self._thoughts: list[str] = []
        self._parsed: Any = None
        self._digest = ""
        self._replayed: list[float] = []
        self._quota: tuple[Sequence[QuotaWindow], Sequence[QuotaWindow]] = ((), ())

    def run(self, session: Session, painter: Painter | None) -> None:
        """Ask, and go on with the results of calls until there are none."""
        before = session.quota
        self.ask = self.ask.uploaded(session)
        while True:
            self._coming = self.ask.stream(session, self._items)
            with self._coming as coming:
                # Headers come before the answer's tokens are counted, so the first ones ever are a "before" too.
                before = before or session.quota
                self._quota = (before, session.quota)
                self._show(coming, painter)
                self._quota = (before, session.quota)
                response = coming.response
                self.status = response.status
                if coming.replayed is not None:
                    self._replayed.append(coming.replayed)
                self._digest = self._digest or coming.request_digest
                self._parsed = self._read(coming.final())
            calls = [item for item in response.output if isinstance(item, FunctionToolCall)]
            if not calls or not self.ask.tools or self.status != "completed":
                return
            self.status = "failed"
            if len(self._rounds) == MOST_ROUNDS:
                raise ToolError(
                    f"The model called tools in {MOST_ROUNDS} rounds and did not come to an answer.",
                    hint="Ask for less at once, or say in the instructions when to stop.",
                    tool=calls[0].name,
                )
            self._take_round(response, calls, painter)
            if painter:
                painter.wait_for(self.ask.model or session.model or THE_MODEL)

    def _read(self, response: Response) -> Any:
        """Return the answer as what was asked for; None where that is text."""
        if self.ask.format != "json" or self.ask.schema:
            return getattr(response, "output_parsed", None)
        calls = any(isinstance(item, FunctionToolCall) for item in response.output)
        whole = response.status == "completed" and not response.refusal and not calls
        return json_of(response.output_text) if whole else None

    def _show(self, coming: ResponseStream, painter: Painter | None) -> None:
        begun, apart = False, "\n\n" if self._texts else ""
        for event in coming:
            if event.type in SUMMARY:
                thought = SUMMARY[event.type] or event.delta
                self._thoughts.append(thought)
                if painter:
                    painter.think(thought)
            elif painter and (type(event) is TextDeltaEvent or event.type == "response.refusal.delta"):
                painter.add(event.delta if begun else apart + event.delta)
                begun = True
        if painter and not begun and (whole := coming.text or coming.response.refusal):
            painter.add(apart + whole)  # of a server that sends messages whole

    def _take_round(self, response: Response, calls: list[FunctionToolCall], painter: Painter | None) -> None:
        self._rounds.append(response)
        self._coming = None
        if response.output_text:
            self._texts.append(response.output_text)
        self._items += [item.raw for item in response.output]
        for call in calls:
            if painter:
                painter.wait_for(f"{call.name}()")
            record, told = cast("Toolbox", self.ask.tools).answer(call)
            self._calls.append(record)
            self._items.append(told)

    def answer(self, seconds: float) -> Answer:
        """Return the answer as far as it came; what cannot be put together is left out, the text never is."""
        ask, coming = self.ask, self._coming
        try:
            response = coming.response if coming and coming.opened else None
        except CodexError:
            response = None
        model = (response.model if response else "") or ask.model or ""
        seconds, replayed = (sum(self._replayed), True) if self._replayed else (seconds, False)
        text = "\n\n".join([*self._texts, *([coming.text] if coming and coming.text else [])])
        return Answer(
            text,
            self.status,
            model,
            seconds,
            ask.prompt,
            ask.effort,
            response,
            schema=ask.schema,
            parsed=self._parsed,
            tool_calls=tuple(self._calls),
            rounds=tuple(self._rounds),
            items=(*self._items, *([item.raw for item in response.output] if response else [])),
            input=tuple(ask.input),
            turns_sent=ask.turns_sent,
            quota=() if replayed else quota_use(*self._quota, time.time()),
            replayed=replayed,
            summary="".join(self._thoughts).strip(),
            format=ask.format,
            request=self._digest or (coming.request_digest if coming else ""),
        )
