"""Tasks over time as a picture, by whatever library is there."""

import base64
import json

import pandas as pd
import pytest

from codex_nb import Bearer, InvalidOption, Session, frames
from codex_nb.columns import table
from codex_nb.frames import plots
from codex_nb.frames.chart import Chart
from codex_nb.frames.tasks import TASKS
from codex_nb.local import LocalBackend, Script
from codex_nb.types.tasks import Task


@pytest.fixture(scope="module")
def tasks():
    """Give the frame of the sample tasks."""
    with LocalBackend(Script()) as backend, Session(backend.url, auth=Bearer("made-up")) as session:
        yield frames.tasks(session)


@pytest.fixture(params=["altair", "matplotlib", None])
def library(monkeypatch, request):
    """Let the best library for charts be each in turn, and none."""
    there = {"altair": {"altair", "matplotlib"}, "matplotlib": {"matplotlib"}, None: set()}[request.param]
    monkeypatch.setattr(plots, "find_spec", lambda name: name in there or None)
    return request.param


def drawn(library, chart):
    """Return what a chart says, as one text."""
    if library == "altair":
        return json.dumps(chart.to_dict())
    if library is None:
        return repr(chart)
    assert chart._repr_png_().startswith(b"\x89PNG")
    axes = chart.axes[0]
    names = [*axes.get_yticklabels(), *axes.get_legend().get_texts()]
    return axes.get_title(loc="left") + " ".join(one.get_text() for one in names)


def made(*payloads):
    """Return the frame of tasks of these payloads."""
    return table(TASKS, [Task.model_validate(one) for one in payloads], source="wham/tasks/list")


def test_each_task_has_its_bar_with_place_and_status(tasks, library):
    """Also those of one title, or of none."""
    said = drawn(library, tasks.codex.plot())
    for status in tasks["status"].dropna().unique():
        assert status in said
    for place in tasks["environment"].dropna().unique():
        assert place in said
    assert said.count("Fix flaky date test") >= (tasks["title"] == "Fix flaky date test").sum()


def test_titles_of_others_are_text_alone(library):
    """No expression of Vega, no mathematics, no control of a terminal; what is not said has a word."""
    title = '\x1b[31m$\\frac{ "</script> \u202e'
    nasty = {"id": "a' + b \"]", "title": title, "created_at": 1.79e9, "updated_at": 1.79e9 + 60}
    said = drawn(
        library, made(nasty, {"id": "b", "created_at": 1.79e9, "task_status_display": {"state": "x"}}).codex.plot()
    )
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "untitled" in said
    assert "no environment" in said
    assert "unknown" in said


def test_no_task_and_many_tasks_are_drawn_too(library):
    """Of many the latest; of none there is a word."""
    empty = made({"id": "a"}).codex.plot()
    assert "No task has a time" in (json.dumps(empty.to_dict()) if library == "altair" else repr(empty))
    many = made(
        *({"id": str(n), "title": f"task {n}", "created_at": 1.79e9 + n, "updated_at": 1.79e9} for n in range(90))
    )
    said = drawn(library, many.codex.plot())
    assert "The latest 60 of 90 tasks" in said
    assert "task 89" in said
    assert "task 20" not in said


def test_a_selection_of_tasks_is_drawn(tasks):
    """What was chosen from the frame has the same chart."""
    chosen = tasks[tasks["status"] == "completed"]
    assert isinstance(chosen, pd.DataFrame)
    assert "failed" not in json.dumps(chosen.codex.plot().to_dict())


@pytest.mark.parametrize("shape", [lambda t: t.set_index("id"), lambda t: t[["title", "created"]]])
def test_a_column_that_is_gone_is_named(tasks, shape):
    """With the way back from the index."""
    with pytest.raises(InvalidOption, match="no column 'id'") as caught:
        shape(tasks).codex.plot()
    assert "reset_index()" in caught.value.hint


def test_a_chart_needs_no_network_to_be_seen():
    """Front ends draw it themselves, others show its picture; a script from elsewhere is in neither."""
    pytest.importorskip("altair")
    bundle, metadata = Chart(altair_chart().properties(width=90))._repr_mimebundle_()
    assert 90 <= metadata["image/png"]["width"] <= 130
    assert set(bundle) == {"application/vnd.vegalite.v5+json", "image/svg+xml", "image/png", "text/plain"}
    assert bundle["image/svg+xml"].startswith("<svg")
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["application/vnd.vegalite.v5+json"]["mark"]["type"] == "bar"
    assert "http" not in bundle["text/plain"]
    assert Chart(altair_chart()).properties(width=9).width == 9


def test_a_title_of_others_is_no_markup_in_the_picture():
    """Pages take the SVG as it is."""
    pytest.importorskip("altair")
    title = "</text><script>alert(1)</script><img src=x onerror=alert(1)>"
    chart = made({"id": "t", "title": title, "created_at": 1.0, "updated_at": 2.0}).codex.plot()
    picture = chart._repr_mimebundle_()[0]["image/svg+xml"]
    assert "<script" not in picture
    assert "<img" not in picture
    assert "&lt;/text&gt;&lt;script&gt;" in picture


def altair_chart():
    """Return the smallest chart."""
    import altair as alt

    return alt.Chart(pd.DataFrame({"a": [1]})).mark_bar().encode(x="a:Q")
