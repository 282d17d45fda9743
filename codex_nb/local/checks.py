"""What the wire refuses before any answer begins, in the service's own words where they are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from codex_nb.local.ask import Ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codex_nb.local.pieces import Json

UNSUPPORTED = (
    "background",
    "context_management",
    "conversation",
    "frequency_penalty",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_retention",
    "safety_identifier",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)
OUTPUTS = {"function_call_output": "function_call", "custom_tool_call_output": "custom_tool_call"}
CALLS = {kind: name for name, kind in OUTPUTS.items()}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status and a JSON body."""

    status: int
    body: Json


def detail(text: str, status: int = 400) -> Refusal:
    """Refuse as the Codex path does: one sentence."""
    return Refusal(status, {"detail": text})


def error(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> Refusal:
    """Refuse as the public API does: an error object."""
    return Refusal(
        status, {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
    )


def read_codex(body: Any, models: Sequence[str]) -> Ask | Refusal:
    """Check a request of the Codex path: it streams, stores nothing and takes lists only."""
    if not isinstance(body, dict):
        return error("The body must be a JSON object.", code="invalid_json")
    fields = cast("Json", body)
    return next(_codex_refusals(fields, models), None) or Ask(fields, codex=True)


def _codex_refusals(body: Json, models: Sequence[str]) -> Iterator[Refusal]:
    if "model" not in body:
        yield error("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    if "input" not in body:
        yield error("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    if not isinstance(body["input"], list):
        yield detail("Input must be a list")
    if body.get("stream") is not True:
        yield detail("Stream must be set to true")
    if body.get("store") is not False:
        yield detail("Store must be set to false")
    yield from (detail(f"Unsupported parameter: {name}") for name in UNSUPPORTED if name in body)
    ask = Ask(body)
    # Recent official clients leave `instructions` out and begin with a developer message; that is accepted too.
    if not ask.instructions and not any(item.get("role") == "developer" for item in ask.items):
        yield detail("Instructions are required")
    if body.get("tools") and "tool_choice" not in body:
        yield detail("Tool choice is required when tools are given")
    if any(item.get("role") == "system" for item in ask.items):
        yield detail("System messages are not allowed")
    if body["model"] not in models:
        yield detail(f"The '{body['model']}' model is not supported when using Codex with a ChatGPT account.")
    yield from _unpaired_calls(ask)


def _unpaired_calls(ask: Ask) -> Iterator[Refusal]:
    """Every tool output follows its call, and every call has its output."""
    asked = {item.get("call_id") for item in ask.items if item.get("type") in CALLS}
    given = {item.get("call_id") for item in ask.items if item.get("type") in OUTPUTS}
    for call_id in given - asked:
        yield error(f"No tool call found for function call output with call_id {call_id}.", "input")
    for call_id in asked - given:
        yield error(f"No tool output found for function call {call_id}.", "input")


def read_openai(body: Any, models: Sequence[str]) -> Ask | Refusal:
    """Check a request of the public path: a string is input too, and every parameter passes."""
    if not isinstance(body, dict):
        return error("The body must be a JSON object.", code="invalid_json")
    fields = cast("Json", body)
    for name in ("model", "input"):
        if name not in fields:
            return error(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if fields["model"] not in models:
        message = f"The model '{fields['model']}' does not exist or you do not have access to it."
        return error(message, code="model_not_found", status=404)
    if fields.get("previous_response_id"):
        message = "Responses are not stored here; send the whole conversation as input."
        return error(message, "previous_response_id", "previous_response_not_found")
    if isinstance(fields["input"], str):
        content = [{"type": "input_text", "text": fields["input"]}]
        fields = fields | {"input": [{"type": "message", "role": "user", "content": content}]}
    return Ask(fields, codex=False)
