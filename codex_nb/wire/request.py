"""The body of a Responses request: what the backend takes, in the form it takes it, and what it refuses."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from codex_nb.errors import UnsupportedParameter
from codex_nb.wire.items import codex_items, input_items
from codex_nb.wire.json import JSONObject, as_object

__all__ = ["DEFAULT_INSTRUCTIONS", "REFUSED", "USUAL", "Manners", "refuse", "request_body"]

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


# What stands for "as usual", which the backend wants unsaid, and the name that the official client shows for one.
USUAL_TIERS: Final = frozenset({"auto", "default"})
TIERS: Final = {"fast": "priority"}
EFFORT_NUMBER: Final = re.compile(r"\d{1,9}(\.\d{1,9})?")


class Manners(NamedTuple):
    """What a model wants its requests to look like, as the list of models tells.

    ``lite``: tools stand in the input and run one at a time. ``summaries``: it takes ``reasoning.summary``.
    """

    lite: bool = False
    summaries: bool = True


USUAL: Final = Manners()


def refuse(parameters: Mapping[str, object], *, method: str = "create") -> None:
    """Raise for the first of ``parameters`` that the backend refuses; None and ``store=False`` ask for nothing.

    Raises:
        UnsupportedParameter: with the reason and what to do instead.
        TypeError: a parameter that no backend has.

    """
    for name, value in parameters.items():
        if name not in REFUSED:
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}")
        if value is None or (name == "store" and value is False):
            continue
        why, instead = REFUSED[name]
        raise UnsupportedParameter(f"{name} is not supported. {why}", hint=instead, parameter=name)


def request_body(
    *,
    model: str,
    input: str | Iterable[Any],
    cache_key: str | None,
    fields: Mapping[str, Any],
    manners: Manners = USUAL,
) -> JSONObject:
    """Return the body. ``fields`` are the caller's; those that are None are left out, ``extra_body`` comes last.

    ``cache_key`` is what requests that should share the prompt cache have in common; None sends none, and leaves out
    what only the Codex backend knows.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    extra: Mapping[str, Any] = given.pop("extra_body", {})
    tools = [dict(tool) for tool in given.pop("tools", [])]
    body: JSONObject = {
        "model": model,
        "instructions": given.pop("instructions", "") or DEFAULT_INSTRUCTIONS,
        "input": input_items(input),
        "stream": True,
        "store": False,
    }
    if tools:
        body |= {"tools": tools, "tool_choice": "auto"}
    if "tool_choice" in given:
        given["tool_choice"] = _choice(given["tool_choice"])
    if cache_key is not None:
        body |= {"include": ["reasoning.encrypted_content"], "prompt_cache_key": cache_key}
        body["input"] = codex_items(body["input"])
        _adapt(given, manners)
    body |= given
    return {**(_lite(body) if cache_key is not None and manners.lite else body), **extra}


def _choice(choice: Any) -> Any:
    """Return the tool choice; the nested form of Chat Completions is made flat."""
    nested = as_object(as_object(choice).get("function"))
    return {"type": "function", **nested} if nested else choice


def _adapt(given: JSONObject, manners: Manners) -> None:
    """Say the caller's wishes in the backend's words."""
    tier = given.pop("service_tier", None)
    if tier is not None and tier not in USUAL_TIERS:
        given["service_tier"] = TIERS.get(tier, tier)
    if "reasoning" not in given:
        return
    reasoning = {name: value for name, value in given.pop("reasoning").items() if value is not None}
    effort = reasoning.get("effort")
    if effort == "ultra":  # the catalogue's deepest level: "max", worked on by several agents elsewhere
        reasoning["effort"] = "max"
    elif isinstance(effort, str) and EFFORT_NUMBER.fullmatch(effort):
        reasoning["effort"] = float(effort) if "." in effort else int(effort)
    elif isinstance(effort, float) and effort.is_integer():  # 3.0 and 3 are one number in JSON; 3 is how it is written
        reasoning["effort"] = int(effort)
    if reasoning.get("summary") == "none" or not manners.summaries:
        reasoning.pop("summary", None)
    if reasoning:
        given["reasoning"] = reasoning


def _lite(body: JSONObject) -> JSONObject:
    """Return the body as the models want it that read their tools from the input."""
    tools = body.pop("tools", [])
    reasoning = {"context": "all_turns", **as_object(body.get("reasoning"))}
    body |= {"parallel_tool_calls": False, "reasoning": reasoning}
    if tools:
        # The same tools have the same name each time, which the prompt cache needs.
        name = f"at_{uuid.uuid5(uuid.NAMESPACE_OID, repr(tools)).hex}"
        item = {"type": "additional_tools", "id": name, "role": "developer", "tools": tools}
        body["input"] = [item, *body["input"]]
    return body
