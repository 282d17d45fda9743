"""One question: the prompt and its options, and the request that they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from codex_nb.chat.formats import FORMATS, HINTS
from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from codex_nb.chat.files import Attachment
    from codex_nb.chat.schema import OutputSchema
    from codex_nb.client._stream import ResponseStream
    from codex_nb.client.preview import Preview
    from codex_nb.client.session import Session
    from codex_nb.tools.toolbox import Toolbox

__all__ = ["EFFORT", "SUMMARIES", "Ask"]

SUMMARIES = ("auto", "concise", "detailed", "none")

# Efforts are words or numbers; new words appear with new models, so they are not listed here.
EFFORT = re.compile(r"[a-z]+|\d+(?:\.\d+)?")

EXAMPLES = {"model": "gpt-5.4", "effort": "high"}


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt with the options of ``%%codex``. ``model`` may name the effort too: ``gpt-5.4/high``.

    ``summary`` says how much of its thoughts the model shall sum up, ``timeout`` is in seconds of silence.
    ``context`` are the parts of the message that stand before the prompt, ``files`` go along with it.
    ``history`` are the items of ``turns_sent`` earlier turns, sent before the prompt. ``cell`` names the cell that
    asks, where it has a name.
    """

    prompt: str
    model: str | None = None
    effort: str | None = None
    instructions: str | None = None
    verbosity: str | None = None
    tier: str | None = None
    web: bool = False
    schema: OutputSchema | None = None
    tools: Toolbox | None = None
    summary: str | None = None
    timeout: float | None = None
    format: str = "markdown"
    context: tuple[Any, ...] = ()
    files: tuple[Attachment, ...] = ()
    history: tuple[Any, ...] = ()
    turns_sent: int = 0
    cell: str | None = None

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise InvalidOption("There is nothing to ask.", hint="Write a prompt; %%codex has it below its line.")
        if self.effort is not None and not EFFORT.fullmatch(self.effort):
            raise InvalidOption(f"{self.effort!r} is no effort.", hint="Efforts are words such as low, medium, high.")
        if self.summary is not None and self.summary not in SUMMARIES:
            raise InvalidOption(f"{self.summary!r} is no kind of summary.", hint=f"It is {', '.join(SUMMARIES)}.")

        if self.format not in FORMATS:
            raise InvalidOption(f"{self.format!r} is no format.", hint=f"Formats are {', '.join(FORMATS)}.")
        if self.schema is not None and self.format in {"html", "code"}:
            raise InvalidOption(
                f"-s makes the answer JSON, which -f {self.format} cannot show.", hint="Leave one of the two out."
            )

    @classmethod
    def of(
        cls,
        prompt: str,
        *,
        model: str | None = None,
        effort: str | None = None,
        usual_effort: str | None = None,
        **options: Any,
    ) -> Ask:
        """Return the question; ``gpt-5.4/high`` is taken apart, an effort named by itself wins, the usual one loses.

        A model id may hold a slash itself (``org/model``), so what follows the last one counts as an effort only when
        it reads like one.
        """
        said: dict[str, Any] = {"model": model, "effort": effort}
        for option, value in said.items():
            if not isinstance(value, str | None):
                raise InvalidOption(
                    f"{option} is of type {type(value).__name__}, and no text.",
                    hint=f"Example: {option}={EXAMPLES[option]!r}.",
                )
        name, slash, suffix = (model or "").rpartition("/")
        if slash and suffix in EFFORT_WORDS:
            return cls(prompt, name, effort or suffix, **options)
        effort = effort or usual_effort or None
        return cls(prompt, model or None, effort, **options)

    def stream(self, session: Session, so_far: Sequence[Any] = ()) -> ResponseStream:
        """Return the answer of ``session``, not yet opened. ``so_far`` are the items of earlier rounds of calls."""
        return session.responses.stream(**self.request(so_far))

    def preview(self, session: Session) -> Preview:
        """Return what `stream` would send to ``session``."""
        return session.responses.preview(**self.request())

    def request(self, so_far: Sequence[Any] = ()) -> dict[str, Any]:
        """Return the arguments of ``session.responses`` that this question makes."""
        searching = [{"type": "web_search"}] if self.web else []
        return {
            "model": self.model,
            "input": [*self.history, *self._hints(), *self.input, *so_far],
            "instructions": self.instructions,
            "reasoning": self._reasoning(),
            "text": self._text(),
            "service_tier": self.tier,
            "tools": [*searching, *(self.tools.definitions() if self.tools else [])],
            "text_format": self.schema.wanted if self.schema else None,
            "timeout": self.timeout,
        }

    @property
    def input(self) -> list[Any]:
        """The items that this question adds to its conversation."""
        files = [part for file in self.files for part in file.parts()]
        prompt = {"type": "input_text", "text": self.prompt}
        return [{"type": "message", "role": "user", "content": [*self.context, *files, prompt]}]

    def uploaded(self, session: Session) -> Ask:
        """Return the question with its files uploaded.

        Raises:
            FileError: one has changed since, or the service cannot take it.
            UnsupportedByBackend: the backend keeps no files.

        """
        return replace(self, files=tuple(file.uploaded(session) for file in self.files)) if self.files else self

    def _hints(self) -> list[Any]:
        """Say which form is wanted, where the service has no word for it; it is no part of the conversation."""
        hint = None if self.schema else HINTS.get(self.format)
        return (
            [{"type": "message", "role": "developer", "content": [{"type": "input_text", "text": hint}]}]
            if hint
            else []
        )

    def _text(self) -> dict[str, Any] | None:
        form = {"type": "json_object"} if self.format == "json" and self.schema is None else None
        return {name: value for name, value in (("verbosity", self.verbosity), ("format", form)) if value} or None

    def _reasoning(self) -> dict[str, Any] | None:
        effort: Any = self.effort
        if self.effort and self.effort[0].isdigit():
            effort = float(self.effort)
        elif self.effort == "ultra":  # the catalogue's deepest level: "max", worked on by several agents elsewhere
            effort = "max"
        summary = None if self.summary == "none" else self.summary
        return {name: value for name, value in (("effort", effort), ("summary", summary)) if value} or None


EFFORT_WORDS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"})
