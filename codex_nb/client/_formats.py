"""What an answer is asked to be: a type in Python, a strict JSON schema on the wire."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar, cast

import pydantic_core
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from codex_nb.errors import InvalidAnswer, UnsupportedParameter
from codex_nb.wire.json import as_object
from codex_nb.wire.schema import strict_schema

__all__ = ["Format"]

T = TypeVar("T")
LONGEST_NAME: Final = 64
PROBLEMS_TOLD: Final = 20
# What pydantic advises after it is about classes of one's own.
NO_SCHEMA: Final = re.compile(r"Unable to generate pydantic-core schema for (.{1,200}?)\. Set ", re.DOTALL)


class Format(Generic[T]):
    """A type that JSON text is read as: a Pydantic model, a dataclass, or anything a `TypeAdapter` takes.

    Strict mode knows objects only, so what is no object (a list, a union, an int) travels as ``{"value": …}``.

    Raises:
        UnsupportedParameter: the type has no strict schema.

    """

    def __init__(self, wanted: Any, *, parameter: str = "text_format") -> None:
        self.name = _name(wanted)
        if inspect.isroutine(wanted) or isinstance(wanted, Mapping):
            # Pydantic would read the arguments of a function, and call it; a dict is a schema of its own kind.
            raise _no_type(parameter, f"A {type(cast('object', wanted)).__name__}")
        try:
            self._adapter: TypeAdapter[T] = wanted if isinstance(wanted, TypeAdapter) else TypeAdapter(wanted)
            plain = self._adapter.json_schema()
        except (PydanticUserError, pydantic_core.SchemaError, TypeError) as error:
            found = NO_SCHEMA.match(str(error))
            raise _no_type(parameter, found[1] if found else self.name) from error
        self.schema = strict_schema(plain, parameter=parameter)
        self.wrapped = self.schema.get("type") != "object"
        if self.wrapped:
            self.schema = strict_schema(_in_object(plain), parameter=parameter)

    @property
    def as_text_format(self) -> dict[str, Any]:
        """The ``format`` in a request's ``text``."""
        return {"type": "json_schema", "name": self.name, "schema": self.schema, "strict": True}

    def read(self, text: str) -> T:
        """Return the value that ``text`` holds.

        Raises:
            InvalidAnswer: it is no JSON, or does not validate. The message names the place, and quotes no value.

        """
        return self.value(self.bare(text))

    def value(self, content: bytes) -> T:
        """Return the value whose JSON is ``content``, without what it travels in; raises as `read`."""
        try:
            return self._adapter.validate_json(content)
        except ValidationError as error:
            raise _invalid(self.name, error) from None

    def plain(self, value: T) -> Any:
        """Return ``value`` as dicts, lists and plain values, by the names that JSON has."""
        return self._adapter.dump_python(value, by_alias=True)

    def bare(self, text: str) -> bytes:
        """Return the JSON of the value itself in the ``text`` of an answer."""
        content = text.encode("utf-8", "replace")
        if not self.wrapped:
            return content
        try:
            return pydantic_core.to_json(as_object(pydantic_core.from_json(content))["value"])
        except (ValueError, KeyError):  # not what was asked for; validation says how, or takes the bare value
            return content


def _no_type(parameter: str, what: str) -> UnsupportedParameter:
    return UnsupportedParameter(
        f"{what} is no type that JSON can be read as.",
        hint="Pass a Pydantic model, a dataclass, or a type made of str, int, float, bool, list and these.",
        parameter=parameter,
    )


def _invalid(name: str, error: ValidationError) -> InvalidAnswer:
    details = error.errors(include_input=False, include_url=False, include_context=False)
    problems = tuple((".".join(str(step) for step in each["loc"]), each["type"]) for each in details[:PROBLEMS_TOLD])
    if problems[0][1] == "json_invalid":
        return InvalidAnswer(
            f"The answer is no JSON, but {name} was asked for.",
            hint="Its text is in .partial. Try again.",
            code="invalid_json",
        )
    place, kind = problems[0]
    others = f", and {len(details) - 1} more" if len(details) > 1 else ""
    return InvalidAnswer(
        f"The answer does not fit {name}: {place or 'the whole'} ({kind}){others}.",
        hint="Its text is in .partial, the places in .problems. Try again, or say more in the fields' descriptions.",
        code="does_not_fit",
        problems=problems,
    )


def _in_object(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that holds what ``schema`` describes; definitions stay where references look."""
    lifted = {name: schema[name] for name in ("$defs",) if name in schema}
    inner = {name: value for name, value in schema.items() if name not in lifted}
    return {"type": "object", "properties": {"value": inner}, **lifted}


def _name(wanted: Any) -> str:
    """Return a name that the service takes for a format."""
    if hasattr(wanted, "__metadata__"):  # what checks a value is no name for it
        wanted = wanted.__origin__
    shown = wanted.__name__ if isinstance(wanted, type) and not hasattr(wanted, "__args__") else str(wanted)
    words = re.sub(r"[\w.<>]+\.", "", shown)  # a type's module and outer names
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", words).strip("_")[:LONGEST_NAME] or "answer"
