"""Frames of tasks: pages, attempts, and the changes themselves."""

import pytest

from codex_nb import Bearer, InvalidOption, NotFoundError, Session, frames
from codex_nb.local import LocalBackend, Script


@pytest.fixture(scope="module")
def backend():
    """Give a backend with its sample tasks."""
    with LocalBackend(Script()) as started:
        yield started


@pytest.fixture
def session(backend):
    """Give a session on it."""
    with Session(backend.url, auth=Bearer("made-up")) as opened:
        yield opened


def tried(session, attempts):
    """Return the id of a task that was tried so often."""
    found = frames.tasks(session)
    return found.loc[found["attempts"] == attempts, "id"].iloc[0]


def test_tasks_of_all_pages_are_one_frame(session, capsys):
    """However large a page is; several pages show how far it is, one does not."""
    whole = frames.tasks(session, page=100)
    assert capsys.readouterr().err == ""
    paged = frames.tasks(session, page=4)
    assert "Reading tasks" in capsys.readouterr().err
    assert paged["id"].tolist() == whole["id"].tolist()
    assert len(whole) > 8


@pytest.mark.parametrize(("limit", "page"), [(1, 20), (5, 2), (6, 2), (4, 4), (5, 100)])
def test_limit_is_the_number_of_rows(session, limit, page):
    """And no page is asked for that is not needed."""
    assert len(frames.tasks(session, limit=limit, page=page)) == limit


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"page": 0}, {"limit": -1}, {"limit": "5"}, {"page": 2.5}])
def test_a_limit_that_is_no_count_is_refused(session, wrong):
    """Before anything is sent."""
    with pytest.raises(InvalidOption, match="counts"):
        frames.tasks(session, **wrong)


def test_every_attempt_is_a_row(session):
    """Beside each other, numbered from 1 as the official client counts."""
    task = tried(session, 3)
    turns = frames.turns(task, session)
    assert turns["type"].tolist() == ["user", "assistant", "assistant", "assistant"]
    assert turns["attempt"].tolist()[1:] == [1, 2, 3]
    assert turns["added"].notna().tolist() == [False, True, True, True]
    assert len(frames.turns(task, session, attempts=False)) == 2


def test_a_change_is_saved_to_the_letter(session, tmp_path):
    """One attempt of it, and no file is replaced unless that is said."""
    task = tried(session, 3)
    found = frames.diffs(task, session)
    assert found.groupby("attempt")["added"].sum().to_dict() == {1: 15, 2: 15, 3: 3}
    with pytest.raises(InvalidOption, match="3 attempts"):
        found.save(tmp_path / "x.patch")
    first = found[found["attempt"] == 1]
    path = first.save(tmp_path / "x.patch")
    assert path.read_text() == session.codex.tasks.retrieve(task).diff
    with pytest.raises(InvalidOption, match="there already"):
        first.save(path)
    assert first.save(path, overwrite=True) == path
    with pytest.raises(InvalidOption, match="no change"):
        first[:0].save(path, overwrite=True)


def test_files_are_shown_before_and_after(session):
    """In HTML that holds nothing of the change unescaped; as text it is the diff."""
    found = frames.diffs(tried(session, 3), session, attempts=False)
    view = found.side_by_side()
    assert repr(view) == found.patch
    html = view._repr_html_()
    assert html.count("<details") == len(found)
    assert "src/widgets/retry.py" in html


def test_attempts_are_compared_beside_each_other(session):
    """A column an attempt, a row a file; a model's text is text, and what an attempt leaves alone is said."""
    change = frames.diffs(tried(session, 3), session)
    change.loc[change.index[0], "diff"] += "+<script>alert(1)</script>\n"
    view = change.compare_attempts()
    html = view._repr_html_()
    assert [f"attempt {number}</th>" in html for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert all(path in html for path in change["path"].unique())
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert repr(view).splitlines()[0].split() == ["attempt", "1", "attempt", "2", "attempt", "3"]
    assert [line.split()[1:] for line in repr(view).splitlines()[1:]] == [
        ["+12", "-0", "+12", "-0", "not", "changed"],
        ["+3", "-1", "+3", "-1", "+3", "-1"],
    ]
    for nothing in (change[:0].compare_attempts(), change[:0].side_by_side()):
        assert repr(nothing) == "Nothing was changed."
        assert "Nothing was changed." in nothing._repr_html_()


def test_what_a_selection_of_columns_cannot_show_is_said(session):
    """By the column that is gone; the hint for several attempts can be followed."""
    change = frames.diffs(tried(session, 3), session)
    with pytest.raises(InvalidOption, match="3 attempts") as caught:
        change.patch  # noqa: B018
    assert "diffs(id, attempts=False)" in caught.value.hint
    for show in (lambda d: d.patch, lambda d: d.side_by_side(), lambda d: d.compare_attempts()):
        with pytest.raises(InvalidOption, match="no column '"):
            show(change[["path", "diff"]])


def test_turns_are_not_compared_as_attempts(session):
    """They build on each other."""
    change = frames.diffs(tried(session, 3), session).assign(attempt=1)
    with pytest.raises(InvalidOption, match="several turns"):
        change.compare_attempts()


def test_a_task_that_is_not_there_is_an_error(session):
    """Of the client's own kind."""
    for build in (frames.task, frames.turns, frames.diffs):
        with pytest.raises(NotFoundError):
            build("task_e_0", session)


def test_secrets_of_environments_are_not_shown(session):
    """Not even with the payload, which gives them by name."""
    found = frames.environments(session, raw=True)
    secret = found["raw"][0]["secrets"]["API_TOKEN"]
    assert secret.startswith("made-up")
    for shown in (found.to_string(), found.to_html(), repr(found["raw"][0]), found.to_csv(), str(found.attrs)):
        assert secret not in shown
