"""Rows that are alike: found exactly, gathered, and laid out."""

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from codex_nb import Backend, CodexError, Session, errors, use
from codex_nb.frames.vectors import nearest
from codex_nb.frames.vectors.column import VectorArray
from codex_nb.frames.vectors.projection import Projection, TextPoints
from codex_nb.local import LocalBackend, Script
from tests.frames.builders import STR, dtypes

WINE = ["red wine from France", "white wine from Italy", "a cat on the mat", "the cat sat down", "revenue grew", None]


@pytest.fixture(scope="module")
def backend():
    """Give one backend for all tests of this file."""
    with LocalBackend(Script()) as started:
        yield started


@pytest.fixture
def session(backend):
    """Return the shared session, on the embedded backend."""
    with Session(Backend.at(backend.url, login="local")) as opened:
        yield use(opened)


def requests(backend):
    """Return how many requests came."""
    return len(backend.requests)


def test_the_rows_most_alike_a_query_are_found(session):
    """By the vectors of a column, or of texts that are embedded for it, once; the index is the frame's."""
    frame = pd.DataFrame({"text": WINE, "score": range(6)}, index=list("abcdef"))
    found = frame.codex.search("wine", on="text", k=2)
    assert list(found.index) == ["a", "b"]
    assert dtypes(found) == {"row": "Int64", "score": "float64", "text": STR, "score_": "int64"}
    assert found["row"].tolist() == [0, 1]
    assert found["score"].is_monotonic_decreasing
    assert found.attrs["codex_nb"]["source"] == "search"
    frame["vector"] = frame["text"].codex.embed(dimensions=64)
    assert list(frame.codex.search("cat", k=2).index) == ["c", "d"]  # the query is embedded in 64 numbers too
    assert list(frame.codex.search(frame["vector"]["e"], k=1).index) == ["e"]
    assert list(frame.codex.similar("a", 1).index) == ["b"]
    assert len(frame.codex.search("cat", k=100)) == 5  # the row without a text is never found


def test_texts_are_embedded_once_for_all_searches(session, backend, monkeypatch):
    """Also where nothing is kept on disk; a text that changes is noticed."""
    monkeypatch.setenv("CODEX_NB_KEPT", "off")
    frame = pd.DataFrame({"text": [f"text {number}" for number in range(600)]})

    def asked():
        before = requests(backend)
        frame.codex.search("text 7", on="text")
        return sum(len(json.loads(request.content)["input"]) for request in backend.requests[before:])

    assert asked() > 600
    assert asked() < 10
    frame.loc[3, "text"] = "something else"
    assert asked() > 600


def test_an_empty_result_has_the_columns_of_a_full_one(session):
    """No rows, none with a vector, and some."""
    full = pd.DataFrame({"text": WINE, "vector": VectorArray(np.eye(6, 4))})
    expected = dtypes(full.codex.search(np.ones(4)))
    for frame in (full.iloc[:0], full.iloc[5:], full.assign(vector=pd.array([None] * 6, dtype="vector"))):
        found = frame.codex.search(np.ones(4))
        assert len(found) == 0
        assert dtypes(found) == expected
    assert dtypes(full.codex.similar(0)) == expected
    laid = {"x": "float64", "y": "float64", "text": STR}
    assert dtypes(full.codex.project()) == dtypes(full.iloc[:0].codex.project()) == laid
    assert full.iloc[5:].codex.project()["x"].isna().all()
    assert str(full.codex.cluster(2).dtype) == "Int64"


def test_what_cannot_be_searched_is_said(session):
    """Which column, which row, which model, how many."""
    frame = pd.DataFrame(
        {"text": WINE, "vector": VectorArray(np.eye(6, 4), "vector[m]"), "other": VectorArray(np.eye(6, 2000))}
    )
    frame["lists"] = np.eye(6, 4).tolist()
    search, one = frame.codex.search, frame.drop(columns="other").codex
    wrong = [
        (lambda: search("x"), "Which column is meant"),
        (lambda: search("x", on="no"), "no column 'no'.*'text', 'vector', 'other', 'lists'"),
        (lambda: search(np.ones(3), on="vector"), "have 4 numbers, the query's has 3"),
        (lambda: search("x", on="other"), "have 2000 numbers, the query's has 1536"),
        (lambda: search("x", on=["text"]), "There is no column"),
        (lambda: search("x", on="lists"), "Row 0 is no text"),
        (lambda: search("", on="other"), "The query is empty"),
        (lambda: search(3.5, on="vector"), "neither a text nor one vector"),
        (lambda: search(np.zeros(4), on="vector"), "without a direction"),
        (lambda: search(np.ones(4), on="vector", k=0), "k must be"),
        (lambda: search("x", on="vector", model="text-embedding-3-large"), "those of m, not of text-embedding-3-large"),
        (lambda: one.similar("no"), "There is no row 'no'"),
        (lambda: one.similar([1]), "There is no row that is called by a list"),
        (lambda: one.similar(frame.iloc[0]), "There is no row that is called by a Series"),
        (lambda: pd.concat([frame, frame]).drop(columns="other").codex.similar(0), "Several rows"),
        (lambda: frame.assign(vector=None).astype({"vector": "vector"}).codex.similar(0, on="vector"), "has no vector"),
        (lambda: one.cluster(7), "4 vectors cannot make 7 groups"),
        (lambda: one.project().plot(color="no"), "There is no column 'no'"),
        (lambda: one.project().plot(color=["text"]), "There is no column"),
    ]
    for call, said in wrong:
        with pytest.raises((errors.InvalidOption, errors.BadRequestError), match=said):
            call()


def test_lists_of_numbers_are_told_how_to_be_vectors():
    """Not to become texts."""
    frame = pd.DataFrame({"lists": [[1.0, 2.0], [3.0, 4.0]]})
    with pytest.raises(errors.BadRequestError) as caught:
        frame.codex.search("x", on="lists")
    assert "astype('vector')" in caught.value.hint


def test_a_row_may_be_named_by_a_part_of_its_label():
    """If there is no other one."""
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])
    frame = pd.DataFrame({"vector": VectorArray(np.eye(3))}, index=index)
    assert frame.codex.similar("b")["row"].tolist() == [0, 1]
    with pytest.raises(errors.InvalidOption, match="Several rows"):
        frame.codex.similar("a")


def test_columns_of_a_result_have_each_a_name_of_its_own():
    """Whatever the frame's own are called."""
    frame = pd.DataFrame({"vector": VectorArray(np.eye(2)), "score": 1, "score_": 2, "row": 3})
    assert [*frame.codex.search(np.ones(2))] == ["row", "score", "score__", "score_", "row_"]


NUMBERS = st.floats(width=32, allow_infinity=True, allow_nan=True) | st.sampled_from([0.0, 1.0, 1e-30, 1e30, 3e38])
MATRICES = st.tuples(st.integers(1, 12), st.integers(1, 5)).flatmap(
    lambda shape: arrays.arrays(np.float32, shape, elements=NUMBERS)
)


@given(MATRICES, st.data())
def test_search_is_exact_and_stable_on_any_numbers(matrix, data):
    """As plain arithmetic in float64 has it; zeros, NaN and infinities are never found, equal rows keep their order."""
    matrix = np.concatenate([matrix, matrix[: data.draw(st.integers(0, len(matrix)))]])
    query = data.draw(arrays.arrays(np.float32, matrix.shape[1], elements=st.floats(-2, 2, width=32)))
    k = data.draw(st.integers(1, len(matrix) + 2))
    array = VectorArray(matrix)
    wide, wanted = matrix.astype(np.float64), query.astype(np.float64)
    if not wanted.any():
        with pytest.raises(errors.InvalidOption):
            nearest.nearest(array, query, k)
        return
    with np.errstate(all="ignore"):
        lengths = np.sqrt((wide * wide).sum(axis=1))
        cosines = (wide * (wanted / np.sqrt((wanted * wanted).sum()))).sum(axis=1) / lengths
    good = np.isfinite(lengths) & (lengths > 0)
    rows, scores = nearest.nearest(array, query, k)
    assert len(rows) == min(k, good.sum())
    assert good[rows].all()
    assert np.allclose(scores, cosines[rows], atol=1e-9)
    best = np.sort(cosines[good])[::-1][: len(rows)]
    assert np.allclose(scores, best, atol=1e-9)
    for one, two in zip(range(len(rows)), range(1, len(rows)), strict=False):
        assert scores[one] > scores[two] or rows[one] < rows[two]


def test_blocks_and_samples_make_no_difference(monkeypatch):
    """Rows are looked at in blocks, groups and axes told from a part of them."""
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((3, 20)).astype(np.float32)
    matrix = np.repeat(middles, 400, axis=0) + rng.standard_normal((1200, 20)).astype(np.float32) * 0.1
    array, query = VectorArray(matrix), middles[1]
    whole = nearest.nearest(array, query, 7), nearest.groups(array, 3, 0), nearest.plane(array, 0)
    monkeypatch.setattr(nearest, "BLOCK", 37)
    monkeypatch.setattr(nearest, "COPIED", 11)
    parts = nearest.nearest(array, query, 7), nearest.groups(array, 3, 0), nearest.plane(array, 0)
    assert np.array_equal(whole[0][0], parts[0][0])
    assert np.array_equal(whole[1], parts[1])
    assert np.allclose(whole[2][0], parts[2][0], atol=1e-5)
    monkeypatch.setattr(nearest, "SAMPLE", 90)
    assert len(set(zip(whole[1].tolist(), nearest.groups(array, 3, 0).tolist(), strict=True))) == 3
    assert np.unique(whole[1].reshape(3, 400), axis=1).shape == (3, 1)  # each bunch is a group
    assert abs(nearest.plane(array, 0)[1] - whole[2][1]) < 0.05


def test_the_plane_is_that_of_the_principal_components():
    """As a whole singular value decomposition has it, up to the sign that is chosen; the same each time."""
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((300, 30)).astype(np.float32) * np.linspace(3, 0.1, 30, dtype=np.float32) + 0.5
    places, shown = nearest.plane(VectorArray(matrix), 0)
    directions = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    left, sizes, _ = np.linalg.svd(directions - directions.mean(axis=0), full_matrices=False)
    for axis in range(2):
        wanted = left[:, axis] * sizes[axis]
        assert min(np.abs(places[:, axis] - wanted).max(), np.abs(places[:, axis] + wanted).max()) < 2e-3
    assert shown == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum(), rel=1e-3)
    assert np.array_equal(places, nearest.plane(VectorArray(matrix), 0)[0])


@pytest.mark.parametrize("rows", [[], [[1, 0]], [[1, 0]] * 3, [[1], [2], [-1]], [[0, 0], [np.nan, np.nan]]], ids=str)
def test_few_and_equal_vectors_have_a_place_too(rows):
    """Nothing to tell apart is no reason to fail."""
    array = VectorArray(np.array(rows, np.float32).reshape(len(rows), len(rows[0]) if rows else 2))
    places, _ = nearest.plane(array, 0)
    assert places.shape == (len(rows), 2)
    assert np.isfinite(places).all(axis=1).tolist() == nearest.directed(array).tolist()


def test_groups_are_numbered_by_size_and_are_the_same_each_time():
    """0 is the largest; equal rows make fewer groups; who has no vector is in none."""
    frame = pd.DataFrame({"vector": VectorArray([[0, 1], [1, 0], [1, 0.01], [0, 0], [1, 0.02], [0.01, 1]])})
    found = frame.codex.cluster(2)
    assert found.name == "cluster"
    assert found.isna().tolist() == [False, False, False, True, False, False]
    assert found.dropna().tolist() == [1, 0, 0, 0, 1]
    assert found.equals(frame.codex.cluster(2))
    same = pd.DataFrame({"vector": VectorArray([[1, 0]] * 4)})
    assert same.codex.cluster(3).tolist() == [0, 0, 0, 0]


def test_groups_say_what_they_need(monkeypatch):
    """The extra is named where scikit-learn is not installed."""
    real = importlib.import_module

    def without(name, *rest):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(nearest, "import_module", without)
    with pytest.raises(CodexError, match=r"codex-nb\[cluster\]"):
        pd.DataFrame({"vector": VectorArray(np.eye(3))}).codex.cluster(2)


ODD = {
    "text": ["<b>x</b>", None, "y" * 500, "z"],
    "a.b[0]": [1.5, None, 3.0, float("inf")],
    7: [True, None, False, True],
    "when": pd.to_datetime(["2026-01-01", None, "2026-01-02", "2026-01-03"], utc=True),
    "x": list("abcd"),
    "lists": [[1], {}, None, (2,)],
}


def charts(frame, color, monkeypatch):
    """Return the charts of each library, and the text."""
    found = importlib.util.find_spec
    for hidden in ((), ("altair",), ("altair", "matplotlib")):
        monkeypatch.setattr(
            "codex_nb.frames.vectors.projection.find_spec", lambda name, h=hidden: None if name in h else found(name)
        )
        yield frame.plot(color=color)


@pytest.mark.parametrize(
    "color", [None, "text", "a.b[0]", 7, "when", "x_", "lists", pd.Series([0, 0, 1, 1], name="group")], ids=str
)
def test_any_column_can_be_drawn(color, monkeypatch):
    """By Altair, Matplotlib and as text: odd names, missing values, markup, lists."""
    frame = pd.DataFrame(ODD).assign(vector=VectorArray([[1, 0], [0, 1], [1, 1], [0, 0]]))
    projection = frame.codex.project()
    assert isinstance(projection, Projection)
    altair, figure, text = charts(projection, color, monkeypatch)
    drawn = altair.to_dict()
    assert drawn["title"]["text"].startswith("3 rows · 1 without a vector · 100% of the differences")
    assert len(next(iter(drawn["datasets"].values()))) == 3
    assert "y" * 81 not in json.dumps(drawn)
    json.dumps(drawn, allow_nan=False)
    figure.canvas.draw()
    assert isinstance(text, TextPoints)
    assert "3 rows" in repr(text)
    assert any(mark in repr(text) for mark in ".:+*#@")


def test_columns_of_one_name_and_in_any_order_are_drawn(monkeypatch):
    """By their places; as a colour such a name is none."""
    projection = pd.DataFrame({"vector": VectorArray(np.eye(3)), "a": 1, "b": list("uvw")}).codex.project()
    projection = Projection(projection.set_axis(["x", "y", "a", "a"], axis=1)[["a", "y", "x"]])
    for group in (None, pd.Series([0, 1, 1], name="x")):
        altair, figure, text = charts(projection, group, monkeypatch)
        assert [hint["title"] for hint in altair.to_dict()["encoding"]["tooltip"]][:2] == ["a", "a"]
        figure.canvas.draw()
        assert "3 rows" in repr(text)
    with pytest.raises(errors.InvalidOption, match="several columns 'a'"):
        projection.plot(color="a")
    with pytest.raises(errors.InvalidOption, match="no column 'x'"):
        Projection(projection[["a"]]).plot()


def test_many_points_are_drawn_by_a_sample_that_says_so():
    """Charts stay small."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"vector": VectorArray(rng.standard_normal((5_000, 3)))})
    drawn = frame.codex.project().codex.plot().to_dict()
    assert drawn["title"]["text"].startswith("4000 of 5000 rows")
    assert len(next(iter(drawn["datasets"].values()))) == 4_000


def test_nothing_can_be_drawn_too(monkeypatch):
    """A frame without a vector in it."""
    frame = pd.DataFrame({"vector": pd.array([None], dtype="vector")}).codex.project()
    altair, figure, text = charts(frame, None, monkeypatch)
    altair.to_dict()
    figure.canvas.draw()
    assert repr(text) == "0 rows · 1 without a vector"
