"""Objects of the notebook as text for a model: bounded, without secrets, the same bytes for the same object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

from codex_nb.chat.describe.arrays import array_bodies, is_array
from codex_nb.chat.describe.code import code_bodies, is_code
from codex_nb.chat.describe.failure import failure_bodies
from codex_nb.chat.describe.frames import frame_bodies, is_frame
from codex_nb.chat.describe.nested import is_nested, nested_bodies
from codex_nb.chat.describe.text import clip, counted, fenced, safe_repr
from codex_nb.chat.tokens import estimate
from codex_nb.privacy import redact

__all__ = ["Description", "describe", "says_itself"]

Bodies = tuple[str, Iterator[str]]
OWN: Final = ("_repr_llm_", "__llm__")


@dataclass(slots=True)
class Description:
    """What is said of one object, in as many versions as there are sizes. ``kind`` is its heading."""

    kind: str
    _coming: Iterator[str] = field(repr=False)
    _bodies: list[str] = field(default_factory=list[str], repr=False)

    def text(self, tokens: int) -> str:
        """Return the most detailed version that has at most about ``tokens``; if none has, the least detailed, cut."""
        for body in self._each():
            if estimate(body) <= tokens:
                return redact(body)
        return clip(self._bodies[-1] if self._bodies else "", tokens)

    def _each(self) -> Iterator[str]:
        yield from list(self._bodies)
        try:
            for body in self._coming:
                self._bodies.append(body)
                yield body
        except Exception as error:  # noqa: BLE001 - objects may do anything
            self._bodies.append(_unknown(error))
            yield self._bodies[-1]


def describe(value: Any) -> Description:
    """Describe any object. One that says itself what a model shall read (``_repr_llm_``, ``__llm__``) is taken at that.

    Nothing that an object does while it is looked at reaches the caller: at worst its type is all that is said.
    """
    kind = type(value).__name__
    if says_itself(value):
        with suppress(Exception):
            return Description(kind, iter([_own_words(value)]))
    try:
        bodies = next((bodies for knows, bodies in DESCRIBERS if knows(value)), None)
        if bodies is None:
            return Description(kind, iter([safe_repr(value)]))
        return Description(*bodies(value))
    except Exception as error:  # noqa: BLE001 - objects may do anything
        # Not its repr either: what was to be hidden might stand in it.
        return Description(kind, iter([_unknown(error)]))


def says_itself(value: Any) -> bool:
    """Whether ``value`` has words of its own for a model."""
    with suppress(Exception):  # its __getattr__ may raise anything
        return not isinstance(value, type) and any(callable(getattr(value, name, None)) for name in OWN)
    return False


def _own_words(value: Any) -> str:
    name = next(name for name in OWN if callable(getattr(value, name, None)))
    return str(getattr(value, name)())


def _unknown(error: Exception) -> str:
    return f"(It cannot be described: {type(error).__name__}.)"


def _text_bodies(value: Any) -> Bodies:
    return f"text, {counted(len(value), 'character')}", iter([fenced(value) if value else "(empty)"])


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_failure(value: Any) -> bool:
    return isinstance(value, BaseException)


def _is_bytes(value: Any) -> bool:
    return isinstance(value, bytes | bytearray | memoryview)


def _bytes_bodies(value: Any) -> Bodies:
    data = bytes(cast("bytes", value)[:32])
    return f"{type(value).__name__}, {counted(len(value), 'byte')}", iter([f"They begin with {data.hex(' ')}."])


# The first that knows the kind of an object describes it.
DESCRIBERS: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], Bodies]], ...]] = (
    (_is_text, _text_bodies),
    (_is_bytes, _bytes_bodies),
    (_is_failure, failure_bodies),
    (is_frame, frame_bodies),
    (is_array, array_bodies),
    (is_code, code_bodies),
    (is_nested, nested_bodies),
)
