"""A failed cell in words for a model: its source, the error, the names around it; values only where asked for."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any, Final, cast

from codex_nb.chat.describe import describe
from codex_nb.privacy import is_private

__all__ = ["described"]

WORD: Final = re.compile(r"[^\W\d]\w*")
MOST_NAMES, MOST_COLUMNS, MOST_STEPS = 40, 40, 8
LONGEST_VALUE, LONGEST_MESSAGE, VALUE_TOKENS = 200, 2_000, 60
LIBRARY: Final = re.compile(r".*(?:site-packages|dist-packages|lib/python3\.\d+|Lib)[\\/](.*)", re.DOTALL)


def described(source: str, error: BaseException, namespace: Mapping[str, Any], *, values: bool = False) -> str:
    """Return what is told of a cell that failed.

    Names come with their types, shapes and columns, and with their values (bounded) only where ``values`` is set.
    """
    frames = list(_frames(error.__traceback__))
    parts = {
        "The cell": f"```python\n{source.strip()}\n```",
        "The error": "\n".join([_message(error), *_where(error, frames)]),
        "Names": "\n".join(_names(source, error, frames, namespace, values=values)),
        "Versions": ", ".join(_versions(source, namespace)),
    }
    return "\n\n".join(f"## {title}\n{text}" for title, text in parts.items() if text)


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """Give the steps from the cell on; those of the shell that ran it are left out."""
    while traceback:
        if "IPython" not in traceback.tb_frame.f_globals.get("__name__", ""):
            yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _is_library(frame: FrameType) -> bool:
    return LIBRARY.match(frame.f_code.co_filename) is not None


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]


def _where(error: BaseException, frames: list[tuple[FrameType, int]]) -> Iterator[str]:
    if isinstance(error, SyntaxError):
        yield f"line {error.lineno}: {(error.text or '').strip()}"
    for frame, line in frames if len(frames) <= MOST_STEPS else [*frames[:4], *frames[-4:]]:
        code = frame.f_code
        found = LIBRARY.match(code.co_filename)
        # Of a path on this machine its last part is enough.
        place = found[1] if found else "" if _is_cell(frame) else Path(code.co_filename).name
        text = linecache.getline(code.co_filename, line).strip()
        inside = f" in {code.co_name}" if code.co_name != "<module>" else ""
        yield f"{place} line {line}{inside}: {text}".strip()


def _is_cell(frame: FrameType) -> bool:
    return "__main__" in frame.f_globals.get("__name__", "")


def _names(
    source: str,
    error: BaseException,
    frames: list[tuple[FrameType, int]],
    namespace: Mapping[str, Any],
    *,
    values: bool,
) -> Iterator[str]:
    """Describe the names that the cell uses, those inside of its functions, and names close to one that is missing."""
    used = dict.fromkeys(WORD.findall(source))
    found: dict[str, Any] = {name: namespace[name] for name in used if name in namespace}
    for frame, _ in frames:
        if not _is_library(frame) and frame.f_code.co_name != "<module>":
            found |= {name: value for name, value in frame.f_locals.items() if not name.startswith(".")}
    for name, value in list(found.items())[:MOST_NAMES]:
        told = values and not isinstance(value, ModuleType) and not callable(value) and not is_private(name)
        shown = f" = {_value(value)}" if told else ""
        yield f"- {name}: {_kind(value)}{shown}"
    yield from _close(error, namespace)


def _close(error: BaseException, namespace: Mapping[str, Any]) -> Iterator[str]:
    missing = getattr(error, "name", None)
    if not isinstance(missing, str):
        return
    if isinstance(error, NameError):
        names: Iterable[str] = (name for name in namespace if not name.startswith("_"))
    elif isinstance(error, AttributeError):
        names = dir(type(error.obj)) if not isinstance(error.obj, (type, ModuleType)) else dir(error.obj)
    else:
        return
    if close := get_close_matches(missing, list(names), n=5):
        yield f"Names close to {missing}: {', '.join(close)}"


def _kind(value: Any) -> str:
    """Return what is known of a value without telling it: its type, shape, columns, length, or signature."""
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, type):
        return f"class {value.__name__}"
    name = type(cast("object", value)).__name__
    try:
        return f"function {inspect.signature(value)}" if inspect.isroutine(value) else f"{name}{_size(value)}"
    except Exception:  # noqa: BLE001 - an object may do anything; its type's name is enough then
        return name


def _size(value: Any) -> str:
    if isinstance(value, (list, tuple, dict, set)):
        return f" of {len(cast('list[Any]', value))}"
    known = dir(type(cast("object", value)))
    if "columns" in known and "dtypes" in known:
        columns = [f"{column!r} {dtype}" for column, dtype in zip(value.columns, value.dtypes, strict=True)]
        more = f" and {len(columns) - MOST_COLUMNS} more" if len(columns) > MOST_COLUMNS else ""
        return f", shape {tuple(value.shape)}, columns {', '.join(columns[:MOST_COLUMNS])}{more}"
    if "shape" not in known:
        return ""
    return f", shape {tuple(value.shape)}{f', dtype {value.dtype}' if 'dtype' in known else ''}"


def _value(value: Any) -> str:
    """Return a value as it is described anywhere: bounded, without secrets or what is private."""
    text = " ".join(describe(value).text(VALUE_TOKENS).split())
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _versions(source: str, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Give the versions of Python and of the libraries that the cell names."""
    yield "Python " + ".".join(map(str, sys.version_info[:3]))
    used = dict.fromkeys(WORD.findall(source))
    modules = [namespace[name].__name__ for name in used if isinstance(namespace.get(name), ModuleType)]
    for name in dict.fromkeys(each.partition(".")[0] for each in [*modules, *_imported(source)]):
        if name not in sys.stdlib_module_names and (version := _version(name)):
            yield f"{name} {version}"


def _imported(source: str) -> list[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def _version(name: str) -> str:
    said = getattr(sys.modules.get(name), "__version__", None)
    if isinstance(said, str):
        return said
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except (PackageNotFoundError, ValueError):
        return "" if name in sys.modules else "(not installed)"
