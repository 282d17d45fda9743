"""Frames and series, of pandas, polars, pyarrow and their kin: what is in each column, and a few rows."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from codex_nb.chat.describe.text import cell_text, counted, missing, short
from codex_nb.privacy import is_private, placeholder

__all__ = ["frame_bodies", "is_frame"]

# From the most to the least detail: rows shown, columns listed, levels of each.
DETAILS: Final = ((12, 120, 12), (8, 80, 8), (5, 60, 5), (3, 40, 3), (2, 20, 2), (0, 20, 2), (0, 8, 0))
# Up to this many rows a frame is shown whole rather than sampled, if there is room.
WHOLE: Final = 40
# Levels are counted in so many rows at most; what tells apart more values than this is no choice but text.
COUNTED_ROWS: Final = 100_000
MOST_LEVELS: Final = 50
# Values of which none comes twice are names: a few are enough.
EXAMPLES: Final = 3
MOST_COLUMNS: Final = DETAILS[0][1]


@dataclass(frozen=True, slots=True)
class Column:
    """One column as a description says it. ``series`` is narwhals'; None where nothing is known but a type."""

    name: str
    dtype: str
    private: bool
    series: Any
    nulls: int = 0
    span: str = ""
    levels: tuple[tuple[str, int], ...] = ()
    distinct: int = 0

    def line(self, levels: int) -> str:
        """Return the line that tells of it, with so many levels at most."""
        said = [self.dtype]
        if self.series is not None:
            said.append(counted(self.nulls, "null") if self.nulls else "no nulls")
        if self.private:
            said.append("private: its values are not shown")
        said += [each for each in (self.span, self._levels(levels)) if each]
        return f"- {self.name}: {', '.join(said)}"

    def _levels(self, most: int) -> str:
        if not self.distinct:
            return ""
        if self.distinct > EXAMPLES and all(count == 1 for _, count in self.levels):
            such = "; ".join(level for level, _ in self.levels[: min(most, EXAMPLES)])
            return f"{self.distinct} distinct, none twice{f', such as {such}' if such else ''}"
        shown = "; ".join(f"{level} ({count})" for level, count in self.levels[:most])
        if not shown:
            return f"{self.distinct} distinct"
        return f"{self.distinct} distinct: {shown}{'; …' if self.distinct > most else ''}"


def is_frame(value: Any) -> bool:
    """Whether ``value`` is a frame or a series of a library that narwhals knows."""
    import narwhals as nw

    if isinstance(value, type):
        return False
    if _is_pandas(value):
        return True
    return isinstance(
        nw.from_native(value, pass_through=True, allow_series=True), nw.DataFrame | nw.LazyFrame | nw.Series
    )


def _is_pandas(value: Any) -> bool:
    """Whether it is pandas' own: there a frame may have columns of one name, which narwhals does not take."""
    return hasattr(value, "iloc") and isinstance(value, sys.modules["pandas"].DataFrame | sys.modules["pandas"].Series)


def frame_bodies(value: Any) -> tuple[str, Iterator[str]]:
    """Return what kind of frame ``value`` is, and its description, from the most to the least detailed."""
    import narwhals as nw

    frame: Any = value if _is_pandas(value) else nw.from_native(value, allow_series=True)
    library = type(value).__module__.partition(".")[0]
    kind = f"{library} {type(value).__name__}"
    if isinstance(frame, nw.LazyFrame):
        columns = [Column(name, str(dtype), is_private(name), None) for name, dtype in frame.collect_schema().items()]
        return f"{kind}, {counted(len(columns), 'column')}, not computed yet", _bodies("", columns, 0)
    if len(frame.shape) == 1:
        name = getattr(value, "name", None)
        native = [("value" if name in (None, "") else name, value)]
        rows, size = len(frame), counted(len(frame), "value")
    else:
        native = list(_columns(value, frame))
        rows = int(frame.shape[0])
        size = f"{counted(rows, 'row')} x {counted(int(frame.shape[1]), 'column')}"
    columns = [_profile(name, each) for name, each in native[:MOST_COLUMNS]]
    index = _index(value)
    return f"{kind}, {size}", _bodies("\n".join(each.line(5) for each in index), [*columns], rows, index)


def _columns(value: Any, frame: Any) -> Iterator[tuple[Any, Any]]:
    """Give the names and the native columns; those of pandas may have any names, also twice."""
    if _is_pandas(value):
        for place, name in enumerate(value.columns):
            yield name, value.iloc[:, place]
    else:
        for name in frame.columns:
            yield name, frame[name].to_native()


def _index(value: Any) -> list[Column]:
    """Return the levels of a pandas index that says something."""
    import pandas as pd

    index = getattr(value, "index", None)
    if not isinstance(index, pd.Index) or (isinstance(index, pd.RangeIndex) and index.name is None):
        return []
    levels = range(index.nlevels)
    named = [(index.names[level] or f"index{level if index.nlevels > 1 else ''}", level) for level in levels]
    return [_profile(name, index.get_level_values(level).to_series(), "index ") for name, level in named]


def _profile(name: Any, native: Any, label: str = "") -> Column:
    import narwhals as nw

    dtype = str(getattr(native, "dtype", None) or getattr(native, "type", "?"))
    shown = label + short(str(name))
    try:
        values: Any = nw.from_native(native, series_only=True)
    except TypeError:
        return Column(shown, dtype, is_private(name), None)
    kind = values.dtype  # which takes some libraries a look at the values
    if is_private(name):
        return Column(shown, dtype, private=True, series=values, nulls=_nulls(values, kind))
    levels, distinct = _levels(values, kind)
    return Column(
        shown,
        dtype,
        private=False,
        series=values,
        nulls=_nulls(values, kind),
        span=_span(values, kind),
        levels=levels,
        distinct=distinct,
    )


def _nulls(values: Any, kind: Any) -> int:
    """Count what is missing; a number that is none is missing too, whatever the library calls it."""
    if kind.is_float():
        return int((values.is_null() | values.is_nan().fill_null(value=False)).sum())
    return int(values.null_count())


def _span(values: Any, kind: Any) -> str:
    """Return the least and the greatest value of numbers and times."""
    if not (kind.is_numeric() or kind.is_temporal()):
        return ""
    try:
        if kind.is_float():
            values = values.filter(~values.is_nan().fill_null(value=True))
        low, high = values.min(), values.max()
        mean = f", mean {cell_text(float(values.mean()))}" if kind.is_numeric() and low is not None else ""
        return f"{cell_text(low)} … {cell_text(high)}{mean}" if low is not None else ""
    except Exception:  # noqa: BLE001 - what cannot be compared has no range; libraries raise what they like
        return ""


def _levels(values: Any, kind: Any) -> tuple[tuple[tuple[str, int], ...], int]:
    """Return the most frequent values with their counts, and how many there are."""
    import narwhals as nw

    if kind.is_numeric() or kind.is_temporal() or kind.is_nested():
        return (), 0
    step = max(1, -(-len(values) // COUNTED_ROWS))
    try:
        seen = values.gather_every(step) if step > 1 else values
        seen = seen.drop_nulls()
        if kind == nw.Object:
            seen = nw.new_series("v", [cell_text(each) for each in seen.to_list()], nw.String, backend="pandas")
        counts: Any = seen.value_counts(sort=True)
        distinct = int(counts.shape[0])
        rows = counts.head(MOST_LEVELS if distinct <= MOST_LEVELS else 4 * MOST_LEVELS).rows()
    except Exception:  # noqa: BLE001 - what cannot be counted has no levels; libraries raise what they like
        return (), 0
    found = sorted(((cell_text(level, 40), int(count)) for level, count in rows), key=lambda row: (-row[1], row[0]))
    found = [(level, count * step) for level, count in found if level]
    return tuple(found[:MOST_LEVELS]), distinct


def _bodies(about: str, columns: Sequence[Column], rows: int, index: Sequence[Column] = ()) -> Iterator[str]:
    if 0 < rows <= WHOLE:
        yield _body(about, columns, rows, index, (rows, MOST_COLUMNS, DETAILS[0][2]))
    for detail in DETAILS:
        yield _body(about, columns, rows, index, detail)


def _body(
    about: str, columns: Sequence[Column], rows: int, index: Sequence[Column], detail: tuple[int, int, int]
) -> str:
    most_rows, most_columns, levels = detail
    shown = columns[:most_columns]
    lines = [about] if about else []
    lines += [column.line(levels) for column in shown]
    if len(columns) > len(shown):
        lines.append(f"- … and {counted(len(columns) - len(shown), 'more column')}")
    places = _places(rows, most_rows)
    known = [*index, *(column for column in shown if column.series is not None)]
    if places and known:
        which = "All rows" if len(places) == rows else f"{len(places)} of {rows} rows, from first to last"
        lines += ["", f"{which}, as CSV:", _table(known, places)]
    return "\n".join(lines)


def _places(rows: int, most: int) -> list[int]:
    """Return the places of rows that stand for all: the first, the last, and evenly spaced ones between."""
    if rows <= most:
        return list(range(rows))
    if most <= 1:
        return [0][:most]
    return sorted({round(place * (rows - 1) / (most - 1)) for place in range(most)})


def _table(columns: Sequence[Column], places: list[int]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.name.removeprefix("index ") for column in columns)
    writer.writerows(zip(*(_cells(column, places) for column in columns), strict=True))
    return out.getvalue().rstrip("\n")


def _cells(column: Column, places: list[int]) -> list[str]:
    found: list[Any] = column.series[places].to_list()
    if column.private:
        return ["" if missing(value) else placeholder(column.dtype) for value in found]
    return [cell_text(value) for value in found]
