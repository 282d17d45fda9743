"""The tools of one question: what a request says of them, and what becomes of each call."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from codex_nb.errors import InvalidOption, ToolError
from codex_nb.tools.approve import WAYS, Approval
from codex_nb.tools.function import Tool, tool
from codex_nb.tools.nested import run_nested
from codex_nb.tools.results import as_text
from codex_nb.tools.written import cut, shown_call

if TYPE_CHECKING:
    from codex_nb.types.responses import FunctionToolCall

__all__ = ["MOST_ROUNDS", "ToolCall", "Toolbox"]

# How often one question may go on with results of calls.
MOST_ROUNDS: Final = 16
LONGEST_ERROR: Final = 2_000
LONGEST_LINE: Final = 300


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call and what became of it.

    ``status`` is ``done``, ``failed`` (the function raised; ``error`` is the exception), ``denied`` or ``invalid`` (no
    such tool, or arguments that do not validate). ``output`` is the text that the model was given.
    """

    name: str
    arguments: dict[str, Any]
    output: str
    status: str = "done"
    seconds: float = 0.0
    error: BaseException | None = field(default=None, repr=False)

    def __str__(self) -> str:
        output = cut(" ".join(self.output.split()), LONGEST_LINE)
        came = {"done": output, "denied": "denied"}.get(self.status, f"{self.status}: {output}")
        return f"{shown_call(self.name, self.arguments)} → {came}"


class Toolbox:
    """Functions that the model may call while it answers one question. ``approve`` says when the user is asked."""

    def __init__(self, functions: Iterable[Any], approval: Approval) -> None:
        self._tools: dict[str, Tool[..., Any]] = {}
        self._approval = approval
        for function in functions:
            each = tool(function)
            if each.name in self._tools:
                raise InvalidOption(f"Two tools are called {each.name}.", hint="Give one another name.")
            self._tools[each.name] = each

    @staticmethod
    def checked_way(way: str) -> str:
        """Return ``way``, one of those to approve by.

        Raises:
            InvalidOption: it is none.

        """
        if way not in WAYS:
            raise InvalidOption(f"{way!r} is no way to approve.", hint=f"It is one of {', '.join(WAYS)}.")
        return way

    def definitions(self) -> list[dict[str, Any]]:
        """Return the tools as a request says them."""
        return [each.definition() for each in self._tools.values()]

    def answer(self, call: FunctionToolCall) -> tuple[ToolCall, dict[str, Any]]:
        """Do what the model wants; return the record of it and the item that tells the model. Errors are told, too."""
        record = self._record(call)
        return record, {"type": "function_call_output", "call_id": call.call_id, "output": record.output}

    def _record(self, call: FunctionToolCall) -> ToolCall:
        name = call.name
        found = self._tools.get(name)
        if found is None:
            return ToolCall(name, {}, f"There is no tool {name!r}. There are: {', '.join(self._tools)}.", "invalid")
        try:
            arguments = found.read(call.arguments)
        except ToolError as error:
            return ToolCall(name, {}, error.message, "invalid", error=error)
        if not self._approval.of(name, arguments):
            return ToolCall(name, arguments, "The user did not allow this call.", "denied")
        began = time.monotonic()
        try:
            text = as_text(_run(found, arguments))
        except Exception as error:  # noqa: BLE001 - whatever a user's function raises is told to the model
            told = as_text(f"The call failed with {type(error).__name__}: {error}", limit=LONGEST_ERROR)
            return ToolCall(name, arguments, told, "failed", time.monotonic() - began, error)
        return ToolCall(name, arguments, text, "done", time.monotonic() - began)


def _run(function: Tool[..., Any], arguments: dict[str, Any]) -> Any:
    result = function(**arguments)
    return run_nested(result) if inspect.iscoroutine(result) else result
