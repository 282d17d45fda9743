"""An answer as an object: its text, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codex_nb.chat.fences import joined
from codex_nb.chat.sources import searches_of, sources_of
from codex_nb.chat.views import view_of

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.chat.quota import QuotaUse
    from codex_nb.chat.schema import OutputSchema
    from codex_nb.chat.sources import Source
    from codex_nb.types.responses import Response, ResponseUsage

__all__ = ["Answer"]


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """The model's answer. ``str(answer)`` and ``.text`` are the raw text; shown in a notebook it is safe Markdown.

    ``status`` is ``completed``, ``incomplete`` (``reason`` says why), ``interrupted`` (stopped by the user) or
    ``failed`` (the error was raised); ``seconds`` is the time from asking to the end, ``response`` what was assembled.
    ``turns_sent`` counts the earlier turns that the model was given, ``turns_stale`` the later ones that go on from
    what this answer has replaced. ``parsed`` is the answer as its ``schema`` wants it; None where it has none, or broke
    off. ``tool_calls`` are the calls of tools, in order, ``rounds`` the responses that made them, and ``items`` what
    all of it adds to the conversation, behind the ``input`` that asked. ``quota`` are the quota's windows, the most
    used first. ``summary`` is what the model told of its thoughts. ``format`` is the one it was asked in, ``request``
    the SHA-256 of what was asked: the prompt, its history and all else that decides the answer. ``replayed`` says that
    it was recorded earlier; its ``seconds`` are those of the recording.
    """

    text: str
    status: str
    model: str
    seconds: float
    prompt: str = ""
    effort: str | None = None
    response: Response | None = None
    schema: OutputSchema | None = None
    parsed: Any = None
    tool_calls: tuple[Any, ...] = ()
    rounds: tuple[Response, ...] = ()
    items: tuple[Any, ...] = ()
    input: tuple[Any, ...] = ()
    turns_sent: int = 0
    turns_stale: int = 0
    turns_compacted: int = 0
    quota: tuple[QuotaUse, ...] = ()
    summary: str = ""
    format: str = "markdown"
    request: str = ""
    replayed: bool = False

    @property
    def usage(self) -> ResponseUsage | None:
        """The tokens of this answer, all rounds of tool calls; None where the service did not say (it was stopped)."""
        last = self.response.usage if self.response else None
        return sum((each.usage for each in self.rounds if each.usage), last) if last else None

    @property
    def df(self) -> pd.DataFrame | None:
        """The records of an answer that is a list of them, one row each with the dtypes of its schema; else None."""
        if not self.schema or self.schema.record is None or self.parsed is None:
            return None
        from codex_nb.chat.records import frame_of

        return frame_of(self.schema, self.parsed)

    @property
    def code(self) -> str:
        """The code of the answer: its fenced blocks in the language of the first one, joined; empty without any."""
        return joined(self.text).code

    @property
    def metadata(self) -> dict[str, Any]:
        """What the saved output tells of this answer under ``codex_nb``: no text of it, and nothing of the login."""
        usage = self.usage
        return {
            "codex_nb": {
                "model": self.model,
                "response_ids": [each.id for each in self._responses if each.id],
                "usage": _counts(usage) if usage else None,
                "request": f"sha256:{self.request}" if self.request else None,
                "status": self.status,
            }
        }

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pages of the web that the answer cites, each with its address and title, in order."""
        return sources_of(self._responses)

    @property
    def searches(self) -> tuple[str, ...]:
        """What the service did on the web for this answer, such as ``searched for lisbon population``."""
        return searches_of(self._responses)

    @property
    def _responses(self) -> tuple[Response, ...]:
        return (*self.rounds, *([self.response] if self.response else []))

    @property
    def reason(self) -> str | None:
        """Why the answer is incomplete, such as ``max_output_tokens``."""
        details = self.response.incomplete_details if self.response else None
        return details.reason if details else None

    @property
    def refusal(self) -> str:
        """The model's refusal in its own words; empty where it did not refuse."""
        return self.response.refusal if self.response else ""

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text or self.refusal

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ARG002 - IPython's protocol
        shown = view_of(self.format, self.schema).whole(repr(self))
        return shown.data, {**shown.metadata, **self.metadata}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(repr(self))


def _counts(usage: ResponseUsage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.input_tokens_details.cached_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.output_tokens_details.reasoning_tokens,
    }
