"""A Python function as a tool: what the model is told of it, and how its calls become calls."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast, get_type_hints, overload

from pydantic import ConfigDict, Field, ValidationError, create_model

from codex_nb.errors import ToolError, UnsupportedParameter
from codex_nb.wire.schema import strict_schema

__all__ = ["Tool", "tool"]

P = ParamSpec("P")
T = TypeVar("T")
NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Tool(Generic[P, T]):
    """A function that a model may call: by its type hints and docstring. Called as usual, it is the function itself."""

    def __init__(self, function: Callable[P, T], *, name: str | None = None, description: str | None = None) -> None:
        if not callable(function):
            raise ToolError(
                f"A {type(function).__name__} cannot be called, so it is no tool.",
                hint="Name a function.",
                tool=str(name),
            )
        self.function = function
        self.name = name or getattr(function, "__name__", type(function).__name__)
        if not NAME.fullmatch(self.name):
            raise ToolError(
                f"{self.name!r} is no name for a tool.",
                hint="Give it one of letters and digits: @codex_nb.tool(name=...).",
                tool=self.name,
            )
        self.description = description or _summary(function)
        self._arguments = _arguments(function, self.name)
        functools.update_wrapper(cast("Any", self), function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Tool {self.name}{inspect.signature(self.function)}>"

    def definition(self) -> dict[str, Any]:
        """Return the tool as a request says it: with a strict schema where the type hints have one."""
        plain = self._arguments.model_json_schema()
        try:
            schema, strict = strict_schema(plain, parameter="tools"), True
        except UnsupportedParameter:
            schema, strict = plain, False
        schema.pop("title", None)
        told = {"description": self.description} if self.description else {}
        return {"type": "function", "name": self.name, **told, "parameters": schema, "strict": strict}

    def read(self, arguments: str) -> dict[str, Any]:
        """Return the arguments of a call, by name, as the type hints want them.

        Raises:
            ToolError: they do not validate. The message names the places, and quotes no value.

        """
        try:
            read = self._arguments.model_validate_json(arguments or "{}")
        except ValidationError as error:
            details = error.errors(include_input=False, include_url=False, include_context=False)
            places = ", ".join(f"{'.'.join(map(str, each['loc'])) or 'they'} ({each['type']})" for each in details[:5])
            raise ToolError(
                f"The model called {self.name} with arguments that do not validate: {places}.",
                hint="The model is told, and may try again.",
                tool=self.name,
            ) from None
        given = {name: getattr(read, field) for field, name in _names(self._arguments)}
        # Strict mode knows no missing arguments: null stands for the function's own default.
        defaults = {name for name, each in _parameters(self.function).items() if each.default is not each.empty}
        return {name: value for name, value in given.items() if value is not None or name not in defaults}


@overload
def tool(function: Callable[P, T]) -> Tool[P, T]: ...
@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[Callable[P, T]], Tool[P, T]]: ...
def tool(function: Any = None, *, name: str | None = None, description: str | None = None) -> Any:
    """Let the model call a function: ``@codex_nb.tool``, then ``%%codex -t NAME``.

    The model is told its name, its docstring and its type hints; ``name`` and ``description`` replace the first two.

    Raises:
        ToolError: it is no function that can be described.

    """

    def make(it: Any) -> Any:
        return cast("Any", it) if isinstance(it, Tool) else Tool[..., Any](it, name=name, description=description)

    made: Any = make if function is None else make(function)
    return made


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def _names(model: Any) -> list[tuple[str, str]]:
    return [(field, info.alias or field) for field, info in model.model_fields.items()]


def _arguments(function: Callable[..., Any], name: str) -> Any:
    """Return the type of the function's arguments."""
    try:
        parameters = _parameters(function)
        hints = get_type_hints(inspect.unwrap(function), include_extras=True)
    except (ValueError, TypeError, NameError) as error:
        raise ToolError(
            f"The parameters of {name} cannot be read: {str(error).rstrip('.')}.",
            hint="Wrap it in a function with type hints.",
            tool=name,
        ) from error
    said = _said_of_parameters(inspect.getdoc(function) or "")
    fields: dict[str, Any] = {}
    for number, (each, parameter) in enumerate(parameters.items()):
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise ToolError(
                f"{name} takes {parameter}, which a model cannot fill in.",
                hint="A tool has parameters that can be named.",
                tool=name,
            )
        kind = hints.get(each, str if parameter.default is parameter.empty else type(parameter.default))
        words = said.get(each)
        if parameter.default is not parameter.empty:
            kind = kind | None if kind is not type(None) else kind
            words = f"{words or ''} (null: {parameter.default!r})".strip()
        # An alias lets a parameter have any name, also one that pydantic keeps for itself.
        fields[f"p{number}"] = (
            kind,
            Field(alias=each, description=words, default=... if parameter.default is parameter.empty else None),
        )
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    try:
        return create_model("Arguments", __config__=config, **fields)
    except Exception as error:
        raise ToolError(
            f"The parameters of {name} are of types that no JSON can be: {str(error).splitlines()[0]}",
            hint="Use str, int, float, bool, lists, dicts, Literal, dataclasses or Pydantic models.",
            tool=name,
        ) from error


def _summary(function: Callable[..., Any]) -> str:
    """Return the docstring up to the sections about parameters and results."""
    text = inspect.getdoc(function) or ""
    return re.split(
        r"\n\s*(?:Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?)\s*:?\s*\n|\n\s*:(?:param|return)", text
    )[0].strip()


# Google's and numpy's sections, and Sphinx's fields.
LINES: Final = (
    re.compile(r"^ {2,8}\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s+(.+)$", re.MULTILINE),
    re.compile(r"^(\w+)\s*:\s*[^\n]*\n {2,8}(\S.*)$", re.MULTILINE),
    re.compile(r"^\s*:param\s+(?:[\w\[\], ]+\s)?(\w+):\s*(.+)$", re.MULTILINE),
)


def _said_of_parameters(text: str) -> dict[str, str]:
    """Return what a docstring says of each parameter, a line each."""
    found: dict[str, str] = {}
    for line in LINES:
        for name, words in line.findall(text):
            found.setdefault(name, words.strip())
    return found
