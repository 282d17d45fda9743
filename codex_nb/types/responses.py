"""A response of the model: items, usage, status. Names and shapes as openai-python's, as far as they go."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PrivateAttr, Tag

from codex_nb.types._base import Shape

__all__ = [
    "CompactedResponse",
    "Compaction",
    "CustomToolCall",
    "FunctionToolCall",
    "IncompleteDetails",
    "InputTokensDetails",
    "OutputItem",
    "OutputMessage",
    "OutputRefusal",
    "OutputText",
    "OutputTokensDetails",
    "ReasoningItem",
    "Response",
    "ResponseError",
    "ResponseUsage",
    "UnknownItem",
    "WebSearchCall",
]


class OutputText(Shape):
    """A piece of a message's text."""

    type: Literal["output_text"] = "output_text"
    text: str = ""
    annotations: list[Any] = Field(default_factory=list[Any])
    _parsed: Any = PrivateAttr(default=None)

    @property
    def parsed(self) -> Any:
        """The text as what ``responses.parse`` was asked for; None elsewhere."""
        return self._parsed


class OutputRefusal(Shape):
    """The model's refusal, in its own words."""

    type: Literal["refusal"] = "refusal"
    refusal: str = ""


class UnknownItem(Shape):
    """A part or an item of a type that is not known here; all its fields are kept."""

    type: str = ""


def _kind(value: Any, known: frozenset[str]) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return kind if isinstance(kind, str) and kind in known else "unknown"


PARTS = frozenset({"output_text", "refusal"})
Part = Annotated[
    Annotated[OutputText, Tag("output_text")]
    | Annotated[OutputRefusal, Tag("refusal")]
    | Annotated[UnknownItem, Tag("unknown")],
    Discriminator(lambda value: _kind(value, PARTS)),
]


class OutputMessage(Shape):
    """A message of the model. ``phase`` is ``commentary`` or ``final_answer`` where the service says."""

    type: Literal["message"] = "message"
    id: str | None = None
    role: str = "assistant"
    status: str | None = None
    phase: str | None = None
    content: list[Part] = Field(default_factory=list[Any])

    @property
    def text(self) -> str:
        """The message's text, all parts joined."""
        return "".join(part.text for part in self.content if isinstance(part, OutputText))


class ReasoningItem(Shape):
    """What the model thought: a summary to read, and an encrypted form to send back."""

    type: Literal["reasoning"] = "reasoning"
    id: str | None = None
    summary: list[Any] = Field(default_factory=list[Any])
    encrypted_content: str | None = None


class FunctionToolCall(Shape):
    """The model calls a function. ``arguments`` is JSON text, not yet validated."""

    type: Literal["function_call"] = "function_call"
    id: str | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    status: str | None = None
    namespace: str | None = None
    _parsed: Any = PrivateAttr(default=None)

    @property
    def parsed_arguments(self) -> Any:
        """The arguments as the tool's model, or as JSON, where ``responses.parse`` read them; None elsewhere."""
        return self._parsed


class CustomToolCall(Shape):
    """The model calls a custom tool. ``input`` is free text."""

    type: Literal["custom_tool_call"] = "custom_tool_call"
    id: str | None = None
    call_id: str = ""
    name: str = ""
    input: str = ""
    status: str | None = None


class WebSearchCall(Shape):
    """The service searched the web."""

    type: Literal["web_search_call"] = "web_search_call"
    id: str | None = None
    status: str | None = None
    action: Any = None


class Compaction(Shape):
    """A conversation made short: opaque, to be sent back in place of its beginning."""

    type: Literal["compaction", "compaction_summary"] = "compaction"
    id: str | None = None
    encrypted_content: str = ""


ITEMS = frozenset(
    {"message", "reasoning", "function_call", "custom_tool_call", "web_search_call", "compaction", "compaction_summary"}
)


def _item_kind(value: Any) -> str:
    kind = _kind(value, ITEMS)
    return "compaction" if kind == "compaction_summary" else kind


OutputItem = Annotated[
    Annotated[OutputMessage, Tag("message")]
    | Annotated[ReasoningItem, Tag("reasoning")]
    | Annotated[FunctionToolCall, Tag("function_call")]
    | Annotated[CustomToolCall, Tag("custom_tool_call")]
    | Annotated[WebSearchCall, Tag("web_search_call")]
    | Annotated[Compaction, Tag("compaction")]
    | Annotated[UnknownItem, Tag("unknown")],
    Discriminator(_item_kind),
]


class InputTokensDetails(Shape):
    """``cached_tokens``: the part of the input that the prompt cache had."""

    cached_tokens: int = 0


class OutputTokensDetails(Shape):
    """``reasoning_tokens``: the part of the output that was thought, not said."""

    reasoning_tokens: int = 0


class ResponseUsage(Shape):
    """Tokens of one response."""

    input_tokens: int = 0
    input_tokens_details: InputTokensDetails = Field(default_factory=InputTokensDetails)
    output_tokens: int = 0
    output_tokens_details: OutputTokensDetails = Field(default_factory=OutputTokensDetails)
    total_tokens: int = 0

    def __add__(self, other: ResponseUsage) -> ResponseUsage:
        """Return the tokens of both."""
        cached = self.input_tokens_details.cached_tokens + other.input_tokens_details.cached_tokens
        reasoning = self.output_tokens_details.reasoning_tokens + other.output_tokens_details.reasoning_tokens
        return ResponseUsage(
            input_tokens=self.input_tokens + other.input_tokens,
            input_tokens_details=InputTokensDetails(cached_tokens=cached),
            output_tokens=self.output_tokens + other.output_tokens,
            output_tokens_details=OutputTokensDetails(reasoning_tokens=reasoning),
            total_tokens=self.total_tokens + other.total_tokens,
        )


class ResponseError(Shape):
    """Why a response failed."""

    code: str | None = None
    message: str | None = None


class IncompleteDetails(Shape):
    """Why a response is incomplete: ``max_output_tokens`` or ``content_filter``."""

    reason: str | None = None


class Response(Shape):
    """One response, whole or as far as it came.

    ``status`` is ``completed``, ``incomplete``, ``failed`` or ``in_progress``. ``served_model`` is the model that the
    service says answered, which may differ from ``model``; ``local_engine`` names the engine of an embedded backend
    that answered in its place.
    """

    id: str = ""
    object: str = "response"
    model: str = ""
    served_model: str | None = None
    local_engine: str | None = None
    status: str = "in_progress"
    created_at: float | None = None
    output: list[OutputItem] = Field(default_factory=list[Any])
    usage: ResponseUsage | None = None
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None

    @property
    def output_text(self) -> str:
        """The text of all messages, joined."""
        return "".join(item.text for item in self.output if isinstance(item, OutputMessage))

    @property
    def refusal(self) -> str:
        """The model's refusal, in its own words; empty where it did not refuse."""
        messages = [item for item in self.output if isinstance(item, OutputMessage)]
        return "".join(part.refusal for m in messages for part in m.content if isinstance(part, OutputRefusal))


class CompactedResponse(Shape):
    """A conversation made short. ``output`` takes the place of its items: ``input=[*compacted.output, "and now?"]``.

    It holds what was said to the model, and one `Compaction` for everything else.
    """

    id: str = ""
    object: str = "response.compaction"
    model: str = ""
    created_at: float | None = None
    output: list[OutputItem] = Field(default_factory=list[Any])
    usage: ResponseUsage | None = None
