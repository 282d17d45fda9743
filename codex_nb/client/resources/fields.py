"""What a request to the model may say, and what it may not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypedDict, TypeVar

from codex_nb.client._faces import shown_signature
from codex_nb.client._tools import Tool  # noqa: TC001 - spelt out at run time
from codex_nb.wire.request import REFUSED

__all__ = ["Fields", "Input", "Refused", "spelt_out"]

C = TypeVar("C", bound=Callable[..., Any])

# A text, or items: dicts, texts, and items of earlier answers.
Input: TypeAlias = str | Iterable[Any]


class Refused(TypedDict, total=False):
    """What openai-python takes and the Codex backend refuses: named here to be refused with a reason."""

    temperature: object
    top_p: object
    presence_penalty: object
    frequency_penalty: object
    top_logprobs: object
    max_output_tokens: object
    max_tool_calls: object
    metadata: object
    user: object
    safety_identifier: object
    truncation: object
    previous_response_id: object
    conversation: object
    background: object
    prompt: object
    prompt_cache_retention: object
    stream_options: object
    store: object


class Fields(Refused, total=False):
    """What a request says besides its model and input."""

    instructions: str | None
    tools: Iterable[Tool] | None
    tool_choice: str | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    reasoning: Mapping[str, Any] | None
    text: Mapping[str, Any] | None
    include: list[str] | None
    service_tier: str | None
    prompt_cache_key: str | None
    extra_body: Mapping[str, Any] | None
    timeout: float | None


def spelt_out(method: C) -> C:
    """Show every field in the method's signature, for Shift-Tab and completion."""
    method.__signature__ = shown_signature(method, [name for name in Fields.__annotations__ if name not in REFUSED])  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return method
