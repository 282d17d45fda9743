"""What is to be embedded, as the service takes it: any iterable of texts or token lists, split into requests.

There is no tokenizer here, and none is needed. A token stands for 1 to 128 bytes of UTF-8, so a text of more than
8192 * 128 bytes is surely too long, and every other one is left to the service to judge. Requests are filled by an
estimate of one token for two bytes: English takes one for four, Chinese and random letters one for two to three. Where
even that is too little, the service says so, and the request is sent again in halves.
"""

from __future__ import annotations

import operator
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, pairwise
from typing import Annotated, Any, Final, TypeAlias, cast

import msgspec

from codex_nb.errors import BadRequestError

__all__ = ["Inputs", "as_inputs", "halves", "longest", "spans"]

Inputs: TypeAlias = list[str] | list[list[int]]

MOST_INPUTS: Final = 2048
MOST_TOKENS: Final = 8192
MOST_TOKENS_TOGETHER: Final = 300_000
MOST_BYTES: Final = MOST_TOKENS * 128
BYTES_PER_TOKEN: Final = 2
TEXTS: Final = "Pass a text, a list or a pandas Series of texts, a list of token numbers, or a list of such lists."

# What most inputs are: texts of which none is empty, and none too long even if each character takes four bytes.
USUAL: Final[Any] = list[Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_BYTES // 4)]]


def as_inputs(value: Any, *, limited: bool = False) -> Inputs:
    """Return the texts, or the token lists, that ``value`` holds; a lone text or token list is one of them.

    Raises:
        BadRequestError: one is empty, something else or, where they are ``limited``, longer than the service takes,
            whatever its tokens are; ``index`` says which.

    """
    found: list[Any] = cast("Any", value) if isinstance(value, list) else _listed(value)
    try:
        return msgspec.convert(found, USUAL)  # a copy, in a fourth of the time of a look at each
    except msgspec.ValidationError:
        inputs = _inputs(list(found))
    if limited:
        _check_lengths(inputs)
    return inputs


def _inputs(found: list[Any]) -> Inputs:
    if not found or isinstance(found[0], str):
        return _texts(found)
    if _is_number(found[0]):
        return [_numbers(found) or [_token(each, place, "Token") for place, each in enumerate(found)]]
    return [_tokens(each, place) for place, each in enumerate(found)]


def _check_lengths(inputs: Inputs) -> None:
    most, unit = (MOST_TOKENS, "tokens") if isinstance(inputs[0], list) else (MOST_BYTES, "bytes")
    for place, each in enumerate(inputs):
        if (size := _length(each)) > most:
            raise _refused(
                f"Input {place} is too long: {size} {unit}.",
                f"The service takes {MOST_TOKENS} tokens an input; cut it into passages.",
                place,
            )


def spans(inputs: Inputs) -> Iterator[range]:
    """Split the places of ``inputs`` into requests, each within the service's limits as far as can be told."""
    start = 0
    while start < len(inputs):
        part = inputs[start : start + MOST_INPUTS]
        # Most are far from the limit, which is quickly seen: no character has more than four bytes, or two tokens.
        fits = len(part) if 2 * sum(map(len, part)) <= MOST_TOKENS_TOGETHER else _fitting(part)
        yield range(start, start + fits)
        start += fits


def _fitting(part: Inputs) -> int:
    """Return how many of the first inputs fit into one request."""
    return max(1, bisect_right(list(accumulate(map(_cost, part))), MOST_TOKENS_TOGETHER))


def halves(span: range) -> Iterator[range]:
    """Split a span of two or more in two."""
    yield from (range(*ends) for ends in pairwise((span.start, (span.start + span.stop) // 2, span.stop)))


def longest(inputs: Inputs, span: range) -> int:
    """Return the place of the input in ``span`` that has most tokens, as far as can be told."""
    return max(span, key=lambda place: _size(inputs[place]))


def _cost(each: str | list[int]) -> int:
    # What the service takes at all has no more.
    return min(_size(each), MOST_TOKENS)


def _size(each: str | list[int]) -> int:
    return len(each) if isinstance(each, list) else -(-_length(each) // BYTES_PER_TOKEN)


def _length(each: str | list[int]) -> int:
    """Return the bytes of a text, the tokens of a list."""
    return len(each) if isinstance(each, list) or each.isascii() else len(each.encode("utf-8", "replace"))


def _listed(value: Any) -> list[Any]:
    """Return the entries of an iterable; what iterates over something else than its texts is refused."""
    if isinstance(value, str):
        return [value]
    kind = cast("type[Any]", type(value))
    if hasattr(value, "columns"):
        raise _refused(f"A whole {kind.__name__} cannot be embedded.", "Name one column: input=df['text'].")
    if issubclass(kind, (bytes, bytearray, memoryview, Mapping)) or not issubclass(kind, Iterable):
        raise _refused(f"What is of type {kind.__name__} cannot be embedded.", TEXTS)
    tolist = getattr(value, "tolist", None)  # numpy's and pandas' way: plain values, no numpy scalars
    found: Any = tolist() if tolist else list(value)
    return cast("list[Any]", found) if isinstance(found, list) else [found]  # an array of no dimension


def _texts(found: list[Any]) -> list[str]:
    for place, each in enumerate(found):
        if not isinstance(each, str):
            raise _refused(f"Input {place} is no text but {_named(each)}.", "Leave it out, or fill the gap.", place)
        if not each:
            raise _refused(f"Input {place} is empty.", "The service embeds no empty text; leave it out.", place)
    return cast("list[str]", found)


def _tokens(each: Any, place: int) -> list[int]:
    if isinstance(each, str) or not isinstance(each, Iterable):
        raise _refused(f"Input {place} is no list of tokens but {_named(each)}.", TEXTS, place)
    entries = list(cast("Iterable[Any]", each))
    found = _numbers(entries) or [_token(token, place, "Input") for token in entries]
    if not found:
        raise _refused(f"Input {place} is empty.", "The service embeds no empty list; leave it out.", place)
    return found


def _numbers(entries: list[Any]) -> list[int] | None:
    """Return the entries if they are plain numbers, which is quickly seen; else None."""
    return entries if set(map(type, entries)) == {int} else None


def _token(value: Any, place: int, what: str) -> int:
    if not _is_number(value):
        raise _refused(f"{what} {place} is no token number but {_named(value)}.", TEXTS, place)
    return operator.index(value)


def _is_number(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _named(value: Any) -> str:
    kind = type(value).__name__
    gap = value is None or kind in {"NAType", "NaTType"} or (isinstance(value, float) and value != value)  # noqa: PLR0124
    return "missing" if gap else f"of type {kind}"


def _refused(message: str, hint: str, index: int | None = None) -> BadRequestError:
    return BadRequestError(message, hint=hint, status_code=400, code="invalid_input", index=index)
