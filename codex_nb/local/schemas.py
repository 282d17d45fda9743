"""JSON schemas as the wire takes them: what strict mode asks of one, and a small value that satisfies it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_nb.local.pieces import Json

UNIONS: Final = ("anyOf", "oneOf")
# A schema that refers to itself ends here, by whatever it offers besides.
DEEPEST: Final = 12
# An example of a schema that names itself has at most so many values.
MOST_VALUES = 2_000
FORMATS: Final = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}


def objection(schema: Any) -> str:
    """Return what strict mode finds wrong with a schema, in the service's words; empty when nothing is."""
    if not isinstance(schema, dict):
        return "schema must be a JSON object."
    root = cast("Json", schema)
    if root.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{root.get('type')}\"'."
    return next(_objections(root, ()), "")


def _objections(schema: Any, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"In context={path}, {schema!r} is not of type 'object', 'boolean'."
        return
    node = cast("Json", schema)
    properties = node.get("properties")
    if node.get("type") == "object" or isinstance(properties, dict):
        yield from _object_objections(node, path)
    for name, each in _mapped(properties).items():
        yield from _objections(each, (*path, "properties", name))
    if node.get("type") == "array" and "items" not in node:
        yield f"In context={path}, array schema missing items."
    if "items" in node:
        yield from _objections(node["items"], (*path, "items"))
    for union in UNIONS:
        for at, each in enumerate(_listed(node.get(union))):
            yield from _objections(each, (*path, union, str(at)))
    for name, each in _mapped(node.get("$defs")).items():
        yield from _objections(each, (*path, "$defs", name))


def _object_objections(node: Json, path: tuple[str, ...]) -> Iterator[str]:
    if node.get("additionalProperties") is not False:
        yield f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
    names, required = list(_mapped(node.get("properties"))), _listed(node.get("required"))
    said = f"In context={path}, 'required' is required to be supplied and to be an array"
    said += " including every key in properties."
    if missing := [name for name in names if name not in required]:
        yield f"{said} Missing '{missing[0]}'."
    if extra := [name for name in required if name not in names]:
        yield f"{said} Extra required key '{extra[0]}' supplied."


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _mapped(value: Any) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def _number_of(node: Json, name: str, default: float) -> Any:
    """Return a numeric keyword, the default for anything else."""
    value = node.get(name)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def example(schema: Json) -> Any:
    """Return a small value that a schema accepts, for the keywords that strict mode knows; ``pattern`` is not read."""
    return _Examples(schema).of(schema, 0)


class _Examples:
    def __init__(self, root: Json) -> None:
        self._root = root
        self._left = MOST_VALUES

    def of(self, schema: Any, depth: int) -> Any:
        """Return a value for a schema ``depth`` levels down; None where a schema that never ends is given up."""
        self._left -= 1
        if depth > 4 * DEEPEST or self._left < 0:
            return None
        node = self._resolved(schema)
        if "const" in node:
            return node["const"]
        if _listed(node.get("enum")):
            return node["enum"][0]
        for union in UNIONS:
            if choices := _listed(node.get(union)):
                return self.of(self._chosen(choices, depth), depth + 1)
        kinds = node.get("type", "object" if "properties" in node else "string")
        listed = _listed(kinds) or [kinds]
        kind = str(listed[-1 if depth > DEEPEST else 0])
        maker = {"object": self._object, "array": self._array}.get(kind)
        return maker(node, depth + 1) if maker else _simple(kind, node)

    def _resolved(self, schema: Any, depth: int = 0) -> Json:
        """Follow references into the root, and join what ``allOf`` lists."""
        node = _mapped(schema)
        if depth > DEEPEST:
            return node
        for _ in range(DEEPEST):
            reference = node.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#"):
                break
            target = self._root
            for part in reference.split("/")[1:]:
                target = _mapped(target.get(part.replace("~1", "/").replace("~0", "~")))
            here = {name: each for name, each in node.items() if name != "$ref"}
            node = {**target, **here}
        for each in _listed(node.get("allOf")):
            node = {**self._resolved(each, depth + 1), **node}
        return node

    def _chosen(self, choices: list[Any], depth: int) -> Any:
        """Take the first choice; far down one that goes no further."""
        if depth <= DEEPEST:
            return choices[0]
        ends = (each for each in choices if self._resolved(each).get("type") not in {"object", "array", None})
        return next(ends, choices[-1])

    def _object(self, node: Json, depth: int) -> Any:
        return {name: self.of(each, depth) for name, each in _mapped(node.get("properties")).items()}

    def _array(self, node: Json, depth: int) -> Any:
        least = int(_number_of(node, "minItems", 0 if depth > DEEPEST or node.get("maxItems") == 0 else 1))
        return [self.of(node.get("items", {}), depth) for _ in range(min(least, MOST_VALUES))]


def _simple(kind: str, node: Json) -> Any:
    if kind in {"integer", "number"}:
        return _number(kind, node)
    if kind in {"boolean", "null"}:
        return True if kind == "boolean" else None
    text = FORMATS.get(str(node.get("format")), "text")
    text += "x" * (int(_number_of(node, "minLength", 0)) - len(text))
    return text[: int(_number_of(node, "maxLength", len(text)))]


def _number(kind: str, node: Json) -> float:
    """Return the usual number if it is within the bounds, else the nearest that is, on the grid of ``multipleOf``."""
    step = _number_of(node, "multipleOf", 0) or (1 if kind == "integer" else None)
    least, most = _number_of(node, "minimum", -math.inf), _number_of(node, "maximum", math.inf)
    gap = step or 0.5
    least = max(least, _number_of(node, "exclusiveMinimum", -math.inf) + gap)
    most = min(most, _number_of(node, "exclusiveMaximum", math.inf) - gap)
    value = min(max(1 if kind == "integer" else 1.5, least), most)
    if step:
        value = math.ceil(value / step) * step
        value = value if value <= most else math.floor(most / step) * step
    return int(value) if kind == "integer" else value
