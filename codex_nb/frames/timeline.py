"""Cloud tasks over time as a picture: when each began, how long it took, where it ran and how it ended."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import pandas as pd

from codex_nb.durations import span
from codex_nb.frames.chart import CLEAR, Chart, Drawing
from codex_nb.frames.needed import check_columns
from codex_nb.frames.plots import AXIS, GREY, TextChart, library, nothing, time_axis

__all__ = ["timeline_plot"]

# More bars than this cannot be told apart; the latest are shown.
MOST: Final = 60
TITLE: Final = 40
WIDTH: Final = 40
# They can be told apart on light and dark pages, also by those who see red and green alike: by their brightness.
COLOURS: Final = {
    "pending": "#9aa0a6",
    "in_progress": "#4c8bf5",
    "completed": "#2e9e6b",
    "failed": "#d1434b",
    "cancelled": "#c98a1b",
    "unknown": "#b0a7c9",
}
MARKS: Final = {"pending": "·", "in_progress": "▒", "completed": "█", "failed": "✗", "cancelled": "░", "unknown": "?"}
EMPTY: Final = "No task has a time."
DRAWN: Final = ("id", "title", "environment", "status", "created", "updated")


def timeline_plot(frame: pd.DataFrame) -> Any:
    """Return the chart of a frame of `tasks`, by the best library that is installed.

    Raises:
        InvalidOption: a column that it draws is gone.

    """
    check_columns(frame, DRAWN)
    shown, left_out = _bars(frame)
    title = f"The latest {len(shown)} of {len(shown) + left_out} tasks" if left_out else "Tasks"
    found = library()
    if found == "altair":
        return Chart(_altair(shown, title))
    if found == "matplotlib" and len(shown):
        return Drawing(_matplotlib(shown, title))
    return TextChart(_text(shown, title))


def _bars(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the latest tasks with what is drawn of them, the latest first, and how many others have a time too."""
    tasks: Any = frame[frame["created"].notna()].sort_values("created", ascending=False)
    some = tasks.head(MOST)
    # A clock that went backwards makes no bar that does.
    end = some["updated"].where(some["updated"] > some["created"], some["created"])
    shown = pd.DataFrame(
        {
            "id": some["id"].astype(str),
            "task": [_short(title, "untitled") for title in some["title"]],
            "environment": [_short(place, "no environment") for place in some["environment"]],
            "status": some["status"].astype(object).where(some["status"].notna(), "unknown"),
            "begin": some["created"],
            "end": end,
            "duration": [span(length.total_seconds()) for length in end - some["created"]],
        }
    )
    shown["status"] = shown["status"].where(shown["status"].isin(list(COLOURS)), "unknown")
    return shown.reset_index(drop=True), len(tasks) - len(some)


def _short(value: Any, otherwise: str) -> str:
    """Return a text of others on one line, and without what commands a terminal."""
    text = "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) else otherwise
    text = " ".join(text.split()) or otherwise
    return text if len(text) <= TITLE else f"{text[: TITLE - 1]}…"


def _altair(shown: pd.DataFrame, title: str) -> Any:
    alt: Any = import_module("altair")
    if not len(shown):
        return nothing(alt, EMPTY)
    head = alt.TitleParams(title, anchor="start", color=GREY)
    # The id keeps tasks of one title apart; what is written is the title.
    labels = alt.Axis(labelExpr=f"{_names(shown)}[datum.value]", labelLimit=240, **AXIS)
    present = [status for status in COLOURS if status in set(shown["status"])]
    colours = alt.Scale(domain=present, range=[COLOURS[status] for status in present])
    legend = alt.Legend(labelColor=GREY, titleColor=GREY, orient="top", title=None)
    time = alt.X("begin:T", title=None, axis=time_axis(alt, shown["begin"].min(), shown["end"].max()))
    row = alt.Y("id:N", sort=None, title=None, axis=labels)
    base = alt.Chart().encode(y=row, tooltip=["task", "environment", "status", "begin:T", "duration"])
    # The stroke makes a task of seconds among tasks of days a dot, not nothing.
    bars = base.mark_bar(height=10, cornerRadius=3, strokeWidth=3, strokeJoin="round").encode(
        x=time,
        x2="end:T",
        color=alt.Color("status:N", scale=colours, legend=legend),
        stroke=alt.Stroke("status:N", scale=colours, legend=None),
    )
    lengths = base.mark_text(align="left", dx=6, fontSize=9, color=GREY).encode(x=alt.X("end:T"), text="duration")
    layers = alt.layer(bars, lengths, data=shown).properties(width=420, height=alt.Step(20))
    header = alt.Header(labelColor=GREY, labelAnchor="start", labelOrient="top", title=None)
    return (
        layers.facet(row=alt.Row("environment:N", header=header, sort=None), spacing=8)
        .resolve_scale(y="independent")
        .properties(title=head)
        .configure(**CLEAR)
    )


def _names(shown: pd.DataFrame) -> str:
    """Return a Vega expression of the titles by id. Both are text of others: JSON, which the expression reads so."""
    import json

    return json.dumps(dict(zip(shown["id"], shown["task"], strict=True)))


def _matplotlib(shown: pd.DataFrame, title: str) -> Any:
    dates: Any = import_module("matplotlib.dates")
    figure: Any = import_module("matplotlib.figure").Figure(figsize=(9, 1 + 0.32 * len(shown)), layout="constrained")
    axes = figure.subplots()
    rows: Any = shown.sort_values("environment", kind="stable")
    places = range(len(rows))
    begin, end = dates.date2num(rows["begin"]), dates.date2num(rows["end"])
    least = max(end.max() - begin.min(), 1 / 1440) / 100
    for status, colour in COLOURS.items():
        at = [place for place, one in zip(places, rows["status"], strict=True) if one == status]
        if at:
            lengths = [max(end[place] - begin[place], least) for place in at]
            axes.barh(at, lengths, left=[begin[place] for place in at], color=colour, height=0.6, label=status)
    names = zip(rows["task"], rows["environment"], strict=True)
    # No mathematics: a title may hold dollars.
    axes.set_yticks(list(places), [f"{task} · {place}" for task, place in names], fontsize=8, parse_math=False)
    axes.xaxis_date()
    locator = dates.AutoDateLocator()
    axes.xaxis.set(major_locator=locator, major_formatter=dates.ConciseDateFormatter(locator))
    axes.invert_yaxis()
    axes.set_title(title, loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


def _text(shown: pd.DataFrame, title: str) -> str:
    if not len(shown):
        return EMPTY
    first, last = shown["begin"].min(), shown["end"].max()
    whole = max((last - first).total_seconds(), 1.0)
    lines = [f"{title}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"]
    for place, tasks in shown.groupby("environment", sort=False):
        lines += ["", str(place)]
        for row in tasks.to_dict("records"):
            begin = round((row["begin"] - first).total_seconds() / whole * (WIDTH - 1))
            length = max(1, round((row["end"] - row["begin"]).total_seconds() / whole * WIDTH))
            bar = (" " * begin + MARKS[row["status"]] * length)[:WIDTH]
            lines.append(f"  {bar:<{WIDTH}} {row['task']} ({row['status']}, {row['duration']})")
    return "\n".join(lines)
