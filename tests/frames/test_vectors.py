"""The column type of vectors: pandas' own tests of extension types, and what is ours to promise."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pandas.tests.extension import base
from pandas.tests.extension.conftest import *  # noqa: F403 - pandas' fixtures

from codex_nb.frames.vectors.column import VectorArray, VectorDtype


@pytest.fixture
def dtype():
    """What all of them are of."""
    return VectorDtype("m")


# As many as pandas' tests of its version ask for.
MANY = 100 if pd.__version__ < "3" else 10


# Of one number each, so that pandas' tests can say ``if a == b``.
@pytest.fixture
def data():
    """Some that differ."""
    return VectorArray(np.random.default_rng(0).standard_normal((MANY, 1)), "vector[m]")


@pytest.fixture
def data_missing():
    """One that is missing, and one that is not."""
    return VectorArray([[np.nan], [1]], "vector[m]")


@pytest.fixture
def data_for_sorting():
    """In the order B, C, A."""
    return VectorArray([[2], [3], [1]], "vector[m]")


@pytest.fixture
def data_missing_for_sorting():
    """In the order B, missing, A."""
    return VectorArray([[2], [np.nan], [1]], "vector[m]")


@pytest.fixture
def na_cmp():
    """Whether both are missing."""
    return lambda one, other: one is pd.NA and other is pd.NA


@pytest.fixture
def data_for_grouping():
    """B B - - A A B C."""
    a, b, c, na = [1], [2], [3], [np.nan]
    return VectorArray([b, b, na, na, a, a, b, c], "vector[m]")


# pandas 2's own tests do.
@pytest.mark.filterwarnings("ignore:matching against an empty string:pytest.PytestWarning")
class TestExtension(
    base.BaseCastingTests,
    base.BaseDtypeTests,
    base.BaseGetitemTests,
    base.BaseIndexTests,
    base.BaseInterfaceTests,
    base.BaseMissingTests,
    base.BasePrintingTests,
    base.BaseReshapingTests,
):
    """What pandas asks of every extension type; left out is what takes a vector for a list of values."""

    test_fillna_scalar = test_fillna_readonly = test_fillna_no_op_returns_copy = None
    test_fillna_series = test_fillna_frame = test_fillna_limit_frame = test_fillna_limit_series = None
    test_loc_setitem_with_expansion_retains_ea_dtype = None
    # The matrix that is given away is read-only in any case.
    test_readonly_propagates_to_numpy_array_method = None


def vectors(*rows):
    """Return a column of vectors; None is a missing one."""
    return pd.array(list(rows), dtype="vector[m]")


def stored(frame):
    """Return a frame as it comes back from Parquet."""
    file = io.BytesIO()
    frame.to_parquet(file)
    return pd.read_parquet(io.BytesIO(file.getvalue()))


def test_a_column_is_one_matrix_of_float32():
    """A frame holds the matrix itself, and gives read-only views of it."""
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    column = pd.DataFrame({"vector": VectorArray(matrix)}, copy=False)["vector"]
    assert np.shares_memory(column.array.matrix, matrix)
    assert np.shares_memory(column[0], matrix)
    assert not column[0].flags.writeable
    assert not column.array.matrix.flags.writeable
    assert np.array_equal(np.asarray(column, "float32"), matrix)
    assert np.array_equal(column.to_numpy("float64"), matrix)
    assert column.astype("str").tolist() == ["[0. 1. 2.]", "[3. 4. 5.]"]
    assert column.to_numpy().shape == (2,)  # one thing a row, as of every column
    assert column.array.width == 3
    assert column.array.nbytes == 24


def test_missing_vectors():
    """None, NaN and NA are missing; a vector with a NaN in it is not, and one without numbers cannot be."""
    column = pd.Series(vectors([1, 2], None, [np.nan, 1], np.nan, pd.NA))
    assert column.isna().tolist() == [False, True, False, True, True]
    assert column[1] is pd.NA
    assert np.isnan(column.array.matrix[1]).all()
    assert column.dropna().index.tolist() == [0, 2]
    assert pd.Series([None, None], dtype="vector").isna().all()


def test_frames_do_with_it_what_frames_do():
    """Rows are chosen, sorted, joined, shifted, grouped and changed, and the column stays what it is."""
    frame = pd.DataFrame({"name": list("abc"), "vector": vectors([1, 2], [3, 4], [5, 6])})
    whole = pd.concat([frame, pd.DataFrame({"name": ["d"]})], ignore_index=True)
    for made in (frame[frame.name > "a"], frame.sort_values("name"), whole, frame.merge(whole, on="name", how="right")):
        kept = [dtype for dtype in made.dtypes if str(dtype) == "vector[m]"]
        assert kept
    assert whole["vector"].isna().tolist() == [False, False, False, True]
    assert np.array_equal(frame["vector"].shift(1)[2], [3, 4])
    frame.at[0, "vector"] = np.array([7, 8])  # noqa: PD008 - loc takes it for several values
    frame.loc[frame.name == "b", "vector"] = pd.NA
    assert np.array_equal(frame["vector"][0], [7, 8])
    assert frame["vector"].isna().tolist() == [False, True, False]
    twice = pd.concat([frame, frame])
    assert twice["vector"].value_counts().tolist() == [2, 2]
    assert len(twice["vector"].unique()) == 3
    assert len(twice.drop_duplicates("vector")) == 3
    assert twice.groupby("vector").size().tolist() == [2, 2]
    assert (twice["vector"].array == frame["vector"][0]).tolist() == [True, False, False] * 2


def test_vectors_of_two_models_do_not_mix():
    """Other lengths are an error that says so; other models make no column of vectors."""
    with pytest.raises(ValueError, match="Vectors of 2 and 3 numbers"):
        pd.concat([pd.Series(vectors([1, 2])), pd.Series(vectors([1, 2, 3]))])
    with pytest.raises(ValueError, match="Vectors of 2 and 3 numbers"):
        vectors([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="Vectors of 2 and 3 numbers"):
        vectors([1, 2])[0] = np.ones(3)
    other = pd.Series(vectors([1, 2])).astype("vector[n]")
    assert pd.concat([other, pd.Series(vectors([1, 2]))]).dtype == object
    assert pd.concat([other, other.astype("vector")]).dtype == "vector[n]"


def test_it_shows_short():
    """A few numbers stand for a vector."""
    frame = pd.DataFrame({"vector": VectorArray(np.full((2, 1536), 0.123456), "vector[m]")})
    assert "[0.123, 0.123, 0.123, …]" in repr(frame)
    assert len(repr(frame)) < 150
    assert len(frame._repr_html_()) < 700


def test_it_is_pickled_and_copied_whole():
    """Also a slice of it, without the rest."""
    column = VectorArray(np.ones((1_000, 50)), "vector[m]")[::100]
    packed = pickle.dumps(column)
    assert len(packed) < 10 * 50 * 4 + 1_000
    read = pickle.loads(packed)  # noqa: S301 - our own
    assert (read == column).all()
    assert read.dtype == column.dtype


NUMBERS = st.floats(width=32)
MATRICES = arrays.arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(0, 4)), elements=NUMBERS)


@given(MATRICES, st.data())
def test_parquet_and_pickle_keep_any_vector(matrix, data):
    """Of any number, length and content, missing ones among them, also of a part of a column."""
    column = VectorArray(matrix, "vector[a/b:c]")
    if len(matrix) and matrix.shape[1]:
        column[data.draw(st.integers(0, len(matrix) - 1))] = None
    whole = pd.DataFrame({"vector": column})
    frame = whole.iloc[data.draw(st.integers(0, len(whole))) :].reset_index(drop=True)
    for read in (stored(frame), pickle.loads(pickle.dumps(frame))):  # noqa: S301 - our own
        assert read["vector"].dtype == "vector[a/b:c]"
        pd.testing.assert_frame_equal(read, frame)


def test_vectors_are_found_among_others():
    """Number for number; what is no vector of this length is not among them."""
    column = pd.Series(vectors([1, 2], None, [3, 4]))
    assert column.isin([np.array([3, 4], np.float32), np.array([9, 9])]).tolist() == [False, False, True]
    assert column.isin([[1, 2], None]).tolist() == [True, True, False]
    assert column.isin(column[2:]).tolist() == [False, False, True]
    for others in ([], ["x"], [1, 2], [[1, 2, 3]]):
        assert not column.isin(others).any()
    assert column.to_frame("v").assign(n=1).isin([1])["n"].all()


def test_a_list_of_no_number_is_a_missing_vector():
    """Also where there is no other."""
    for lists in ([[], [1.0, 2.0]], [[], []], [np.array([]), None]):
        assert pd.Series(lists, dtype=object).astype("vector").isna()[0]


def test_missing_vectors_are_of_any_length():
    """Alone in a column they take the length of those that come to them, also from Parquet."""
    wide = pd.DataFrame({"vector": vectors([1, 2, 3], None)})
    longer = pd.DataFrame({"vector": vectors([1, 2, 3, 4], None)})
    missing = pd.DataFrame({"vector": vectors(None, None)})
    for none in (missing, stored(missing), stored(missing.iloc[:0]), longer.iloc[:0], longer.iloc[1:]):
        for parts in ([wide, none], [none, wide]):
            whole = pd.concat(parts, ignore_index=True)["vector"]
            assert whole.array.width == 3
            assert whole.isna().sum() == 1 + len(none)
    assert stored(missing)["vector"].array.width == 0
    column = longer["vector"].iloc[1:].copy()
    column.iloc[0] = np.array([1, 2, 3])
    assert column.array.width == 3


@given(MATRICES.filter(len), st.data())
def test_what_is_taken_is_what_was_there(matrix, data):
    """By places, masks and slices, with and without missing ones, as numpy has it."""
    column, places = VectorArray(matrix), data.draw(st.lists(st.integers(-1, len(matrix) - 1)))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(matrix), max_size=len(matrix))))
    cut = data.draw(st.slices(len(matrix)))
    for item in (np.array(places, np.intp), mask, cut):
        assert np.array_equal(column[item].matrix, matrix[item], equal_nan=True)
    filled = column.take(places, allow_fill=True)
    assert filled.isna()[np.array(places, np.intp) == -1].all()
    for place, row in zip(places, filled.matrix, strict=True):
        assert place == -1 or np.array_equal(row, matrix[place], equal_nan=True)


def test_lists_of_other_programs_are_read():
    """Lists of any length that is one, from Arrow; others are refused."""
    pa = pytest.importorskip("pyarrow")
    dtype = VectorDtype()
    lists = pa.chunked_array(
        [pa.array([[1.0, 2.0], None]), pa.array([[3.0, 4.0]]).slice(0, 1), pa.array([[None, 1.0]])]
    )
    read = dtype.__from_arrow__(lists)
    assert read.isna().tolist() == [False, True, False, False]
    assert np.array_equal(read.matrix[2], [3, 4])
    sliced = pa.array([[1, 2], [3, 4], None], pa.list_(pa.int8(), 2)).slice(1)
    assert np.array_equal(dtype.__from_arrow__(sliced).matrix, [[3, 4], [np.nan, np.nan]], equal_nan=True)
    for none in (pa.array([None, None], pa.list_(pa.float32())), pa.array([], pa.list_(pa.float32()))):
        assert dtype.__from_arrow__(none).isna().tolist() == [True] * len(none)
    with pytest.raises(ValueError, match="several lengths"):
        dtype.__from_arrow__(pa.array([[1.0], [1.0, 2.0]]))


def test_lengths_are_measured_anew_when_a_number_changes():
    """Once for all that look at the same numbers."""
    column = pd.Series(vectors([3, 4], [0, 0], None, [np.nan, 1]))
    assert np.array_equal(column.array.lengths, [5, 0, np.nan, np.nan], equal_nan=True)
    assert column.array.view().lengths is column.array.lengths
    part = column.array[:1]
    assert part.lengths.tolist() == [5]
    column.array.view()[0] = np.array([6, 8])
    assert column.array.lengths[0] == 10
    assert part.lengths.tolist() == [10]
