"""One question from a notebook, from asking to the last painting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from codex_nb.chat.answer import Answer
from codex_nb.errors import CodexError, Stopped
from codex_nb.notebook.receipt import receipt
from codex_nb.types.events import TextDeltaEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.chat.ask import Ask
    from codex_nb.client._stream import ResponseStream
    from codex_nb.client.session import Session
    from codex_nb.notebook.live import Painter

__all__ = ["run"]


def run(
    ask: Ask, session: Session, paint: Callable[[str], Painter], *, stream: bool, keep: Callable[[Answer], Answer]
) -> Answer:
    """Ask, show the answer while it comes, and hand it to ``keep``, also when it broke off.

    ``keep`` returns the answer with what it adds to it.
    ``paint`` makes the painter for a model's name. Without ``stream`` the text is shown once, when it is whole.

    Raises:
        Stopped: the user interrupted; the text so far was shown and kept.
        CodexError: what went wrong; text that had come was shown and kept.

    """
    began = time.monotonic()
    try:
        return _run(ask, session, paint, began, stream=stream, keep=keep)
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
) -> Answer:
    coming = ask.stream(session)
    status, parsed = "failed", None
    with paint(ask.model or session.model or "the model") as painter:
        try:
            with coming:
                _show(coming, painter if stream else None)
            status = coming.response.status
            parsed = getattr(coming.final(), "output_parsed", None)
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            answer = _answer(ask, coming, status, time.monotonic() - began, parsed)
            if answer.text or answer.refusal or status != "failed":
                answer = keep(answer)
                if not stream:
                    painter.add(answer.text or answer.refusal)
                painter.end(receipt(answer))
    return answer


def _show(coming: ResponseStream, painter: Painter | None) -> None:
    for event in coming:
        if painter and (type(event) is TextDeltaEvent or event.type == "response.refusal.delta"):
            painter.add(event.delta)


def _answer(ask: Ask, coming: ResponseStream, status: str, seconds: float, parsed: Any) -> Answer:
    """Return the answer as far as it came; what cannot be put together is left out, the text never is."""
    try:
        response = coming.response if coming.opened else None
    except CodexError:
        response = None
    model = (response.model if response else "") or ask.model or ""
    return Answer(
        coming.text,
        status,
        model,
        seconds,
        ask.prompt,
        ask.effort,
        response,
        schema=ask.schema,
        parsed=parsed,
        turns_sent=ask.turns_sent,
    )
