"""The forecast as a picture: by Altair, else Matplotlib, else as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import pandas as pd

from codex_nb.frames.chart import CLEAR, Chart, Drawing
from codex_nb.frames.needed import check_columns

__all__ = ["AXIS", "GREY", "TextChart", "forecast_plot", "library", "nothing", "time_axis"]

# They can be told apart on light and dark pages, and without colours by their form.
SEEN, EVEN, GREY = "#4c8bf5", "#999999", "#888"
AXIS: Final = {
    "labelColor": GREY,
    "titleColor": GREY,
    "gridColor": "rgba(128,128,128,0.25)",
    "tickColor": GREY,
    "domainColor": GREY,
}
# How times are written on an axis of at most this length; on longer ones by the month.
FORMS: Final = {"36h": "%H:%M", "4D": "%a %H:%M", "300D": "%b %d"}
EMPTY: Final = "Nothing was observed yet."
BARS: Final = " ▁▂▃▄▅▆▇█"
COLUMNS: Final = 60

Windows = Sequence[dict[str, Any]]


def forecast_plot(frame: pd.DataFrame) -> Any:
    """Return the chart of a forecast, by the best library that is installed.

    Raises:
        InvalidOption: a column that tells its windows apart is gone.

    """
    windows = _present(frame)
    found = library()
    if found == "altair":
        return Chart(_altair(windows))
    if found == "matplotlib" and windows:
        return Drawing(_matplotlib(windows))
    return TextChart("\n\n".join(_text(window) for window in windows) or EMPTY)


def _present(frame: pd.DataFrame) -> Windows:
    """Return the windows that still have a row."""
    check_columns(frame, ("limit", "window"))
    rows = [frame[name].tolist() for name in ("limit", "window")]
    titles = {" · ".join(part for part in row if isinstance(part, str)) for row in zip(*rows, strict=True)}
    return [window for window in frame.attrs["codex_nb"]["windows"] if window["title"] in titles]


def library() -> str | None:
    """Return the best library for charts that is installed, None if none is."""
    return next((name for name in ("altair", "matplotlib") if find_spec(name)), None)


def _altair(windows: Windows) -> Any:
    alt: Any = import_module("altair")

    charts = [_window(alt, window) for window in windows]
    if not charts:
        return nothing(alt, EMPTY)
    return alt.vconcat(*charts).configure(**CLEAR)


def _window(alt: Any, window: dict[str, Any]) -> Any:
    whens = [pd.Timestamp(one[0], unit="s") for name in ("observed", "even", "fan") for one in window[name]]
    time = alt.X("time:T", title=None, axis=time_axis(alt, min(whens), max(whens)))
    used = alt.Y("used:Q", title="% used", scale=alt.Scale(domain=[0, 100], clamp=True), axis=alt.Axis(**AXIS))
    seen, even = _lines(window["observed"], ["used"]), _lines(window["even"], ["used"])
    fan = _lines(window["fan"], ["used", "low", "high"])
    low = alt.Y("low:Q", title="% used")
    layers = [
        alt.Chart(fan).mark_area(opacity=0.22, color=SEEN).encode(x=time, y=low, y2="high:Q"),
        alt.Chart(even).mark_line(strokeDash=[4, 4], color=EVEN).encode(x=time, y=used),
        alt.Chart(fan).mark_line(strokeDash=[2, 3], color=SEEN).encode(x=time, y=used),
        alt.Chart(seen)
        .mark_line(interpolate="step-after", color=SEEN, strokeWidth=2.5)
        .encode(x=time, y=used, tooltip=["time:T", "used:Q"]),
    ]
    grey = {"color": GREY, "subtitleColor": GREY}
    title = alt.TitleParams(window["title"], subtitle=window["label"], anchor="start", **grey)
    return alt.layer(*layers).properties(width=520, height=180, title=title)


def nothing(alt: Any, words: str) -> Any:
    """Return a chart that has nothing to show, and says so."""
    title = alt.TitleParams(words, anchor="start", color=GREY)
    # Of a line without points vl-convert makes no picture.
    return alt.Chart(pd.DataFrame({"time": []})).mark_bar().properties(title=title, height=1).configure(**CLEAR)


def time_axis(alt: Any, begin: pd.Timestamp, end: pd.Timestamp) -> Any:
    """Return an axis for what lies between two moments: one form of its labels, by how much that is."""
    form = next((form for longest, form in FORMS.items() if end - begin <= pd.Timedelta(longest)), "%b %Y")
    return alt.Axis(format=form, tickCount=8, labelOverlap="greedy", **AXIS)


def _lines(points: Sequence[Sequence[float]], names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(points), columns=["time", *names], dtype="float64")
    frame["time"] = pd.to_datetime(frame["time"], unit="s", utc=True)
    return frame


def _matplotlib(windows: Windows) -> Any:
    dates: Any = import_module("matplotlib.dates")
    figure: Any = import_module("matplotlib.figure").Figure(figsize=(7, 2.6 * len(windows)), layout="constrained")
    for axes, window in zip(figure.subplots(len(windows), squeeze=False).flat, windows, strict=True):
        seen, even, fan = (_whens(window[name]) for name in ("observed", "even", "fan"))
        if fan[0]:
            axes.fill_between(fan[0], fan[2], fan[3], color=SEEN, alpha=0.22, linewidth=0)
            axes.plot(fan[0], fan[1], color=SEEN, linestyle=":")
        if even[0]:
            axes.plot(even[0], even[1], color=EVEN, linestyle="--")
        axes.step(seen[0], seen[1], color=SEEN, where="post", linewidth=2)
        locator = dates.AutoDateLocator()
        axes.xaxis.set(major_locator=locator, major_formatter=dates.ConciseDateFormatter(locator))
        axes.set(ylim=(0, 100), ylabel="% used", title=f"{window['title']}: {window['label']}")
    return figure


def _whens(points: Sequence[Sequence[float]]) -> list[Any]:
    columns: list[Any] = [list(column) for column in zip(*points, strict=True)] or [[], [], [], []]
    columns[0] = [datetime.fromtimestamp(when, UTC) for when in columns[0]]
    return columns


class TextChart:
    """A chart in characters. Of a forecast a column is a stretch of the window, ``·`` what is to be expected."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _text(window: dict[str, Any]) -> str:
    seen, fan, even = window["observed"], window["fan"], window["even"]
    begin = even[0][0] if even else seen[0][0]
    end = max([*(point[0] for point in fan), seen[-1][0], begin + 1.0])
    levels = [_level([*seen, *fan], begin + (end - begin) * (place + 1) / COLUMNS) for place in range(COLUMNS)]
    now = round((seen[-1][0] - begin) / (end - begin) * COLUMNS)
    bars = "".join(BARS[min(8, int(level / 12.5 + 0.99))] for level in levels)
    return f"{window['title']}: {window['label']}\n|{bars}|\n {'─' * max(0, now - 1)}┴{'·' * (COLUMNS - max(1, now))}"


def _level(points: Sequence[Sequence[float]], when: float) -> float:
    before = [point[1] for point in points if point[0] <= when]
    return max(0.0, before[-1]) if before else 0.0
