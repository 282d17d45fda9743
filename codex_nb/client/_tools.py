"""Tools of a request: what users pass in, in the form that the wire takes, and what reads the arguments of a call."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeGuard, cast

from pydantic import BaseModel

from codex_nb.client._formats import Format
from codex_nb.errors import InvalidAnswer, InvalidOption, ToolError
from codex_nb.wire.json import as_object
from codex_nb.wire.schema import check_strict

__all__ = ["Tool", "ToolReaders", "pydantic_function_tool", "wire_tool"]

Tool: TypeAlias = Mapping[str, Any] | type[BaseModel]


class _ModelTool(dict[str, Any]):
    """A function tool that remembers the model its arguments are read as."""

    model: type[BaseModel]


def pydantic_function_tool(
    model: type[BaseModel], *, name: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """Return ``model`` as a function tool with a strict schema; its docstring is the description.

    `Responses.parse` reads the arguments of its calls as ``model``.

    Raises:
        UnsupportedParameter: a field has no strict schema.

    """
    form = Format[Any](model, parameter="tools")
    tool = _ModelTool(type="function", name=name or model.__name__, parameters=form.schema, strict=True)
    if words := description or inspect.cleandoc(model.__doc__ or ""):
        tool["description"] = words
    tool.model = model
    return tool


def wire_tool(tool: Any) -> dict[str, Any]:
    """Return ``tool`` as the wire takes it: a dict as it is, a Pydantic model as a function.

    The nested form of Chat Completions (``{"type": "function", "function": {…}}``) is taken too.

    Raises:
        InvalidOption: it is neither.
        UnsupportedParameter: it says ``strict`` and its schema is not.

    """
    if _is_model(tool):
        return pydantic_function_tool(tool)
    if not isinstance(tool, Mapping):
        raise InvalidOption(
            f"A tool of type {type(tool).__name__} is not understood.",
            hint="Pass a dict such as {'type': 'function', 'name': …, 'parameters': …}, or a Pydantic model.",
        )
    given = cast("Mapping[str, Any]", tool)
    nested = as_object(given.get("function"))
    flat = _ModelTool({"type": "function", **nested} if nested else given)
    for each in (given, nested):
        if _is_model(model := getattr(each, "model", None)):
            flat.model = model
    if flat.get("type") == "function" and flat.get("strict"):
        check_strict(flat.get("parameters"), parameter="tools", name=str(flat.get("name", "")))
    return flat


def _is_model(value: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(value, type) and issubclass(value, BaseModel)


class ToolReaders:
    """How the arguments of each tool's calls are read: models by validation, other strict functions as JSON."""

    def __init__(self, tools: Iterable[Mapping[str, Any]]) -> None:
        self._readers: dict[tuple[str | None, str], Callable[[str], Any]] = {}
        for tool in tools:
            self._add(None, tool)

    def _add(self, namespace: str | None, tool: Mapping[str, Any]) -> None:
        name = str(tool.get("name", ""))
        if tool.get("type") == "namespace":
            for each in cast("list[Any]", tool.get("tools") or []):
                self._add(name, each)
        elif isinstance(model := getattr(tool, "model", None), type):
            self._readers[namespace, name] = Format[Any](model, parameter="tools").read
        elif tool.get("type") == "function" and tool.get("strict"):
            self._readers[namespace, name] = json.loads

    def read(self, name: str, arguments: str, namespace: str | None = None) -> Any:
        """Return the arguments of a call, None for a tool that is not strict or not of this request.

        Raises:
            ToolError: they do not validate. The message names the place, and quotes no value.

        """
        read = self._readers.get((namespace, name))
        if read is None:
            return None
        try:
            return read(arguments)
        except InvalidAnswer as error:
            why = ", ".join(f"{place} ({kind})" for place, kind in error.problems) or "they are no JSON"
        except ValueError:
            why = "they are no JSON"
        raise ToolError(
            f"The model called {name} with arguments that do not validate: {why}.",
            hint="The call is in .response. Answer it with a function_call_output that says what is wrong.",
            tool=name,
        )
