"""Functions, classes and modules: their source, or what they say of themselves."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from codex_nb.chat.describe.text import fenced, safe_repr

__all__ = ["code_bodies", "is_code", "source_of"]

MOST_NAMES: Final = 80


def is_code(value: Any) -> bool:
    """Whether ``value`` is a function, a method, a class or a module."""
    value = _unwrapped(value)
    return isinstance(value, type | ModuleType) or inspect.isroutine(value)


def code_bodies(value: Any) -> tuple[str, Iterator[str]]:
    """Return what ``value`` is, and its source; of a module, and of what has none, what it says of itself."""
    value = _unwrapped(value)
    if isinstance(value, ModuleType):
        return f"module {value.__name__}", iter([_of_module(value)])
    kind = "class" if isinstance(value, type) else "function"
    home = getattr(value, "__module__", None) or ""
    place = f" of {home}" if home and home != "__main__" else ""
    source = source_of(value)
    return f"{kind} {value.__name__}{place}", iter([fenced(source, "python") if source else _signature(value)])


def source_of(value: Any) -> str:
    """Return the source of a function or class, that of a cell too; empty where there is none."""
    try:
        return textwrap.dedent(inspect.getsource(value)).rstrip()
    except (OSError, TypeError, SyntaxError, IndexError):
        return _class_in_cell(value) if isinstance(value, type) else ""


def _class_in_cell(kind: type) -> str:
    """Find a class of a cell by one of its methods: before Python 3.13 classes do not know where they stand."""
    import ast
    import linecache

    for method in vars(kind).values():
        code = getattr(inspect.unwrap(method) if callable(method) else None, "__code__", None)
        lines = linecache.getlines(code.co_filename) if code else []
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                return textwrap.dedent("".join(lines[first - 1 : node.end_lineno])).rstrip()
    return ""


def _unwrapped(value: Any) -> Any:
    """Return the function that a decorator or `codex_nb.tool` has wrapped."""
    if isinstance(value, type | ModuleType):
        return value
    try:
        found = inspect.unwrap(value)
    except ValueError:
        return value
    return found if inspect.isroutine(found) else value


def _signature(value: Any) -> str:
    try:
        signature = str(inspect.signature(value))
    except (ValueError, TypeError):
        signature = "(…)"
    return f"{value.__name__}{signature}\n\n{inspect.getdoc(value) or ''}".rstrip()


def _of_module(module: ModuleType) -> str:
    names = sorted(name for name in getattr(module, "__all__", dir(module)) if not name.startswith("_"))
    more = f", … {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    version = getattr(module, "__version__", None) or getattr(sys.modules.get(module.__name__), "VERSION", None)
    about = (inspect.getdoc(module) or "").partition("\n\n")[0]
    said = [about, f"Names: {', '.join(names[:MOST_NAMES])}{more}"]
    return "\n".join([*([f"Version {safe_repr(version, 40)}"] if version else []), *(each for each in said if each)])
