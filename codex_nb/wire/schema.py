"""JSON Schema in the form that the service's strict mode takes.

Strict mode knows a part of JSON Schema: objects are closed and have all their properties, unions are ``anyOf``, and an
answer is always an object. What it can not check is told to the model in the description; what it can not express at
all is refused before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, cast
from urllib.parse import unquote

from codex_nb.errors import UnsupportedParameter
from codex_nb.wire.json import JSONObject, as_object

__all__ = ["check_strict", "strict_schema"]

DEFINITIONS: Final = ("$defs", "definitions")
# Keywords that go over as they are.
KEPT: Final = (
    "title",
    "description",
    "enum",
    "const",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
)
FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
)
# Keywords that the service refuses and that a reader of the description can still follow.
TOLD: Final = ("minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties")
# What makes a schema of its own, beside a `$ref` or an `allOf`. Everything else is dropped.
MEANT: Final = frozenset(
    {*KEPT, *TOLD, "type", "format", "pattern", "properties", "required", "additionalProperties", "items"}
    | {"prefixItems", "anyOf", "oneOf", "allOf", "$ref"}
)
LOOKAROUND: Final = re.compile(r"\(\?<?[=!]")
NAMES: Final = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def strict_schema(schema: Mapping[str, Any], *, parameter: str = "text_format") -> JSONObject:
    """Return ``schema`` in strict form: every complete instance of it stays one.

    ``parameter`` is what the error names. ``$defs`` are kept, so recursive schemas stay finite.

    Raises:
        UnsupportedParameter: something in it has no strict form: free keys, or a value of which nothing is said.

    """
    return _Strict(schema, parameter).of(schema, "#", frozenset())


def check_strict(schema: Any, *, parameter: str, name: str) -> None:
    """Refuse a schema that says it is strict and leaves objects open or properties optional.

    Raises:
        UnsupportedParameter: with the place in the schema.

    """
    for place, node in _objects(schema, "#"):
        properties = as_object(node.get("properties"))
        required = node.get("required")
        listed: list[Any] = cast("list[Any]", required) if isinstance(required, list) else []
        if node.get("additionalProperties") is not False:
            wrong = "must say additionalProperties: false"
        elif missing := [each for each in properties if each not in listed]:
            wrong = f"must list {', '.join(missing)} in required"
        else:
            continue
        raise UnsupportedParameter(
            f"The tool {name} says strict, but its parameters are not: {place} {wrong}.",
            hint="Pass a Pydantic model, whose schema is made strict, or leave strict out.",
            parameter=parameter,
        )


def _objects(node: Any, place: str) -> list[tuple[str, JSONObject]]:
    """Return every object schema below ``node``, with its place."""
    if isinstance(node, list):
        parts = cast("list[Any]", node)
        return [found for number, each in enumerate(parts) for found in _objects(each, f"{place}/{number}")]
    if not isinstance(node, dict):
        return []
    schema = as_object(node)  # pyright: ignore[reportUnknownArgumentType]
    found = [(place, schema)] if schema.get("type") == "object" or "properties" in schema else []
    for keyword in ("items", "anyOf", "allOf", "oneOf"):
        found += _objects(schema.get(keyword), f"{place}/{keyword}")
    for keyword in ("properties", *DEFINITIONS):
        for name, each in as_object(schema.get(keyword)).items():
            found += _objects(each, f"{place}/{keyword}/{name}")
    return found


def _meant(schema: Mapping[str, Any]) -> JSONObject:
    return {name: value for name, value in schema.items() if name in MEANT}


class _Strict:
    """One transformation. ``within`` are the references that are being written out, so that they end."""

    def __init__(self, root: Mapping[str, Any], parameter: str) -> None:
        self._root = dict(root)
        self._parameter = parameter

    def of(self, schema: Any, place: str, within: frozenset[str]) -> JSONObject:
        """Return the strict form of ``schema``, which stands at ``place``."""
        node, within = self._simple(schema, place, within)
        if node.keys() == {"$ref"}:
            return node
        strict: JSONObject = {name: node[name] for name in KEPT if name in node}
        strict |= self._type(node, place)
        self._describe(strict, node)
        kinds = strict.get("type", "")
        if "object" in kinds:
            strict |= self._object(node, place, within)
        if "array" in kinds:
            strict["items"] = self._items(node, place, within)
        if variants := node.get("anyOf"):
            strict["anyOf"] = [self.of(each, f"{place}/anyOf/{n}", within) for n, each in enumerate(variants)]
        for keyword in DEFINITIONS:
            if definitions := as_object(as_object(schema).get(keyword)):
                strict[keyword] = {
                    name: self.of(each, f"{place}/{keyword}/{name}", within | {f"{place}/{keyword}/{name}"})
                    for name, each in definitions.items()
                }
        return strict

    def _simple(self, schema: Any, place: str, within: frozenset[str]) -> tuple[JSONObject, frozenset[str]]:
        """Return ``schema`` without ``allOf`` and ``oneOf``; its ``$ref`` is written out unless it stands alone.

        A reference that is being written out already stays one, without what is said beside it.
        """
        if not isinstance(schema, Mapping):
            self._refuse(place, "may be anything")
        node = _meant(cast("Mapping[str, Any]", schema))
        while "$ref" in node or "allOf" in node:
            if "allOf" in node:
                parts: list[Any] = node.pop("allOf")
                node, within = self._merged([*parts, node], place, within)
                continue
            reference = str(node.pop("$ref"))
            # The root has to be an object itself, so there a reference is always written out.
            if reference in within or not (node or place == "#"):
                return {"$ref": reference}, within
            within |= {reference}
            node = _meant(self._target(reference, place)) | node
        if "oneOf" in node:  # of which the service knows the weaker form only
            if "anyOf" in node:
                self._refuse(place, "has both anyOf and oneOf")
            node["anyOf"] = node.pop("oneOf")
        return node, within

    def _merged(self, parts: Sequence[Any], place: str, within: frozenset[str]) -> tuple[JSONObject, frozenset[str]]:
        """Return what all of ``parts`` say together."""
        several = sum(bool(part) for part in parts) > 1
        merged: JSONObject = {}
        for part in parts:
            rest = _meant(as_object(part))
            if several and "$ref" in rest:
                reference = str(rest.pop("$ref"))
                if reference in within:
                    self._refuse(place, "is an allOf that holds itself")
                within |= {reference}
                rest = _meant(self._target(reference, place)) | rest
            for name, value in rest.items():
                if name in {"title", "description"} or name not in merged:
                    merged[name] = value
                elif name in {"properties", "required"}:
                    merged[name] = self._joined(merged[name], value, place)
                elif merged[name] != value:
                    self._refuse(place, f"is an allOf whose parts differ in {name}")
        return merged, within

    def _joined(self, first: Any, second: Any, place: str) -> Any:
        if isinstance(first, list):
            return list(dict.fromkeys([*cast("list[Any]", first), *second]))
        if any(first[name] != second[name] for name in first.keys() & second.keys()):
            self._refuse(place, "is an allOf whose parts differ in properties")
        return first | second

    def _target(self, reference: str, place: str) -> JSONObject:
        """Return the schema that ``reference`` points to."""
        found: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal():
                found = cast("list[Any]", found)[int(name) : int(name) + 1]
                found = found[0] if found else None
            else:
                found = as_object(found).get(name)
        if not reference.startswith("#") or not isinstance(found, dict):
            self._refuse(place, f"refers to {reference}, which is not there")
        return cast("JSONObject", found)

    def _type(self, node: JSONObject, place: str) -> JSONObject:
        """Return the type, found from what else is said where it is not named."""
        if "type" in node:
            return {"type": node["type"]}
        if "properties" in node:
            return {"type": "object"}
        if "items" in node or "prefixItems" in node:
            return {"type": "array"}
        if "anyOf" in node:
            return {}
        values: list[Any] = [node["const"]] if "const" in node else list(node.get("enum", []))
        kinds: list[type] = [type(value) for value in values]
        names = list(dict.fromkeys(NAMES.get(kind, "") for kind in kinds))
        if not names or "" in names:
            self._refuse(place, "may be anything")
        return {"type": names[0] if len(names) == 1 else names}

    def _object(self, node: JSONObject, place: str, within: frozenset[str]) -> JSONObject:
        properties = as_object(node.get("properties"))
        closed = node.get("additionalProperties", "properties" not in node) is False
        if not properties and not closed:
            self._refuse(place, "has free keys (a dict)")
        return {
            "properties": {
                name: self.of(each, f"{place}/properties/{name}", within) for name, each in properties.items()
            },
            "required": list(properties),
            "additionalProperties": False,
        }

    def _items(self, node: JSONObject, place: str, within: frozenset[str]) -> JSONObject:
        """Return the schema of each item; those of a tuple become a union, its length stays."""
        parts = [
            self.of(each, f"{place}/prefixItems/{n}", within) for n, each in enumerate(node.get("prefixItems", ()))
        ]
        if node.get("items", not parts) is not False:
            parts.append(self.of(node.get("items"), f"{place}/items", within))
        if not parts:
            self._refuse(place, "is a list of nothing")
        different = [part for number, part in enumerate(parts) if part not in parts[:number]]
        return different[0] if len(different) == 1 else {"anyOf": different}

    def _describe(self, strict: JSONObject, node: JSONObject) -> None:
        """Keep formats and patterns that the service knows; say the others in words."""
        told = {name: node[name] for name in TOLD if name in node}
        if "format" in node:
            (strict if node["format"] in FORMATS else told)["format"] = node["format"]
        if "pattern" in node:
            (told if LOOKAROUND.search(str(node["pattern"])) else strict)["pattern"] = node["pattern"]
        if told:
            words = ", ".join(name if value is True else f"{name}: {value}" for name, value in told.items())
            strict["description"] = f"{strict.get('description', '')} ({words})".strip()

    def _refuse(self, place: str, why: str) -> NoReturn:
        raise UnsupportedParameter(
            f"{self._parameter} has no strict schema: {place} {why}.",
            hint="Name every field and its type; in place of a dict use a list of key and value.",
            parameter=self._parameter,
        )
