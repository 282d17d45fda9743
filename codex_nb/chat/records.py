"""Records of an answer as a table: while they come, and when they are whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import EnumType
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, cast, get_args, get_origin

import pydantic_core

from codex_nb.chat.schema import is_record
from codex_nb.safe_markdown import safe_markdown
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.chat.schema import OutputSchema
    from codex_nb.columns import Column

__all__ = ["alike", "field_columns", "fields_of", "frame_of", "rows_so_far", "shown_rows"]

MOST_ROWS: Final = 50
LONGEST_CELL: Final = 200
# Digits at the end may go on.
TORN_NUMBER: Final = re.compile(r"[-+.\deE]+\Z")


def frame_of(schema: OutputSchema, records: Sequence[Any]) -> pd.DataFrame:
    """Return one row a record. The dtypes are those of the declared types, however many records there are.

    ``int`` is Int64, ``bool`` boolean, ``float`` float64, a choice or an enumeration an ordered category, a date or
    datetime ``datetime64[us]`` (one with a zone in UTC), text pandas' default; anything else stays an object. A schema
    made of a frame has its dtypes.
    """
    from pydantic import TypeAdapter

    from codex_nb.columns import table

    adapter: TypeAdapter[Any] = TypeAdapter(schema.record)
    rows = [as_object(adapter.dump_python(record, by_alias=True)) for record in records]
    return alike(table(field_columns(_fields(schema.record)), rows, source="an answer"), schema)


def field_columns(fields: Mapping[str, Any]) -> list[Column[Mapping[str, Any]]]:
    """Return the columns of rows that are dicts with these ``fields``, each with its type; what is missing is None."""
    from codex_nb.columns import Column

    return [Column(name, _cast(kind), lambda row, name=name: row.get(name)) for name, kind in fields.items()]


def alike(frame: pd.DataFrame, schema: OutputSchema) -> pd.DataFrame:
    """Give ``frame`` the dtypes of the frame that ``schema`` was made of, where it was made of one."""
    if schema.like is None:
        return frame
    wanted: Any = schema.like.rename(columns=str).dtypes
    for name in cast("list[str]", [*wanted.index]):
        try:
            # Times come in UTC here, without saying so.
            zone = getattr(wanted[name], "tz", None)
            column = frame[name] if zone is None else frame[name].dt.tz_localize("UTC")
            frame[name] = column.astype(wanted[name])
        except (TypeError, ValueError):  # a missing value, where the dtype has none
            continue
    return frame


def fields_of(kind: Any) -> dict[str, Any] | None:
    """Return the fields of a type of records, or of a JSON schema of objects, each with its type; None of another."""
    from pydantic import WithJsonSchema

    if is_record(kind):
        return _fields(kind)
    schemas = [as_object(extra.json_schema) for extra in get_args(kind) if isinstance(extra, WithJsonSchema)]
    properties = as_object(schemas[0].get("properties")) if schemas else {}
    return {name: _kind_of(as_object(each)) for name, each in properties.items()} or None


def _kind_of(schema: Mapping[str, Any]) -> Any:
    """Return the type of what a JSON schema describes, as far as a column can have it."""
    said: Any = schema.get("type")
    names = cast("list[str]", said) if isinstance(said, list) else [said]
    choices = [value for value in schema.get("enum", ()) if value is not None]
    if choices and all(isinstance(value, str) for value in choices):
        return Literal[tuple(choices)]
    kinds: dict[Any, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
    present = [name for name in names if name != "null"]
    return kinds.get(present[0], Any) if len(present) == 1 else Any


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
    if isinstance(kind, EnumType):
        members: list[Any] = list(cast("Any", kind))
        levels = columns.ordered([str(member.value) for member in members])
        return lambda values: levels([getattr(value, "value", value) for value in values])
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
