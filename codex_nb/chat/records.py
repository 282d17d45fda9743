"""Records of an answer as a table: while they come, and when they are whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, cast, get_args, get_origin

import pydantic_core

from codex_nb.safe_markdown import safe_markdown
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.chat.schema import OutputSchema

__all__ = ["frame_of", "rows_so_far", "shown_rows"]

MOST_ROWS: Final = 50
LONGEST_CELL: Final = 200
# Digits at the end may go on.
TORN_NUMBER: Final = re.compile(r"[-+.\deE]+\Z")


def frame_of(schema: OutputSchema, records: Sequence[Any]) -> pd.DataFrame:
    """Return one row a record. The dtypes are those of the declared types, however many records there are.

    ``int`` is Int64, ``bool`` boolean, ``float`` float64, a choice an ordered category, a date or time
    ``datetime64[us]``, text pandas' default; anything else stays an object. A schema made of a frame has its dtypes.
    """
    from pydantic import TypeAdapter

    from codex_nb.columns import Column, table

    adapter: TypeAdapter[Any] = TypeAdapter(schema.record)
    rows = [as_object(adapter.dump_python(record, by_alias=True)) for record in records]
    columns: list[Column[Mapping[str, Any]]] = [
        Column(name, _cast(kind), lambda row, name=name: row.get(name)) for name, kind in _fields(schema.record).items()
    ]
    frame = table(columns, rows, source="an answer")
    if schema.like is None:
        return frame
    wanted: Any = schema.like.rename(columns=str).dtypes
    for name in frame:
        try:
            frame[name] = frame[name].astype(wanted[name])
        except (TypeError, ValueError):  # a missing value, where the dtype has none
            continue
    return frame


def _fields(record: Any) -> dict[str, Any]:
    """Return the fields of a record's type, by the name that they have in JSON."""
    from dataclasses import is_dataclass
    from typing import get_type_hints

    if is_dataclass(record) or not hasattr(record, "model_fields"):
        return get_type_hints(record)
    return {field.serialization_alias or name: field.annotation for name, field in record.model_fields.items()}


def _cast(kind: Any) -> Callable[[list[Any]], Any]:
    from codex_nb import columns

    kind = _present(kind)
    if get_origin(kind) is Literal:
        return columns.ordered([str(level) for level in get_args(kind)])
    casts: dict[Any, Callable[[list[Any]], Any]] = {
        int: columns.NUMBER,
        bool: columns.FLAG,
        float: columns.PERCENT,
        str: columns.TEXT,
        date: columns.MOMENT,
        datetime: columns.MOMENT,
    }
    return casts.get(kind, columns.OBJECT)


def _present(kind: Any) -> Any:
    """Return ``kind`` without the None that says it may be missing."""
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    inner = [each for each in get_args(kind) if each is not NoneType]
    return inner[0] if len(inner) == 1 else kind


def rows_so_far(text: str) -> list[dict[str, Any]]:
    """Return the records in the beginning of a JSON text; the last one may lack fields."""
    try:
        value = pydantic_core.from_json(TORN_NUMBER.sub("", text), allow_partial=True)
    except ValueError:
        return []
    found: Any = cast("Any", as_object(value).get("value")) if isinstance(value, dict) else value
    rows = cast("list[Any]", found) if isinstance(found, list) else []
    return [row for each in rows if (row := as_object(each))]


def shown_rows(text: str) -> str:
    """Return the records in ``text`` as a Markdown table; the text itself where there are none yet."""
    rows = rows_so_far(text)
    if not rows:
        return safe_markdown(f"```json\n{text}\n```") if text else ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    rules = ["---:" if _is_number(rows, name) else "---" for name in names]
    lines = [_line(names), _line(rules, safe=False)]
    lines += [_line([_cell(row.get(name)) for name in names]) for row in rows[:MOST_ROWS]]
    more = len(rows) - MOST_ROWS
    return "\n".join(lines) + (f"\n\n… and {more} more" if more > 0 else "")


def _is_number(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a column holds numbers and nothing else: they are read from the right."""
    values = [value for row in rows if (value := row.get(name)) is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _line(cells: Sequence[str], *, safe: bool = True) -> str:
    texts = [safe_markdown(cell.replace("|", "\\|")).replace("|", "&#124;") if safe else cell for cell in cells]
    return f"| {' | '.join(texts)} |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else pydantic_core.to_json(value).decode()
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_CELL else f"{line[: LONGEST_CELL - 1]}…"
