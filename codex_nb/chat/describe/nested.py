"""Containers and objects: what they hold, so deep and so far; anything else by its repr."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import Any, Final, cast

from codex_nb.chat.describe.arrays import is_array
from codex_nb.chat.describe.frames import is_frame
from codex_nb.chat.describe.text import counted, missing, safe_repr, short
from codex_nb.privacy import is_private, placeholder

__all__ = ["is_nested", "nested_bodies", "written"]

# From the most to the least detail: levels, items of each, characters of each text.
DETAILS: Final = ((6, 200, 2_000), (5, 50, 400), (4, 20, 200), (4, 8, 100), (3, 5, 60), (2, 4, 40), (1, 3, 30))
INDENT: Final = "  "
LINE: Final = 100


def is_nested(value: Any) -> bool:
    """Whether ``value`` holds others: a container, a dataclass, a model, or an object with nothing but its fields."""
    return _entries(value) is not None


def nested_bodies(value: Any) -> tuple[str, Iterator[str]]:
    """Return what kind of container ``value`` is, and its description, from the most to the least detailed."""
    kind = type(value).__name__
    size = f", {counted(len(value), 'item')}" if hasattr(value, "__len__") else ""
    return f"{kind}{size}", (written(value, *detail) for detail in DETAILS)


@dataclass(slots=True)
class _Entries:
    """What a container holds; ``keys`` is None for those that name nothing."""

    brackets: str
    size: int
    pairs: Iterable[tuple[Any, Any]]
    named: bool = True


def _entries(value: Any) -> _Entries | None:
    """Return what ``value`` holds; None where it is no container."""
    if isinstance(value, type):
        return None
    return next((entries(value) for knows, entries in CONTAINERS if knows(value)), None)


def _of_mapping(value: Any) -> _Entries:
    return _Entries("{}", len(value), value.items())


def _type(value: Any) -> Any:
    return cast("Any", type(value))


def _of_fields(value: Any) -> _Entries:
    """Take what a dataclass, a Pydantic model, a named tuple or a plain object calls its fields."""
    kind = _type(value)
    if hasattr(kind, "__dataclass_fields__"):
        names = [each.name for each in fields(value) if each.repr]
    else:
        own: Any = getattr(kind, "model_fields", None) or getattr(value, "_fields", None)
        names = list[str](own or (name for name in cast("dict[str, Any]", vars(value)) if name[:1] != "_"))
    return _Entries("()", len(names), ((name, getattr(value, name, None)) for name in names))


def _of_list(value: Any) -> _Entries:
    return _Entries("[]", len(value), ((None, each) for each in value), named=False)


def _of_tuple(value: Any) -> _Entries:
    return replace(_of_list(value), brackets="()")


def _of_set(value: Any) -> _Entries:
    # A set has no order of its own, so the same set might read differently another day.
    members: Iterable[Any] = islice(value, 10_000)
    ordered = sorted(members, key=lambda each: (type(each).__name__, safe_repr(each, 200)))
    return _Entries("{}", len(value), ((None, each) for each in ordered), named=False)


def _has_fields(value: Any) -> bool:
    kind = _type(value)
    return (
        hasattr(kind, "__dataclass_fields__")
        or hasattr(kind, "model_fields")
        or (tuple in kind.__mro__ and hasattr(kind, "_fields"))
        or (kind.__repr__ is object.__repr__ and bool(getattr(value, "__dict__", None)))
    )


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


CONTAINERS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], _Entries]], ...]] = (
    (_is(Mapping), _of_mapping),
    (_has_fields, _of_fields),
    (_is(list), _of_list),
    (_is(tuple), _of_tuple),
    (_is(set, frozenset), _of_set),
)


def written(value: Any, depth: int, items: int, length: int) -> str:
    """Return ``value`` as text: so many levels deep, so many items of each, and characters of a text."""
    return _Writer(depth, items, length).text(value)


@dataclass(slots=True)
class _Writer:
    """Writes a value with so many levels, items of each, and characters of a text."""

    depth: int
    items: int
    length: int
    inside: list[int] = field(default_factory=list[int])

    def text(self, value: Any) -> str:
        entries = _entries(value)
        if entries is None:
            return self._single(value)
        if id(value) in self.inside:
            return "… (itself)"
        if not entries.size or len(self.inside) >= self.depth:
            return f"{entries.brackets[0]}{counted(entries.size, 'item') if entries.size else ''}{entries.brackets[1]}"
        self.inside.append(id(value))
        parts = [self._entry(key, each, entries) for key, each in islice(entries.pairs, self.items)]
        self.inside.pop()
        if entries.size > len(parts):
            parts.append(f"… {entries.size - len(parts)} more")
        name = type(value).__name__ if entries.named and entries.brackets == "()" else ""
        return name + _joined(entries.brackets, parts, len(self.inside))

    def _entry(self, key: Any, value: Any, entries: _Entries) -> str:
        if not entries.named:
            return self.text(value)
        shown = short(repr(key) if entries.brackets == "{}" else str(key), self.length)
        hidden = is_private(key) and not missing(value)
        text = placeholder(type(value).__name__) if hidden else self.text(value)
        return f"{shown}: {text}" if entries.brackets == "{}" else f"{shown}={text}"

    def _single(self, value: Any) -> str:
        if is_frame(value) or is_array(value):
            return f"<{type(value).__name__} {' x '.join(map(str, getattr(value, 'shape', ())))}>"
        return safe_repr(value, self.length)


def _joined(brackets: str, parts: list[str], level: int) -> str:
    line = ", ".join(parts)
    if len(line) <= LINE and "\n" not in line:
        return f"{brackets[0]}{line}{brackets[1]}"
    inner, outer = INDENT * (level + 1), INDENT * level
    if "\n" not in line and max(map(len, parts)) <= LINE // 4:  # many small ones: several on a line
        lines = textwrap.wrap(line, LINE, break_long_words=False, break_on_hyphens=False)
        return brackets[0] + "".join(f"\n{inner}{each}" for each in lines) + f"\n{outer}{brackets[1]}"
    return brackets[0] + "".join(f"\n{inner}{part}," for part in parts) + f"\n{outer}{brackets[1]}"
