"""Texts as a frame of vectors: asked for once, kept as they come, resumed after anything."""

import json
import signal
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex_nb import Backend, Bearer, Session, errors, frames
from codex_nb.frames.kept import Kept
from codex_nb.local import Fault, LocalBackend, Script
from codex_nb.local.vectors import bag_of_words
from tests.frames.builders import STR, dtypes, round_trip
from tests.processes import start

MODEL = "text-embedding-3-small"
PATH = "/v1/embeddings"
DTYPES = {"text": STR, "embedding": f"vector[{MODEL}]"}


@pytest.fixture
def backend(make_backend):
    """Return a backend that makes vectors without a model."""
    return make_backend(Script())


@pytest.fixture
def session(backend):
    """Return a session on it."""
    with Session(backend.url, auth=Bearer("made-up"), max_retries=0, timeout=20) as opened:
        yield opened


def asked(backend):
    """Return the texts that were asked for, in their order; requests come in any."""
    return sorted(text for request in backend.requests for text in json.loads(request.content)["input"])


def expected(texts, size=1536):
    """Return what the embedded backend makes of texts."""
    return bag_of_words(texts, MODEL, size)


def test_texts_become_a_frame_with_one_matrix(backend, session):
    """Rows in their order, one request, float32."""
    frame = frames.embeddings(["red", "green"], session)
    assert dtypes(frame) == DTYPES
    assert np.array_equal(frame["embedding"].array.matrix, expected(["red", "green"]))
    assert np.array_equal(frame["embedding"].codex.matrix, frame["embedding"].array.matrix)
    facts = frame.attrs["codex_nb"]
    assert facts["source"] == "platform/embeddings"
    assert (facts["model"], facts["asked"], facts["kept"], facts["tokens"]) == (MODEL, 2, 0, 3)
    assert len(backend.requests) == 1


@pytest.mark.parametrize("texts", [[], ["one"], [None], ["a", None, "b", "a", float("nan"), pd.NA]], ids=len)
def test_columns_and_dtypes_do_not_depend_on_the_texts(session, texts, tmp_path):
    """None, one, missing ones, several; and Parquet keeps them."""
    frame = frames.embeddings(texts, session)
    assert dtypes(frame) == DTYPES
    assert set(frame.attrs["codex_nb"]) >= {"source", "at"}
    round_trip(frame, tmp_path / "frame.parquet")


def test_missing_texts_have_missing_vectors_and_texts_are_asked_once(backend, session):
    """Also empty ones, which the service refuses: a warning counts them."""
    column = pd.Series(["a", None, "b", "a", "", "b"], index=list("uvwxyz"), name="said")
    with pytest.warns(UserWarning, match="1 of 6 texts are empty"):
        vectors = column.codex.embed(session)
    assert vectors.name == "said"
    assert list(vectors.index) == list("uvwxyz")
    assert vectors.isna().tolist() == [False, True, False, False, True, False]
    assert np.array_equal(vectors.codex.matrix[[0, 3, 2, 5]], expected(["a", "a", "b", "b"]))
    assert asked(backend) == ["a", "b"]


def test_any_kind_of_column_is_taken(session):
    """Categories, Arrow's texts, numpy's, polars', a generator, and a lone text."""
    polars = pytest.importorskip("polars")
    texts = ["a", "b", "a"]
    kinds = [
        pd.Series(texts, dtype="category"),
        pd.Series(texts, dtype="string"),
        pd.Series(texts, dtype="object"),
        pd.Index(texts),
        np.array(texts),
        polars.Series(texts),
        (text for text in texts),
    ]
    for kind in kinds:
        assert np.array_equal(frames.embeddings(kind, session)["embedding"].array.matrix, expected(texts))
    assert frames.embeddings("a", session)["text"].tolist() == ["a"]


def test_what_is_no_text_is_named_before_anything_is_sent(backend, session):
    """By its row."""
    with pytest.raises(errors.BadRequestError, match=r"Row 2 is no text but of type int\. .*astype\(str\)") as caught:
        pd.Series(["a", "b", 3]).codex.embed(session)
    assert caught.value.index == 2
    for wrong in (pd.DataFrame({"text": ["a"]}), 3, b"abc", {"a": 1}):
        with pytest.raises(errors.BadRequestError, match="holds no texts"):
            frames.embeddings(wrong, session)
    for wrong in ({"dimensions": 0}, {"concurrency": 0}, {"backend": "local"}):
        with pytest.raises(errors.InvalidOption):
            frames.embeddings(["a"], session, **wrong)
    with pytest.raises(errors.InvalidOption, match=r"This column holds .*, and no vectors"):
        pd.Series(["a"]).codex.matrix  # noqa: B018
    assert not backend.requests


def test_a_second_call_asks_for_what_is_new(backend, session):
    """By text, model and dimensions; nothing of the texts is in the file."""
    frames.embeddings(["secret words", "b"], session)
    frame = frames.embeddings(["b", "c", "secret words"], session)
    assert asked(backend) == ["b", "c", "secret words"]
    assert (frame.attrs["codex_nb"]["asked"], frame.attrs["codex_nb"]["kept"]) == (1, 2)
    assert np.array_equal(frame["embedding"].array.matrix, expected(["b", "c", "secret words"]))
    cut = frames.embeddings(["b"], session, dimensions=np.int64(8))
    assert np.array_equal(cut["embedding"].array.matrix, expected(["b"], 8))
    frames.embeddings(["b"], session, model="text-embedding-3-large")
    assert len(backend.requests) == 4
    kept = Kept.shared().path
    assert not any(b"secret" in file.read_bytes() for file in kept.parent.glob(f"{kept.name}*"))


def test_services_do_not_share_vectors(make_backend, session):
    """The same name may mean another model elsewhere; on the embedded backend the model itself counts, not its port."""
    frames.embeddings(["a"], session)
    counts = []
    for login in ("codex", "local", "local"):
        other = make_backend(Script())
        with Session(Backend.at(other.url, login=login), auth=Bearer("made-up")) as opened:
            counts.append(frames.embeddings(["a"], opened).attrs["codex_nb"]["asked"])
    assert counts == [1, 1, 0]


def test_kept_vectors_that_were_changed_are_asked_for_again(backend, session):
    """Those that are cut short, or of another length than the others."""
    texts = ["a", "b", "c"]
    frames.embeddings(texts, session)
    store = Kept.shared()
    from codex_nb.frames.vectors.embeddings import space_of

    keys = space_of(session, None, None).keys(texts)
    store.put_many([(keys[1], b"abc"), (keys[2], bytes(8))])
    frame = frames.embeddings(texts, session)
    assert np.array_equal(frame["embedding"].array.matrix, expected(texts))
    assert frame.attrs["codex_nb"]["asked"] == 2


def test_a_model_that_answers_otherwise_than_before_is_an_error(backend, session):
    """Old and new vectors cannot stand in one matrix."""
    frames.embeddings(["a"], session)
    row = {"object": "embedding", "index": 0, "embedding": [0.5, 0.5]}
    backend.inject(Fault.reply(200, {"object": "list", "data": [row], "model": "m"}).on(PATH, "POST"))
    with pytest.raises(errors.MalformedStream, match=r"with 2 and with 1536 numbers.*clear\(\)"):
        frames.embeddings(["a", "b"], session)


def test_a_refused_text_is_named_by_its_row_and_the_rest_is_kept(backend, session):
    """Missing texts and repeated ones count as rows."""
    long = "x" * 2_000_000
    with pytest.raises(errors.BadRequestError, match=r"The text in row 3 is too long") as caught:
        frames.embeddings([None, "a", "a", long], session)
    assert caught.value.index == 3
    texts = [f"text {number}" for number in range(1_100)]
    backend.inject(Fault.reply(400, {"error": {"message": "Invalid 'input[7]'."}}, skip=2).on(PATH, "POST"))
    with pytest.raises(errors.BadRequestError) as caught:
        frames.embeddings(texts, session, concurrency=1)
    assert caught.value.index == 1024 + 7
    assert frames.embeddings(texts, session).attrs["codex_nb"]["kept"] == 1024


def test_nothing_is_kept_where_that_is_off(backend, session, monkeypatch):
    """Each call asks."""
    monkeypatch.setenv("CODEX_NB_KEPT", "off")
    for _again in range(2):
        assert frames.embeddings(["a"], session).attrs["codex_nb"]["asked"] == 1
    assert len(backend.requests) == 2


def test_an_interrupt_keeps_what_came(backend, session, monkeypatch):
    """It is one line that says so, and the same call goes on from there."""
    texts = [f"text {number}" for number in range(2_000)]
    backend.inject(Fault.silence(3600, skip=2, times=2, path=PATH, method="POST"))
    waiting = threading.Event()

    def interrupt():
        while sum(request.path == PATH for request in backend.requests) < 3:
            waiting.wait(0.01)
        waiting.wait(0.3)  # it waits for the third reply by now
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(errors.Stopped, match=r"Stopped with 976 of 2000 texts to go\. What came is kept"):
        frames.embeddings(texts, session, concurrency=1)
    backend.state.faults.clear()
    frame = frames.embeddings(texts, session)
    assert frame.attrs["codex_nb"]["kept"] == 1024
    assert np.array_equal(frame["embedding"].array.matrix, expected(texts))


def embed(_pipe, url):
    """Embed many texts."""
    with Session(url, auth=Bearer("made-up")) as session:
        frames.embeddings([f"text {number}" for number in range(4_000)], session, concurrency=2, dimensions=16)


def test_a_killed_process_is_gone_on_from(backend, session):
    """No text whose vector was kept is asked for again; only what was under way is."""
    backend.inject(Fault.silence(3600, skip=5, times=2, path=PATH, method="POST"))
    program = start(embed, backend.url)
    while sum(request.path == PATH for request in backend.requests) < 7:
        assert program.process.is_alive()
        threading.Event().wait(0.02)
    program.kill()
    backend.state.faults.clear()
    before = len(asked(backend))
    texts = [f"text {number}" for number in range(4_000)]
    frame = frames.embeddings(texts, session, dimensions=16)
    assert frame.attrs["codex_nb"]["kept"] == 5 * 512
    assert len(asked(backend)) - before == 4_000 - 5 * 512
    assert np.array_equal(frame["embedding"].array.matrix, expected(texts, 16))


def test_it_says_once_who_may_bill(backend, capsys, monkeypatch):
    """Before the first request to a platform; never for this machine's own backend."""
    module = sys.modules["codex_nb.frames.vectors.embeddings"]
    monkeypatch.setattr(module, "_told", False)
    with Session(Backend.at(backend.url, login="local")) as local:
        frames.embeddings(["a"], local)
    assert not capsys.readouterr().out
    with Session(backend.url, auth=Bearer("made-up")) as platform:
        frames.embeddings([], platform)
        assert not capsys.readouterr().out
        frames.embeddings(["a"], platform)
        assert capsys.readouterr().out.splitlines() == [module.BILLED]
        frames.embeddings(["b"], platform)
    assert not capsys.readouterr().out


@pytest.fixture(scope="module")
def shared():
    """Give one backend and session for all examples."""
    with LocalBackend(Script()) as backend, Session(backend.url, auth=Bearer("made-up")) as session:
        yield session


# Anything that is a text, halves of characters too, and what stands for none.
TEXTS = st.lists(st.one_of(st.none(), st.text(st.characters(), max_size=4), st.just(float("nan"))), max_size=6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=TEXTS)
def test_any_texts_have_their_vectors(shared, texts, tmp_path):
    """Equal ones equal vectors, in their rows, from the service as from the disk."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        first, second = (frames.embeddings(texts, shared, dimensions=8) for _ in range(2))
    assert dtypes(first) == DTYPES
    assert not second.attrs["codex_nb"]["asked"]
    pd.testing.assert_frame_equal(first, second)
    round_trip(first, tmp_path / "frame.parquet")
    found = first["embedding"]
    for row, text in enumerate(texts):
        if isinstance(text, str) and text:
            sent = text.encode("utf-8", "replace").decode()
            assert np.array_equal(found[row], expected([sent], 8)[0])
        else:
            assert found[row] is pd.NA
