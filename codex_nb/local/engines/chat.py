"""Responses requests as llama.cpp's chat requests, and its chunks as pieces of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_nb.local.pieces import Failure, Incomplete, Reasoning, Text, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_nb.local.ask import Ask
    from codex_nb.local.pieces import Json, Piece

MAX_TOKENS = 512
# Small models say their best at temperature 0, and then fall into loops. DRY and a light frequency penalty break them;
# DRY's long allowance lets an answer repeat words of the question, which the usual repeat penalty forbids
# ("La France" for "The capital of France").
SAMPLING = {
    "temperature": 0.0,
    "dry_multiplier": 0.8,
    "dry_allowed_length": 8,
    "dry_penalty_last_n": 512,
    "frequency_penalty": 0.25,
    "repeat_last_n": 256,
}
# Without a system message, SmolLM2 answers in whatever language comes to its mind.
SYSTEM = "You are a helpful assistant."
TOO_LONG = "Your input exceeds the context window of this model. Please adjust your input and try again."


def request_of(ask: Ask) -> Json:
    """Return the chat request for an ask."""
    request: Json = {
        "messages": messages_of(ask),
        "stream": True,
        "stream_options": {"include_usage": True},
        # Tells of every step in which the prompt is read; without it a long one could not be stopped.
        "return_progress": True,
        "max_tokens": ask.body.get("max_output_tokens") or MAX_TOKENS,
        **SAMPLING,
    }
    request |= {name: ask.body[name] for name in ("temperature", "top_p") if ask.body.get(name) is not None}
    if ask.schema is not None:
        named = {"name": "answer", "schema": ask.schema, "strict": True}
        request["response_format"] = {"type": "json_schema", "json_schema": named}
    return request


def messages_of(ask: Ask) -> list[dict[str, str]]:
    """Return one system message, then user and assistant by turns: what every chat template accepts."""
    said = list(ask.messages())
    systems = [ask.instructions, *(text for role, text in said if role in {"developer", "system"})]
    system = "\n\n".join(text for text in systems if text)
    messages = [{"role": "system", "content": system or SYSTEM}]
    for role, text in said:
        if role not in {"user", "assistant"}:
            continue
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n\n{text}"
        else:
            messages.append({"role": role, "content": text})
    return messages


def pieces_of(chunk: Json) -> Iterator[Piece]:
    """Yield what one chunk of llama.cpp means."""
    if error := chunk.get("error"):
        yield _failure(error)
    for choice in chunk.get("choices") or ():
        delta: Json = choice.get("delta") or {}
        if thought := delta.get("reasoning_content"):
            yield Reasoning(thought)
        if text := delta.get("content"):
            yield Text(text)
        if choice.get("finish_reason") == "length":
            yield Incomplete()
    if usage := chunk.get("usage"):
        details: Json = usage.get("prompt_tokens_details") or {}
        cached = details.get("cached_tokens", 0)
        yield Usage(usage["prompt_tokens"], usage["completion_tokens"], cached)


def _failure(error: dict[str, Any]) -> Failure:
    if error.get("type") == "exceed_context_size_error":
        return Failure("context_length_exceeded", TOO_LONG)
    return Failure("server_error", str(error.get("message") or "The model failed."))
