"""What a request says, apart from what only tells sessions and moments apart; its name, and how two of them differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from codex_nb.wire.json import JSONObject

__all__ = ["changes", "content", "digest", "leaves"]

# How a request is sent, to which cache, and by whom.
ABOUT_SENDING: Final = frozenset(
    {"stream", "store", "include", "prompt_cache_key", "client_metadata", "safety_identifier"}
)
# What the service gives an item, anew each time.
GIVEN: Final = frozenset({"id", "status", "encrypted_content"})
MISSING: Final = object()


def content(body: Mapping[str, Any]) -> JSONObject:
    """Return what of a request's body decides the answer."""
    kept = {name: value for name, value in body.items() if name not in ABOUT_SENDING}
    return kept | {"input": [_item(item) for item in kept.get("input", ())]}


def _item(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: value for name, value in cast("JSONObject", item).items() if name not in GIVEN}


def digest(said: Any) -> str:
    """Return the SHA-256 of ``said``, the same on every machine."""
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give each value inside of ``value`` with its place, such as ``input[2].content[0].text``."""
    if isinstance(value, Mapping) and value:
        for name, each in cast("Mapping[str, Any]", value).items():
            yield from leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for number, each in enumerate(cast("list[Any]", value)):
            yield from leaves(each, f"{path}[{number}]")
    else:
        yield path, value


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the places where two objects made of `leaves` differ, with both values; `MISSING` is none."""
    places = dict.fromkeys([*after, *before])
    pairs = ((place, before.get(place, MISSING), after.get(place, MISSING)) for place in places)
    return [pair for pair in pairs if pair[1] != pair[2]]
