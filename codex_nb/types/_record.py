"""What the shapes of account data share: the payload is kept as it came, and reprs show chosen fields only."""

from __future__ import annotations

import copy
import functools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, cast, overload

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from codex_nb.types._base import SHORT, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic.fields import FieldInfo

__all__ = ["NULL_IS_EMPTY", "Payload", "Record", "Rows", "moment", "shown_rows"]

T = TypeVar("T")

# For a list that must be there: of none, some servers say null.
NULL_IS_EMPTY: Final = BeforeValidator(lambda value: [] if value is None else value)  # pyright: ignore[reportUnknownLambdaType]
# As many rows are in a repr.
FEW: Final = 10

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Record(Shape):
    """A JSON object of the service. ``raw`` is the payload exactly as it came.

    Fields that are not declared are attributes too; only those named in ``shown`` are in the repr, if there are any.
    """

    shown: ClassVar[tuple[str, ...]] = ()
    # A field, so that pydantic itself puts it there: a wrapping validator or a private attribute costs many times that.
    as_sent: Any = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        """Take null where a value has a default, by any of its names; what must be there stays to be judged."""
        found = cls._fields(value)
        if not isinstance(found, dict):
            return found
        fields: dict[str, Any] = {**found, "as_sent": value}
        for name in _never_null(cls):
            if fields.get(name, name) is None:
                del fields[name]
        return fields

    @classmethod
    def _fields(cls, value: Any) -> Any:
        """Return the object that ``value`` stands for, where the service also sends something else than an object."""
        return value

    @property
    def raw(self) -> Any:
        """A copy of the payload: plain JSON values, nothing added or left out."""
        return copy.deepcopy(self.as_sent)

    def __repr_args__(self) -> Any:
        """Show the chosen fields that hold something."""
        if not self.shown:
            yield from super().__repr_args__()
        for name in self.shown:
            value = getattr(self, name)
            if value not in (None, "", [], {}):
                yield name, _short(value)


class Rows(Record, Generic[T]):
    """A payload that is mostly a list: iterates, counts and indexes like the list of its ``items``."""

    @property
    def items(self) -> list[T]:
        """What is listed, in order."""
        raise NotImplementedError

    @property
    def data(self) -> list[T]:
        """The same as ``items``, by openai-python's name."""
        return self.items

    def __iter__(self) -> Iterator[T]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index]

    def __repr__(self) -> str:
        return shown_rows(f"{type(self).__name__} of {len(self)}", self.items)


class Payload(Record):
    """An answer whose form is not on record. Its fields are attributes; of an array, ``items`` are the elements."""

    @classmethod
    def _fields(cls, value: Any) -> Any:
        return {"items": cast("list[Any]", value)} if isinstance(value, list) else value

    def __repr_args__(self) -> Any:
        """Show the fields' names: what they hold is not known to be harmless."""
        yield "fields", sorted(self.model_extra or {})


def shown_rows(title: str, rows: Sequence[object]) -> str:
    """Return a repr of one line a row, for the first of them."""
    return "\n  ".join([title, *map(repr, rows[:FEW]), *(["…"] if len(rows) > FEW else [])])


class _Said(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _short(value: object) -> object:
    """Return what stands for ``value`` in a repr: a time to the minute, a long text cut."""
    if isinstance(value, datetime):
        return _Said(f"{value:%Y-%m-%d %H:%M} UTC")
    text = repr(value)
    return value if len(text) <= SHORT else _Said(f"{text[:SHORT]}…")


@functools.cache
def _never_null(kind: type[Record]) -> tuple[str, ...]:
    return tuple(str(name) for field in kind.model_fields.items() for name in _optional(*field))


def _optional(name: str, field: FieldInfo) -> Iterator[object]:
    """Give the names of a field that no null may stand under: all of one with a default, and any one of several."""
    if isinstance(field.validation_alias, AliasChoices):
        yield from field.validation_alias.choices
    elif not field.is_required() and field.default is not None:  # a default of None takes null as it is
        yield name


def moment(value: object) -> datetime | None:
    """Return epoch seconds or an ISO 8601 text as an aware time in UTC; None if it is none that a clock can show."""
    try:
        if isinstance(value, str):
            when = datetime.fromisoformat(value.strip())
            return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return EPOCH + timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    return None
