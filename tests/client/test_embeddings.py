"""Vectors of texts: any input, any number, one matrix, and every reply that is not what it must be."""

import base64
import json
import threading

import numpy as np
import pandas as pd
import pytest

from codex_nb import Backend, errors
from codex_nb.local import Fault, Script
from codex_nb.local.vectors import bag_of_words
from tests.client.both import got, tell

MODEL = "text-embedding-3-small"
PATH = "/v1/embeddings"


def embed(face, backend, input, **options):
    """Return the vectors of ``input`` by one session's face."""
    return face.run(backend, lambda one: one.embeddings.create(input=input, **options), timeout=20)


def expected(texts, size=1536):
    """Return what the embedded backend makes of texts."""
    return bag_of_words(texts, MODEL, size)


def sent(backend):
    """Return the inputs of the requests that arrived, in the order of their texts."""
    asked = [json.loads(request.content) for request in backend.requests]
    assert all(body["encoding_format"] == "base64" for body in asked)
    return [body["input"] for body in asked]


def packed(*rows):
    """Return rows of a reply, in base64."""
    return [row(i, base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()) for i, numbers in enumerate(rows)]


def row(index, embedding):
    """Return one row of a reply."""
    return {"object": "embedding", "index": index, "embedding": embedding}


def body(rows, **more):
    """Return a whole reply."""
    usage = {"prompt_tokens": 4, "total_tokens": 5}
    return {"object": "list", "data": rows, "model": "served", "usage": usage, **more}


@pytest.fixture
def backend(make_backend):
    """Return a backend that makes vectors without a model."""
    return make_backend(Script())


@pytest.fixture
def answering(make_backend):
    """Return what starts a backend that gives this reply to every request."""

    def make(payload, **options):
        return make_backend(Script(faults=[Fault.reply(200, payload, times=None, **options).on(PATH, "POST")]))

    return make


def test_texts_become_one_matrix(face, backend):
    """Rows stand in the order of the texts; the matrix is float32 and contiguous, and numpy sees it as it is."""
    found = embed(face, backend, ["red", "green", "red"])
    assert np.array_equal(found.matrix, expected(["red", "green", "red"]))
    assert found.matrix.dtype == np.float32
    assert found.matrix.flags.c_contiguous
    assert np.asarray(found) is found.matrix
    assert np.asarray(found, np.float64).dtype == np.float64
    assert sent(backend) == [["red", "green", "red"]]


def test_the_shape_is_openai_pythons(face, backend):
    """``data``, ``index``, ``object``, ``model``, ``usage``; lists of floats only where they are asked for."""
    found = embed(face, backend, ["one two", "three"], dimensions=3)
    assert [type(number) for number in found.data[1].embedding] == [float] * 3
    assert found.data[1].embedding == expected(["three"], 3)[0].tolist()
    assert [(each.index, each.object) for each in found] == [(0, "embedding"), (1, "embedding")]
    assert (len(found), len(found.data), found.data[-1].index, found[0].index) == (2, 2, 1, 0)
    assert [each.index for each in found.data[::-1]] == [1, 0]
    assert (found.object, found.model) == ("list", MODEL)
    assert found.usage.prompt_tokens == found.usage.total_tokens == 4
    assert repr(found) == f"EmbeddingResponse(2 by 3, model={MODEL!r}, total_tokens=4)"
    assert len(repr(found.data[0])) < 80
    raw = json.loads(json.dumps(found.raw))
    assert np.frombuffer(base64.b64decode(raw["data"][1]["embedding"]), "<f4").tolist() == found[1].embedding


def test_base64_is_given_where_it_is_asked_for(face, backend):
    """As with openai-python, the caller then undoes it."""
    found = embed(face, backend, "one", dimensions=3, encoding_format="base64")
    assert np.array_equal(np.frombuffer(base64.b64decode(found.data[0].embedding), "<f4"), found.matrix[0])


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("one", ["one"]),
        (("one", "two"), ["one", "two"]),
        ((text for text in ("one", "two")), ["one", "two"]),
        (pd.Series(["one", "two"], index=[7, 9]), ["one", "two"]),
        (pd.Series(["one", "two"], dtype="category"), ["one", "two"]),
        (np.array(["one", "two"]), ["one", "two"]),
        (np.array("one"), ["one"]),
        ([np.str_("one")], ["one"]),
        ([1, 2, 3], [[1, 2, 3]]),
        (np.array([1, 2, 3]), [[1, 2, 3]]),
        (np.array(5), [[5]]),
        ([[1, 2], (3,), np.array([4])], [[1, 2], [3], [4]]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (["a\ud800b", "ż\u2028🦊"], ["a?b", "ż\u2028🦊"]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_any_iterable_is_taken(backend, given, wire):
    """Texts, token lists, and what pandas and numpy make of them."""
    from tests.conftest import Face

    assert len(embed(Face("sync"), backend, given, dimensions=2)) == len(wire)
    assert sent(backend) == [wire]


def test_many_inputs_are_split_and_come_back_in_order(face, backend):
    """At most 2048 in a request, several at once, the usage of all together."""
    texts = [f"text {number}" for number in range(5000)]
    found = embed(face, backend, texts, dimensions=8)
    assert np.array_equal(found.matrix, expected(texts, 8))
    assert sorted(map(len, sent(backend))) == [904, 2048, 2048]
    assert found.usage.total_tokens == sum(-(-len(text) // 4) for text in texts)


def test_requests_stay_within_the_tokens_that_the_service_takes(face, backend):
    """Long texts and long token lists are split by what they may cost."""
    embed(face, backend, ["word " * 4000] * 70, dimensions=2)
    assert len(sent(backend)) == 2
    assert all(len("".join(texts)) / 4 <= 300_000 for texts in sent(backend))
    before = len(backend.requests)
    embed(face, backend, [[1] * 8192] * 40, dimensions=2)
    assert sorted(map(len, sent(backend)[before:])) == [4, 36]


def test_no_more_requests_run_at_once_than_asked(face, make_backend, monkeypatch):
    """``concurrency`` bounds them."""
    monkeypatch.setattr("codex_nb.wire.batches.MOST_INPUTS", 5)
    crowd = {"inside": 0, "most": 0}
    lock = threading.Lock()

    backend = make_backend(Script())
    engine = backend.state.engine
    embed_as_before = engine.embed

    async def counted(asked):
        import asyncio

        with lock:
            crowd["inside"] += 1
            crowd["most"] = max(crowd["most"], crowd["inside"])
        await asyncio.sleep(0.02)
        with lock:
            crowd["inside"] -= 1
        return await embed_as_before(asked)

    engine.embed = counted
    embed(face, backend, ["x"] * 30, dimensions=2, concurrency=3)
    assert 1 < crowd["most"] <= 3


def test_no_inputs_give_an_empty_matrix_and_no_request(face, backend):
    """It has the columns that a full one would have."""
    assert embed(face, backend, []).matrix.shape == (0, 1536)
    assert embed(face, backend, pd.Series([], dtype=object), dimensions=5).matrix.shape == (0, 5)
    assert backend.requests == []


@pytest.mark.parametrize(
    ("given", "index", "word"),
    [
        (["a", ""], 1, "empty"),
        (["a", None], 1, "missing"),
        (["a", float("nan")], 1, "missing"),
        (["a", pd.NA], 1, "missing"),
        (["a", b"b"], 1, "bytes"),
        (["a", 2], 1, "int"),
        ([[1], []], 1, "empty"),
        ([[1], "a"], 1, "str"),
        ([[1], [2.5]], 1, "float"),
        ([1, "a"], 1, "str"),
        ([True, False], 0, "bool"),
        (["a"] * 9 + ["x" * (8192 * 128 + 1)], 9, "too long"),
        (["a", "ż" * (8192 * 64 + 1)], 1, "too long"),
        ([[1], [1] * 8193], 1, "too long"),
        (b"bytes", None, "bytes"),
        ({"a": "b"}, None, "dict"),
        (5, None, "int"),
        (None, None, "NoneType"),
        (pd.DataFrame({"text": ["a"]}), None, "column"),
    ],
)
def test_what_cannot_be_embedded_is_told_before_anything_is_sent(face, backend, given, index, word):
    """The error says which input, and never quotes it."""
    with pytest.raises(errors.BadRequestError) as caught:
        embed(face, backend, given)
    assert caught.value.index == index
    assert word in str(caught.value)
    assert len(str(caught.value)) < 300
    assert caught.value.hint
    assert backend.requests == []


@pytest.mark.parametrize(
    "wrong", [{"dimensions": 0}, {"dimensions": "3"}, {"encoding_format": "hex"}, {"concurrency": 0}]
)
def test_options_that_mean_nothing_are_refused(face, backend, wrong):
    """Before anything is sent."""
    with pytest.raises(errors.InvalidOption):
        embed(face, backend, "x", **wrong)
    assert backend.requests == []


def test_a_text_that_the_service_finds_too_long_is_named(face, backend):
    """It may have been short enough, so it was sent; the service's 400 then names the longest of its request."""
    texts = ["short"] * 3000
    texts[2500] = "word " * 7000
    with pytest.raises(errors.BadRequestError, match="maximum context length") as caught:
        embed(face, backend, texts)
    assert caught.value.index == 2500
    assert "2500" in caught.value.hint


def test_an_input_that_the_service_names_is_named_by_its_own_place(face, make_backend):
    """The service counts within a request, the caller over all."""
    said = {"error": {"message": "Invalid 'input[7]': maximum input length is 8192 tokens."}}
    backend = make_backend(Script(faults=[Fault.reply(400, said, skip=1).on(PATH, "POST")]))
    with pytest.raises(errors.BadRequestError) as caught:
        embed(face, backend, ["x"] * 2100, dimensions=2, concurrency=1)
    assert caught.value.index == 2048 + 7


@pytest.mark.parametrize(
    "refusal",
    [
        (400, {"error": {"message": "Requested 412000 tokens, max 300000 tokens per request"}}),
        (413, {"error": "batch size 5 > maximum allowed batch size 2"}),
    ],
)
def test_what_is_too_much_for_one_request_is_sent_in_halves(face, make_backend, refusal):
    """The estimate may be too low, and other servers have limits of their own."""
    backend = make_backend(Script(faults=[Fault.reply(*refusal).on(PATH, "POST")] * 2))
    texts = ["a", "b", "c", "d", "e"]
    assert np.array_equal(embed(face, backend, texts, dimensions=4).matrix, expected(texts, 4))
    assert sent(backend) == [texts, ["a", "b"], ["a"], ["b"], ["c", "d", "e"]]


def test_one_batch_is_sent_again_without_the_others(face, make_backend, monkeypatch):
    """The retry policy holds for each request by itself."""
    monkeypatch.setattr("codex_nb.wire.retry.FIRST_WAIT", 0.01)
    backend = make_backend(Script(faults=[Fault.server_error(503, path=PATH), Fault.drop(path=PATH)]))
    texts = [f"text {number}" for number in range(5000)]
    found = face.run(backend, lambda one: one.embeddings.create(input=texts, dimensions=4), timeout=20, max_retries=2)
    assert np.array_equal(found.matrix, expected(texts, 4))
    assert len(backend.requests) == 5


def test_the_first_failure_ends_it_all(face, make_backend, monkeypatch):
    """Requests that were not yet begun are not made."""
    monkeypatch.setattr("codex_nb.wire.batches.MOST_INPUTS", 5)
    spent = {"error": {"code": "insufficient_quota", "message": "no credit"}}
    backend = make_backend(Script(faults=[Fault.reply(429, spent, times=None).on(PATH, "POST")]))

    async def story(one):
        before = set(threading.enumerate())
        with pytest.raises(errors.UsageLimitReached, match="no credit"):
            await got(one.embeddings.create(input=["x"] * 200, concurrency=2))
        for thread in set(threading.enumerate()) - before if face.name == "sync" else ():
            thread.join(10)  # what is under way may end while the session is still open

    tell(face, backend, story)
    assert len(backend.requests) < 10


def test_rows_may_come_in_any_order(face, answering):
    """``index`` says whose they are."""
    rows = packed([1.0, 2.0], [3.0, 4.0], [5.0, 6.0])
    found = embed(face, answering(body(rows[::-1])), ["a", "b", "c"])
    assert found.matrix.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert (found.model, found.usage.prompt_tokens, found.usage.total_tokens) == ("served", 4, 5)


def test_floats_are_understood_though_base64_was_asked_for(face, answering):
    """Some servers know nothing else; what float32 does not hold is infinite."""
    found = embed(face, answering(body([row(0, [1, -0.5, 1e300]), row(1, [0.25, 2e-50, 3])])), ["a", "b"])
    assert found.matrix.tolist() == [[1, -0.5, float("inf")], [0.25, 0, 3]]
    assert found.matrix.dtype == np.float32


GOOD = packed([1.0, 2.0], [3.0, 4.0])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        GOOD[:1],
        [*GOOD, GOOD[0]],
        [GOOD[0], GOOD[0]],
        [GOOD[0], {**GOOD[1], "index": 2}],
        [GOOD[0], {**GOOD[1], "index": -1}],
        [GOOD[0], {**GOOD[1], "index": 1 << 80}],
        [GOOD[0], {**GOOD[1], "index": None}],
        [GOOD[0], {"embedding": GOOD[1]["embedding"]}],
        [GOOD[0], {"index": 1}],
        [GOOD[0], row(1, "AAAA")],
        [GOOD[0], row(1, "AAAAAAAA!!!!")],
        [GOOD[0], row(1, "")],
        [GOOD[0], row(1, [])],
        [GOOD[0], row(1, [1.0])],
        [GOOD[0], row(1, [1.0, None])],
        [GOOD[0], row(1, [[1.0], [2.0]])],
        [GOOD[0], row(1, {"a": 1})],
        [GOOD[0], row(1, 5)],
        [row(0, ""), row(1, "")],
        [row(0, []), row(1, [])],
        [GOOD[0], None],
        None,
        {"0": GOOD[0]},
        "rows",
    ],
    ids=lambda rows: json.dumps(rows)[-60:],
)
def test_a_reply_that_is_not_one_vector_for_each_input_is_an_error(face, answering, rows):
    """Missing, double, foreign, cut and crooked rows: nothing of them is ever taken for a vector."""
    with pytest.raises(errors.MalformedStream) as caught:
        embed(face, answering(body(rows)), ["a", "b"])
    assert caught.value.hint
    assert len(str(caught.value)) < 300


def test_usage_and_model_of_any_kind_do_no_harm(face, answering):
    """What is no number counts as none."""
    found = embed(face, answering(body(GOOD, usage={"prompt_tokens": "x", "total_tokens": None}, model=5)), ["a", "b"])
    assert (found.usage.total_tokens, found.model) == (0, MODEL)
    found = embed(face, answering({"data": GOOD}), ["a", "b"])
    assert (found.usage.total_tokens, len(found)) == (0, 2)


def test_vectors_of_another_length_than_asked_are_an_error(face, answering):
    """A server that does not know ``dimensions`` says so by what it sends."""
    with pytest.raises(errors.MalformedStream, match="2 numbers where 256") as caught:
        embed(face, answering(body(GOOD)), ["a", "b"], dimensions=256)
    assert "dimensions" in caught.value.hint


def test_a_web_page_is_an_error(face, answering):
    """A proxy in the way."""
    with pytest.raises(errors.MalformedStream, match="no JSON"):
        embed(face, answering("<html>Sign in</html>"), ["a"])


def test_an_openai_compatible_server_embeds(face, backend):
    """Below its own address, without an opinion on how long a text may be, and with fields of its own."""
    url = f"{backend.url}/v1"
    found = embed(face, url, "x", dimensions=2, user="me", extra_body={"truncate_prompt_tokens": 5})
    assert found.matrix.shape == (1, 2)
    asked = json.loads(backend.requests[-1].content)
    assert (asked["user"], asked["truncate_prompt_tokens"]) == ("me", 5)
    with pytest.raises(errors.BadRequestError, match="maximum context length") as caught:
        embed(face, url, ["x", [1] * 9000][1:])
    assert caught.value.index == 0
    assert len(backend.requests) == 2
    assert not Backend.parse(url).speaks_codex
