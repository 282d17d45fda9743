"""The body of a Responses request: what the backend takes, in the form it takes it, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from codex_nb.errors import InvalidOption, UnsupportedParameter

__all__ = ["DEFAULT_INSTRUCTIONS", "REFUSED", "input_items", "refuse", "request_body"]

# The backend refuses an empty text.
DEFAULT_INSTRUCTIONS: Final = "You are a helpful assistant."

_NO_SAMPLING = "The Codex backend sets the sampling itself.", "Steer with reasoning, verbosity or instructions."
_NO_STATE = "The Codex backend keeps no conversation.", "Send the earlier items in input."
_NO_LABELS = "The Codex backend keeps no labels of the caller's.", "Leave it out."

# Parameter -> why it is refused, what to do instead.
REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "temperature": _NO_SAMPLING,
    "top_p": _NO_SAMPLING,
    "presence_penalty": _NO_SAMPLING,
    "frequency_penalty": _NO_SAMPLING,
    "top_logprobs": _NO_SAMPLING,
    "max_output_tokens": (
        "The Codex backend does not limit the output.",
        "Ask for a short answer, or use text={'verbosity': 'low'}.",
    ),
    "max_tool_calls": ("The Codex backend does not count tool calls.", "Count them in your loop."),
    "metadata": _NO_LABELS,
    "user": _NO_LABELS,
    "safety_identifier": _NO_LABELS,
    "truncation": ("The Codex backend never drops input.", "Shorten it, or use responses.compact."),
    "previous_response_id": _NO_STATE,
    "conversation": _NO_STATE,
    "background": ("The Codex backend answers at once or not at all.", "Use stream=True, or the async face."),
    "prompt": ("The Codex backend has no stored prompts.", "Send the text in instructions and input."),
    "prompt_cache_retention": ("The Codex backend sets the retention itself.", "Use prompt_cache_key alone."),
    "stream_options": ("The Codex backend has no options for streams.", "Leave it out."),
    "store": ("The Codex backend stores no responses.", "Leave it out, or pass store=False."),
}


def refuse(parameters: Mapping[str, object]) -> None:
    """Raise for the first of ``parameters`` that the backend refuses; None and ``store=False`` ask for nothing.

    Raises:
        UnsupportedParameter: with the reason and what to do instead.
        TypeError: a parameter that no backend has.

    """
    for name, value in parameters.items():
        if name not in REFUSED:
            raise TypeError(f"create() got an unexpected keyword argument {name!r}")
        if value is None or (name == "store" and value is False):
            continue
        why, instead = REFUSED[name]
        raise UnsupportedParameter(f"{name} is not supported. {why}", hint=instead, parameter=name)


def input_items(value: str | Iterable[Any]) -> list[Any]:
    """Return the input as the list of items that the backend wants; those of an earlier answer go back whole."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": value}]}]
    if isinstance(value, Mapping):
        raise InvalidOption("input is one item alone.", hint="Put it in a list: input=[item].")
    return [_item(item) for item in value]


def _item(item: Any) -> Any:
    if isinstance(item, str):
        return input_items(item)[0]
    if isinstance(item, Mapping):
        fields: dict[str, Any] = dict(item)  # pyright: ignore[reportUnknownArgumentType]
        return fields if "type" in fields or "role" not in fields else {"type": "message", **fields}
    raw = getattr(item, "raw", None)
    return raw if raw is not None else item.model_dump(mode="json", exclude_unset=True)


def request_body(
    *, model: str, input: str | Iterable[Any], cache_key: str | None, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body. ``fields`` are the caller's; those that are None are left out.

    ``cache_key`` is what requests that should share the prompt cache have in common; None sends none, and leaves out
    what only the Codex backend knows.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    extra: Mapping[str, Any] = given.pop("extra_body", {})
    tools = given.pop("tools", [])
    body: dict[str, Any] = {
        "model": model,
        "instructions": given.pop("instructions", "") or DEFAULT_INSTRUCTIONS,
        "input": input_items(input),
        "stream": True,
        "store": False,
    }
    if cache_key is not None:
        body |= {"include": ["reasoning.encrypted_content"], "prompt_cache_key": cache_key}
    if tools:
        body |= {"tools": [dict(tool) for tool in tools], "tool_choice": "auto"}
    return {**body, **given, **extra}
