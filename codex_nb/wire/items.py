"""Items of a request's input: what callers pass in, in the form that the wire takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from codex_nb.errors import InvalidOption
from codex_nb.wire.json import JSONObject, as_object

__all__ = ["CALLS", "OUTPUTS", "TRIGGER", "codex_items", "compacted", "input_items"]

CALLS: Final = frozenset({"function_call", "custom_tool_call"})
OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
COMPACTIONS: Final = frozenset({"compaction", "compaction_summary"})
INPUTS: Final = "Pass a text, or a list of texts, dicts and items of an earlier answer."
# As the last item it asks for the conversation to be made short.
TRIGGER: Final[Mapping[str, str]] = {"type": "compaction_trigger"}

# The backend knows an item by an id that begins like this; an id of another origin is better left out.
PREFIXES: Final = {
    "message": "msg_",
    "agent_message": "amsg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "tool_search_call": "tsc_",
    "tool_search_output": "tso_",
    "web_search_call": "ws_",
    "image_generation_call": "ig_",
    "local_shell_call": "lsh_",
    "additional_tools": "at_",
    "compaction": "cmp_",
    "compaction_summary": "cmp_",
}


def input_items(value: str | Iterable[Any]) -> list[Any]:
    """Return the input as the list of items that the backend wants; those of an earlier answer go back whole."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": value}]}]
    if isinstance(value, Mapping):
        raise InvalidOption("input is one item alone.", hint="Put it in a list: input=[item].")
    if isinstance(value, bytes | bytearray) or not hasattr(value, "__iter__"):
        raise InvalidOption(f"input is of type {type(value).__name__}.", hint=INPUTS)
    return [_item(item) for item in value]


def _item(item: Any) -> Any:
    if isinstance(item, str):
        return input_items(item)[0]
    if isinstance(item, Mapping):
        fields: JSONObject = dict(item)  # pyright: ignore[reportUnknownArgumentType]
        return fields if "type" in fields or "role" not in fields else {"type": "message", **fields}
    raw = getattr(item, "raw", None)
    if raw is not None:
        return raw
    if not hasattr(item, "model_dump"):
        raise InvalidOption(f"An item of input is of type {type(item).__name__}.", hint=INPUTS)
    return item.model_dump(mode="json", exclude_unset=True)


def codex_items(items: Sequence[Any]) -> list[Any]:
    """Return ``items`` as the Codex backend takes them; those of unknown types are left alone."""
    return [_codex_item(item) for item in items]


def _codex_item(item: Any) -> Any:
    fields = as_object(item)
    prefix = PREFIXES.get(str(fields.get("type")))
    if prefix is None:
        return item
    if "id" in fields and not str(fields["id"]).startswith(prefix):
        fields = {name: value for name, value in fields.items() if name != "id"}
    if fields.get("role") == "system":  # which the backend knows by its newer name only
        fields = {**fields, "role": "developer"}
    return fields


def compacted(items: Iterable[Any], output: Iterable[Any]) -> tuple[list[Any], int]:
    """Return the history that takes the place of ``items``, and how many compaction items ``output`` has.

    What was said to the model is kept; what it said and did is in the compaction item.
    """
    kept = [_spelt_out(item) for item in items if as_object(item).get("role") in {"user", "developer", "system"}]
    short = [item for item in output if as_object(item).get("type") in COMPACTIONS]
    return [*kept, *short], len(short)


def _spelt_out(message: JSONObject) -> JSONObject:
    """Return a message whose content is a list, as the service itself sends them."""
    content = message.get("content")
    if not isinstance(content, str):
        return message
    return {**message, "content": [{"type": "input_text", "text": content}]}
