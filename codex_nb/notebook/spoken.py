"""A question that was spoken: asked in the default chat, the answer below the recorder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from codex_nb.chat.ask import Ask
from codex_nb.client.default import session
from codex_nb.notebook.chats import conversations
from codex_nb.notebook.exchange import LAST
from codex_nb.notebook.live import interval, rest_of
from codex_nb.notebook.options import defaults
from codex_nb.notebook.output import NOTHING, Output
from codex_nb.notebook.run import run
from codex_nb.safe_markdown import safe_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from codex_nb.chat.answer import Answer

__all__ = ["Below", "ask_below"]


class Below:
    """Two outputs of a cell, empty at first: a page shows nothing new of a cell that is over, but takes updates."""

    def __init__(self) -> None:
        self._answer, self._line = Output(), Output()
        for output in (self._answer, self._line):
            output.show(NOTHING)

    def __enter__(self) -> Self:
        self._parts: list[str] = []
        self._receipt: Mapping[str, str] = {}
        self._next = 0.0
        self._answer.show({"text/markdown": "*Waiting for the answer …*", "text/plain": ""})
        self._line.show(NOTHING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        text = "".join(self._parts)
        self._answer.show({"text/markdown": safe_markdown(text), "text/plain": text} if text else NOTHING)
        self._line.show(self._receipt or NOTHING)

    def add(self, delta: str) -> None:
        """Take a few more characters."""
        self._parts.append(delta)
        if time.monotonic() >= self._next:
            text = "".join(self._parts)
            shown = {"text/markdown": safe_markdown(text)}
            self._answer.show({**shown, "text/plain": text})
            self._next = time.monotonic() + interval(shown)

    def catch_up(self, text: str) -> None:
        """Take the end of ``text`` that an interrupt kept from being added."""
        if rest := rest_of("".join(self._parts), text):
            self.add(rest)

    def think(self, delta: str) -> None:
        """Let it pass."""

    def wait_for(self, what: str) -> None:
        """Let it pass: here are no tools."""

    def end(self, below: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 - the painters' form
        """Take what stands below the answer."""
        self._receipt = below


def ask_below(shell: Any, text: str, below: Below) -> Answer:
    """Ask with ``text`` as ``%%codex`` would, and show the answer in ``below``.

    Raises:
        CodexError: what went wrong; text that had come is shown and kept.

    """
    usual = defaults(shell)
    question = Ask.of(
        text,
        model=usual.get("model"),
        usual_effort=usual.get("effort"),
        verbosity=usual.get("verbosity"),
        tier=usual.get("tier"),
    )
    question, record = conversations(shell).join(question, chat=usual.get("chat"))

    def keep(answer: Answer) -> Answer:
        shell.user_ns[LAST] = answer = record(answer)
        return answer

    return run(question, session(), lambda _model: below, stream=True, keep=keep, detail=usual.get("receipt", "short"))
