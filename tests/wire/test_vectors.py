"""Replies full of vectors, against the slow and obvious way of reading them."""

import base64
import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codex_nb.errors import MalformedStream
from codex_nb.wire.call import Reply
from codex_nb.wire.vectors import Vectors

numbers = st.floats(allow_nan=False, width=32)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
packed = st.binary(max_size=16).map(lambda data: base64.b64encode(data).decode())
embeddings = packed | st.lists(st.floats() | st.integers(), max_size=4) | json_values
rows = st.fixed_dictionaries({"index": st.integers(-1, 3) | json_values, "embedding": embeddings}) | json_values
bodies = st.fixed_dictionaries({"data": st.lists(rows, max_size=3) | json_values}, optional={"usage": json_values})


def read(content, count, size=None):
    """Return the matrix of one reply."""
    vectors = Vectors(count, size)
    vectors.put(range(count), Reply(200, {}, "http://127.0.0.1/v1/embeddings", 0.0, content))
    return vectors.matrix()


def reference(body, count):
    """Return the matrix row by row, None if it is none."""
    try:
        found = {}
        for row in body["data"]:
            index, embedding = row["index"], row["embedding"]
            if isinstance(embedding, str):
                vector = np.frombuffer(base64.b64decode(embedding, validate=True), "<f4")
            elif isinstance(embedding, list) and {type(n) for n in embedding} <= {int, float}:
                with np.errstate(over="ignore"):
                    vector = np.array([float(n) for n in embedding], np.float32)
            else:
                return None
            if not len(vector) or type(index) is not int or index in found:
                return None
            found[index] = vector
        if len({isinstance(row["embedding"], str) for row in body["data"]}) > 1:
            return None
        return np.stack([found.pop(place) for place in range(count)]) if len(found) == count else None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return None


@given(st.lists(st.lists(numbers, min_size=2, max_size=2), min_size=1, max_size=300), st.randoms(), st.booleans())
def test_each_vector_lands_in_its_own_row(vectors, random, as_base64):
    """In whichever order and form they come."""
    expected = np.array(vectors, np.float32)
    sent = [
        {"index": at, "embedding": base64.b64encode(row).decode() if as_base64 else row.tolist()}
        for at, row in enumerate(expected)
    ]
    random.shuffle(sent)
    content = json.dumps({"data": sent}).encode()
    assert np.array_equal(read(content, len(vectors)), expected)


@pytest.mark.parametrize("as_base64", [True, False])
@pytest.mark.parametrize("block", [1, 40, 100])
def test_vectors_land_block_by_block(monkeypatch, as_base64, block):
    """More of them than are put in place at once."""
    monkeypatch.setattr("codex_nb.wire.vectors.BLOCK", block)
    expected = np.arange(300 * 5, dtype=np.float32).reshape(300, 5)
    sent = [
        {"index": at, "embedding": base64.b64encode(row).decode() if as_base64 else row.tolist()}
        for at, row in enumerate(expected)
    ]
    assert np.array_equal(read(json.dumps({"data": sent}).encode(), 300), expected)
    sent[-1]["embedding"] = sent[-1]["embedding"][:4]
    with pytest.raises(MalformedStream, match="numbers"):
        read(json.dumps({"data": sent}).encode(), 300)


@given(bodies | json_values, st.integers(1, 3))
@example({"data": [{"index": 0, "embedding": [float("nan"), float("inf"), 1]}]}, 1)
@example({"data": [{"index": 0, "embedding": [10**400]}]}, 1)
@example({"data": [{"index": 0, "embedding": "AAAA/+8="}]}, 1)
@example({"data": [{"index": 0.0, "embedding": "AAAAAA=="}]}, 1)
@example({"data": [{"index": 0, "embedding": "AAAAAA=="}, {"index": 1, "embedding": [1.0]}]}, 2)
def test_any_reply_is_read_or_refused(body, count):
    """Whatever a server says in JSON: its vectors or MalformedStream, and nothing else."""
    content, expected = json.dumps(body).encode(), reference(body, count)
    if expected is None:
        with pytest.raises(MalformedStream):
            read(content, count)
    else:
        assert np.array_equal(read(content, count), expected, equal_nan=True)


@given(st.binary(max_size=40))
@example(b"[" * 100_000)
@example(b'{"data":[{"index":0,"embedding":"\xff\xff\xff\xff"}]}')
@example(b'{"data":[{"index":0,"embedding":"AAAAAA=="}]} trailing')
def test_any_bytes_are_read_or_refused(content):
    """A cut reply, a web page, a bomb of brackets."""
    with pytest.raises(MalformedStream):
        read(content, 1)
