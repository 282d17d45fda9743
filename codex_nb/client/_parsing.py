"""Reading a finished response as what it was asked to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from codex_nb.errors import InvalidAnswer, ToolError
from codex_nb.types.parsed import ParsedResponse
from codex_nb.types.responses import CustomToolCall, FunctionToolCall, OutputMessage, OutputText, Response

if TYPE_CHECKING:
    from codex_nb.client._formats import Format
    from codex_nb.client._tools import ToolReaders

__all__ = ["answer_of", "parsed"]

T = TypeVar("T")

# A message of one of these phases is the answer; others are said on the way.
ANSWERS = frozenset({None, "final_answer"})


def parsed(response: Response, form: Format[T] | None, readers: ToolReaders) -> ParsedResponse[T]:
    """Return ``response`` with its text and the arguments of its calls read.

    Raises:
        InvalidAnswer: it is complete, and its text is not what ``form`` wants.
        ToolError: it calls a tool with arguments that do not validate.

    """
    whole = cast("type[ParsedResponse[T]]", ParsedResponse).model_construct(response.model_fields_set, **dict(response))
    if whole.status != "completed":
        return whole
    try:
        for item in whole.output:
            if isinstance(item, FunctionToolCall):
                item._parsed = readers.read(item.name, item.arguments, item.namespace)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        if form and not whole.refusal:
            _read_text(whole, form)
    except ToolError as error:
        error.response = whole
        raise
    except InvalidAnswer as error:
        error.response, error.partial = whole, whole.output_text
        raise
    return whole


def answer_of(response: Response) -> OutputMessage | None:
    """Return the last message that is an answer, and not said on the way."""
    answers = [item for item in response.output if isinstance(item, OutputMessage) and item.phase in ANSWERS]
    return answers[-1] if answers else None


def _read_text(whole: ParsedResponse[Any], form: Format[Any]) -> None:
    """Read the answer; without one the model must have called a tool."""
    answer = answer_of(whole)
    if answer:
        value = form.read(answer.text)
        whole._parsed = value  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        for part in answer.content:
            if isinstance(part, OutputText):
                part._parsed = value  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    elif not any(isinstance(item, FunctionToolCall | CustomToolCall) for item in whole.output):
        raise InvalidAnswer(
            f"The answer holds no text, but {form.name} was asked for.",
            hint="The response is in .response. Try again.",
            code="no_text",
        )
