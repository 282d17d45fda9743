"""The payload of each row, for ``raw=True``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from codex_nb.columns import OBJECT, Column

__all__ = ["Sealed", "with_payload"]


class _Kept(Protocol):
    @property
    def raw(self) -> Any: ...


K = TypeVar("K", bound=_Kept)


class Sealed:
    """A payload that can hold secrets: a table shows the names of its fields, ``payload["name"]`` gives a value.

    It is no mapping: pandas would write out what is in one.
    """

    __iter__ = None

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def keys(self) -> list[str]:
        """Return the names of the fields."""
        return [*self._fields]

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: …' for name in self._fields)}}}"


def with_payload(columns: Sequence[Column[K]], raw: bool, *, sealed: bool = False) -> list[Column[K]]:  # noqa: FBT001
    """Return the columns, with ``raw`` (object: plain JSON values as they came) behind them if it is asked for."""
    if not raw:
        return [*columns]
    return [*columns, Column("raw", OBJECT, _seal if sealed else lambda row: row.raw)]


def _seal(row: _Kept) -> Any:
    payload = row.raw
    return Sealed(payload) if isinstance(payload, dict) else payload  # pyright: ignore[reportUnknownArgumentType]
