"""Rows as points in a plane: by Altair, else Matplotlib, else as text."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from codex_nb.frames.chart import CLEAR, Chart, Drawing
from codex_nb.frames.needed import check_columns
from codex_nb.frames.plots import SEEN
from codex_nb.frames.vectors.values import is_missing

__all__ = ["Projection", "TextPoints", "projection_plot"]

# More hide each other, and make a notebook heavy.
MOST_POINTS: Final = 4_000
MOST_HINTS: Final = 6
SIDES: Final = ("x", "y")
LONGEST_HINT: Final = 80
# Colours for what has few values; the rest is a scale.
MOST_COLOURS: Final = 12
# They can be told apart on light and on dark pages.
COLOURS: Final = [
    SEEN,
    "#e8801a",
    "#2e9e6b",
    "#d1434b",
    "#a673d9",
    "#c2a01c",
    "#1aa5b8",
    "#e06bb0",
    "#9c7a63",
    "#888888",
]
SHADES: Final = ["#3f6fe0", "#2aa198", "#e0a61a"]
GREY: Final = {"labelColor": "#888", "titleColor": "#888"}
WIDE, HIGH = 60, 20
DENSITY: Final = " .:+*#@"


class Projection(pd.DataFrame):
    """The frame of ``df.codex.project()``, which can be drawn; what is made from it is a plain DataFrame."""

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def plot(self, color: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a chart of the rows as points: near ones are alike. ``color`` names a column, or is a Series.

        An Altair chart if Altair (the extra ``plot``) is installed, with the other columns beside the pointer; else a
        Matplotlib figure, else text. Of more than 4000 rows a sample is drawn, and said so.

        Raises:
            InvalidOption: there is no such column.

        """
        return projection_plot(self, color)


def projection_plot(frame: pd.DataFrame, color: Any = None) -> Any:
    """Return the chart of a projection, by the best library that is installed.

    Raises:
        InvalidOption: there is no such column, or no place of the points any more.

    """
    check_columns(frame, SIDES)
    shown = frame.attrs.get("codex_nb", {}).get("shown")
    frame, titles, color = _plainly_named(frame, color)
    placed = frame[frame["x"].notna().to_numpy()]
    points = placed if len(placed) <= MOST_POINTS else placed.sample(MOST_POINTS, random_state=0).sort_index()
    title = _title(len(frame), len(placed), len(points), shown)
    if find_spec("altair"):
        return Chart(_altair(points, color, title, titles))
    return Drawing(_matplotlib(points, color, title, titles)) if find_spec("matplotlib") else TextPoints(points, title)


def _plainly_named(frame: Any, color: Any) -> tuple[Any, dict[str, str], str | None]:
    """Return the frame with names of our own, what is written for each, and the one of ``color``.

    Vega reads dots and brackets in a name as a path, and several columns may have one name.
    """
    names: list[Any] = [*frame.columns]
    plain = [name if name in SIDES else f"c{place}" for place, name in enumerate(names)]
    titles = {ours: str(name) for ours, name in zip(plain, names, strict=True)}
    made = pd.DataFrame(frame).set_axis(plain, axis=1)
    if color is None:
        return made, titles, None
    if isinstance(color, pd.Series):
        column = cast("Any", color)
        return made.assign(color=column), titles | {"color": str(column.name or "color")}, "color"
    known = ", ".join(repr(name) for name in names if name not in SIDES)
    check_columns(frame, [color], hint=f"There are: {known or 'none'}.")
    return made, titles, plain[names.index(color)]


def _title(rows: int, placed: int, drawn: int, shown: float | None) -> str:
    said = [
        f"{drawn} of {placed} rows" if drawn < placed else f"{placed} rows",
        f"{rows - placed} without a vector" if placed < rows else "",
        f"{shown:.0%} of the differences shown" if shown is not None else "",
    ]
    return " · ".join(filter(None, said))


def _altair(points: Any, color: str | None, title: str, titles: dict[str, str]) -> Any:
    alt: Any = import_module("altair")
    data = pd.DataFrame({name: _plain(points[name]) for name in titles})
    others = [name for name in titles if name not in SIDES]
    hints = [alt.Tooltip(f"{name}:N", title=titles[name]) for name in others[:MOST_HINTS]]
    axis = alt.Axis(labels=False, ticks=False, domain=False, gridColor="rgba(128,128,128,0.25)", **GREY)
    encoded: dict[str, Any] = {
        side: kind(f"{side}:Q", title=None, axis=axis, scale=alt.Scale(zero=False))
        for side, kind in zip(SIDES, (alt.X, alt.Y), strict=True)
    }
    if color is not None:
        scale = {"range": COLOURS if _few(points[color]) else SHADES}
        kind = "N" if _few(points[color]) else "Q"
        legend = alt.Legend(symbolOpacity=1, **GREY)
        encoded["color"] = alt.Color(f"{color}:{kind}", title=titles[color], scale=alt.Scale(**scale), legend=legend)
    marks = alt.Chart(data).mark_circle(size=36, opacity=0.7, **({} if color is not None else {"color": SEEN}))
    words = alt.TitleParams(title, anchor="start", color="#888", fontWeight="normal")
    drawn = marks.encode(**encoded, tooltip=hints).properties(width=520, height=380, title=words)
    return drawn.interactive().configure(**CLEAR)


def _plain(column: Any) -> Any:
    """Return what a chart can say of a column: numbers, and short texts."""
    if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column.dtype):
        return [None if is_missing(value) else _cut(str(value)) for value in column]
    return column.astype("float64").to_numpy() if column.dtype.kind in "fc" else column.to_numpy(object, na_value=None)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_HINT else f"{text[: LONGEST_HINT - 1]}…"


def _few(column: Any) -> bool:
    kinds = column.dropna().map(str).nunique()
    return not pd.api.types.is_numeric_dtype(column.dtype) or kinds <= MOST_COLOURS


def _matplotlib(points: Any, color: str | None, title: str, titles: dict[str, str]) -> Any:
    figure: Any = import_module("matplotlib.figure").Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    if color is None or not len(points):
        axes.scatter(points["x"], points["y"], s=14, alpha=0.7, linewidths=0, color=SEEN)
    elif _few(points[color]):
        named = points[color].map(str, na_action="ignore").fillna("none").astype(object)
        for number, (name, rows) in enumerate(points.groupby(named.to_numpy())):
            shade = COLOURS[number % len(COLOURS)]
            axes.scatter(rows["x"], rows["y"], s=14, alpha=0.7, linewidths=0, color=shade, label=_cut(str(name)))
        axes.legend(title=titles[color], frameon=False)
    else:
        shades = points[color].astype("float64")
        drawn = axes.scatter(points["x"], points["y"], s=14, alpha=0.7, linewidths=0, c=shades)
        figure.colorbar(drawn, label=titles[color])
    axes.set(xticks=[], yticks=[], title=title)
    return figure


class TextPoints:
    """Points in characters: the more of them, the darker."""

    def __init__(self, points: pd.DataFrame, title: str) -> None:
        self._points, self._title = points, title

    def __repr__(self) -> str:
        if not len(self._points):
            return self._title
        sides = [np.asarray(self._points[side], "float64") for side in ("y", "x")]
        counts = np.histogram2d(*sides, bins=(HIGH, WIDE))[0][::-1]
        steps = np.ceil(np.log1p(counts) / np.log1p(max(counts.max(), 1)) * (len(DENSITY) - 1)).astype(int)
        return "\n".join([self._title, *("".join(DENSITY[step] for step in row).rstrip() for row in steps)])
