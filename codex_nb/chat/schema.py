"""What an answer shall be, in the forms that people write it: a type, a JSON schema, a frame, or a line of text.

The line is ``[name: str, year: int, price: float?]``: brackets for many records, braces or nothing for one, a question
mark for what may be missing, ``red|green`` for a choice, brackets and braces again inside.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast, get_args, get_origin

from typing_extensions import is_typeddict

from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OutputSchema", "is_record", "output_schema"]

WORDS: Final[dict[str, Any]] = {
    "str": str,
    "string": str,
    "text": str,
    "int": int,
    "integer": int,
    "float": float,
    "number": float,
    "bool": bool,
    "boolean": bool,
    "date": date,
    "datetime": datetime,
    "time": time,
}
TOKEN: Final = re.compile(r"\s*(?:([\[\]{}:,?|])|([^\s\[\]{}:,?|]+))")
EXAMPLE: Final = 'A schema looks like "[name: str, year: int, price: float?]".'


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """``wanted`` is what ``responses.parse`` takes; where the answer is a list of records, ``record`` is their type.

    ``like`` is an empty frame whose columns and dtypes the rows shall have. ``one`` is the type of the answer where the
    question stands beside others, each with an answer of its own: of a frame, one row.
    """

    wanted: Any
    one: Any
    record: Any = None
    like: pd.DataFrame | None = None


def output_schema(spec: Any) -> OutputSchema:
    """Return the schema that ``spec`` describes.

    A string is the little language of this module; a dict is a JSON schema; a DataFrame asks for rows of its columns;
    anything else is a type: a Pydantic model, a dataclass, a TypedDict, ``list[Row]``.

    Raises:
        InvalidOption: it cannot be read.

    """
    if isinstance(spec, str):
        return _of_type(_Reader(spec).read())
    if isinstance(spec, Mapping):
        from pydantic import TypeAdapter

        kind = _of_json_schema(dict(cast("Mapping[str, Any]", spec)))
        return OutputSchema(TypeAdapter(kind), kind)
    if type(spec).__name__ == "DataFrame" and hasattr(spec, "dtypes"):
        record = _of_frame(spec)
        return OutputSchema(list[record], record, record, spec.iloc[:0])
    return _of_type(spec)


def _of_type(wanted: Any) -> OutputSchema:
    inner = get_args(wanted)[0] if get_origin(wanted) is list and get_args(wanted) else None
    return OutputSchema(wanted, wanted, inner if is_record(inner) else None)


def is_record(kind: Any) -> bool:
    """Whether ``kind`` is a type with named fields."""
    from dataclasses import is_dataclass

    from pydantic import BaseModel

    return is_typeddict(kind) or is_dataclass(kind) or (inspect.isclass(kind) and issubclass(kind, BaseModel))


def _of_json_schema(schema: dict[str, Any]) -> Any:
    """Return a type whose values are what ``schema`` allows; jsonschema checks them."""
    try:
        jsonschema: Any = import_module("jsonschema")
    except ImportError as error:
        raise InvalidOption(
            "A JSON schema needs jsonschema to check the answer.",
            hint='Install it with: pip install jsonschema. Or write "[name: str, year: int]", or a Pydantic model.',
        ) from error
    from pydantic import AfterValidator, WithJsonSchema

    kind = jsonschema.validators.validator_for(schema)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InvalidOption(f"This is no JSON schema: {error.message[:200]}.", hint=EXAMPLE) from None
    validator = kind(schema)

    def check(value: Any) -> Any:
        found = jsonschema.exceptions.best_match(validator.iter_errors(value))
        if found is not None:
            raise ValueError(f"at {found.json_path}, {found.validator}")
        return value

    return Annotated[Any, AfterValidator(check), WithJsonSchema(schema)]


def _of_frame(frame: Any) -> Any:
    """Return the type of a row like those of ``frame``."""
    from pandas.api import types

    def kind_of(column: Any) -> Any:
        dtype = frame[column].dtype
        if types.is_bool_dtype(dtype):
            return bool
        if types.is_integer_dtype(dtype):
            return int
        if types.is_numeric_dtype(dtype):
            return float
        if types.is_datetime64_any_dtype(dtype):
            return datetime
        if hasattr(dtype, "categories"):
            if not len(dtype.categories):
                raise InvalidOption(
                    f"The column {str(column)[:40]!r} has no categories, so nothing would fit it.",
                    hint='Give it some: pd.CategoricalDtype(["good", "bad"]), or make it text.',
                )
            return Literal[tuple(str(level) for level in dtype.categories)]
        return str

    if not len(frame.columns) or not frame.columns.is_unique:
        raise InvalidOption("The frame needs columns, each with a name of its own.", hint="Select the ones to fill.")
    return _record({str(column): kind_of(column) | None for column in frame.columns})


def _record(fields: Mapping[str, Any]) -> Any:
    from pydantic import BaseModel, ConfigDict, Field, create_model

    reserved = dir(BaseModel)
    # A field may have any name, also one that no attribute can have.
    named: dict[str, Any] = {f"f{n}": (kind, Field(alias=name)) for n, (name, kind) in enumerate(fields.items())}
    plain = {name: (kind, ...) for name, kind in fields.items()}
    usual = all(name.isidentifier() and not name.startswith("_") and name not in reserved for name in fields)
    config = ConfigDict(extra="forbid", protected_namespaces=(), serialize_by_alias=True)
    model: Any = create_model("Record", __config__=config, **cast("Any", plain if usual else named))
    return model


class _Reader:
    """The little language, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        at = 0
        while found := TOKEN.match(text, at):
            self.tokens.append(found[1] or found[2])
            at = found.end()
        self.at = 0

    def read(self) -> Any:
        """Return the type of the whole line."""
        if not self.tokens:
            raise self.problem("it is empty")
        kind = self.kind() if self.tokens[0] in "[{" or ":" not in self.tokens else self.fields("")
        if self.at < len(self.tokens):
            raise self.problem(f"{self.tokens[self.at]!r} is too much")
        return kind

    def kind(self) -> Any:
        """Read a type, and the question mark behind it."""
        word = self.take("a type")
        if word == "[":
            is_record = self.at + 1 < len(self.tokens) and self.tokens[self.at + 1] == ":"
            inner = self.fields("]") if is_record else self.kind()
            self.expect("]")
            found: Any = list[inner]
        elif word == "{":
            found = self.fields("}")
            self.expect("}")
        elif self.peek() == "|":
            found = self.choice(word)
        elif word in WORDS:
            found = WORDS[word]
        else:
            raise self.problem(f"{word!r} is no type", f"Types are {', '.join(sorted(WORDS))}, or a|b|c.")
        if self.peek() == "?":
            self.at += 1
            return found | None
        return found

    def choice(self, first: str) -> Any:
        """Read the rest of a choice of words."""
        words = [first]
        while self.peek() == "|":
            self.at += 1
            words.append(self.take("a word"))
        return Literal[tuple(words)]

    def fields(self, end: str) -> Any:
        """Read fields up to ``end`` and return the type of a record of them."""
        fields: dict[str, Any] = {}
        while True:
            name = self.take("a name")
            if name in fields or not re.fullmatch(r"[\w.\- ]+", name):
                raise self.problem(f"{name!r} is no new name")
            self.expect(":")
            fields[name] = self.kind()
            if self.peek() != ",":
                return _record(fields)
            self.at += 1
            if self.peek() == end:
                return _record(fields)

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, what: str) -> str:
        if self.at >= len(self.tokens):
            raise self.problem(f"{what} is missing at its end")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, mark: str) -> None:
        if (found := self.peek()) != mark:
            raise self.problem(f"{mark!r} is missing{f' before {found!r}' if found else ''}")
        self.at += 1

    def problem(self, what: str, hint: str = EXAMPLE) -> InvalidOption:
        return InvalidOption(f"The schema {self.text[:80]!r} cannot be read: {what}.", hint=hint)
