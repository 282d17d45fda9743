"""Dask: the same answers from several workers, and no login on the way to them."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from codex_nb import InvalidOption, NotSignedIn
from tests.auth.logins import LoginFile
from tests.frames.test_map import SCHEMA, Server, right, texts

dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")
import codex_nb.frames.dask  # noqa: E402 - `.codex` on frames of Dask

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask's own
PROMPT = "Judge: {{text}}"


@pytest.fixture(scope="module")
def server():
    """A backend that counts."""
    started = Server()
    yield started
    started.close()


@pytest.fixture(scope="module")
def home(server, tmp_path_factory):
    """The workers' login."""
    folder = tmp_path_factory.mktemp("workers")
    return LoginFile(folder, server.backend, lifetime=3600)


@pytest.fixture(scope="module")
def cluster(home):
    """Two workers, each a process with a login file and a store of its own machine's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODEX_HOME", str(home.path.parent))
        patch.setenv("CODEX_NB_KEPT", str(home.path.parent / "kept.sqlite3"))
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client


def lazily(server, frame, **options):
    """Return the questions of a frame in six partitions."""
    options = {"schema": SCHEMA, "model": "gpt-5.4", "backend": server.backend.url} | options
    return dd.from_pandas(frame, npartitions=6, sort=False).codex.map(PROMPT, **options)


def test_two_workers_answer_as_pandas_does(server, cluster):
    """The columns are known before, and each row is asked once."""
    frame = texts(60)
    lazy = lazily(server, frame)
    expected = server.map(frame, PROMPT, keep=False)
    before = len(server.asked)
    found = lazy.compute()
    assert [*lazy.dtypes.items()] == [*expected.dtypes.items()]
    answers = [name for name in expected if name != "_usage"]
    assert found[answers].equals(expected[answers])
    assert len(server.asked) - before == 60
    questions = [request for request in server.backend.requests if request.path.endswith("/responses")][-60:]
    assert 1 <= len({request.headers["session-id"] for request in questions}) <= 2  # one a worker
    lazy.compute()
    assert len(server.asked) - before == 60


def test_two_workers_embed_as_pandas_does(server, cluster):
    """One column of vectors."""
    frame = texts(30)
    lazy = dd.from_pandas(frame, npartitions=3)["text"].codex.embed(backend=server.backend.url)
    expected = frame.text.codex.embed(server.session)
    found = lazy.compute()
    assert [*found.index] == [*expected.index]
    assert np.array_equal(found.codex.matrix, expected.codex.matrix)


def test_no_login_is_in_the_graph(server, home, cluster):
    """Neither of the file's tokens, nor the file's place, nor a bearer of the session here."""
    lazy = lazily(server, texts(12))
    travels = pickle.dumps(dict(lazy.__dask_graph__())) + pickle.dumps(lazy.optimize().__dask_keys__())
    assert b"_mapped" in travels
    secrets = [*(v for v in home.tokens.values() if isinstance(v, str) and len(v) > 8), "made-up-bearer", "auth.json"]
    assert len(secrets) > 3
    assert not [secret for secret in secrets if secret.encode() in travels]


def test_the_limit_of_one_worker_stops_all(server, cluster):
    """The rest waits; after the answer that reaches it nobody begins another question."""
    server.backend.state.quota.reset()
    used = server.backend.state.quota.windows()[0]
    used.budget, before = 4_000, len(server.asked)
    try:
        found = lazily(server, texts(300, start=1_000), max_quota=10, concurrency=2).compute()
    finally:
        used.budget = 2_000_000
    counts = found._status.value_counts()
    assert counts["done"] + counts["waiting"] == 300
    assert 0 < counts["done"] == len(server.asked) - before < 100
    assert right(texts(300, start=1_000), found)


def test_without_a_cluster_it_works_as_well(server, home, monkeypatch):
    """On the threads of this process; a missing login is said."""
    frame = texts(10, start=500)
    monkeypatch.setenv("CODEX_HOME", str(home.path.parent / "nowhere"))
    with pytest.raises(NotSignedIn):
        lazily(server, frame).compute(scheduler="threads")
    monkeypatch.setenv("CODEX_HOME", str(home.path.parent))
    codex_nb.frames.rows.workers._sessions.clear()
    assert right(frame, lazily(server, frame).compute(scheduler="threads"))


def test_what_cannot_be_asked_is_refused_before_it_is_computed(server):
    """A misspelt column, an option that is none."""
    with pytest.raises(InvalidOption, match="no column"):
        dd.from_pandas(texts(2), npartitions=1).codex.map("{{txt}}")
    for options in (
        {"max_quota": 0},
        {"concurrency": 0},
        {"concurrency": "2"},
        {"batch": 0},
        {"batch": 101},
        {"effort": "!"},
        {"model": 5},
    ):
        with pytest.raises(InvalidOption):
            lazily(server, texts(2), **options)


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("session", "backend="),
        ("progress", "ProgressBar"),
        ("concurency", "Did you mean concurrency"),
        ("modell", "Did you mean model"),
        ("temperature", "There are model"),
    ],
)
def test_an_option_that_dask_has_not_is_refused(server, option, hint):
    """With what there is instead; on a column, too."""
    frame = dd.from_pandas(texts(2), npartitions=1)
    for asked in (frame, frame["text"]):
        with pytest.raises(InvalidOption, match=f"no option '{option}'") as caught:
            asked.codex.map(PROMPT, **{option: True})
        assert hint in caught.value.hint


def test_a_column_is_asked_about_its_values(server, home, monkeypatch):
    """By its name."""
    monkeypatch.setenv("CODEX_HOME", str(home.path.parent))
    column = dd.from_pandas(texts(4, start=900), npartitions=2)["text"]
    lazy = column.codex.map(PROMPT, schema=SCHEMA, model="gpt-5.4", backend=server.backend.url)
    assert json.dumps([*lazy.compute(scheduler="sync")._status]) == json.dumps(["done"] * 4)


@pytest.fixture
def vectors(server, cluster):
    """Texts and their vectors, lazily, in three partitions; the first holds no text."""
    frame = pd.DataFrame({"text": pd.Series([None, None, "a", "b", "c", "a"], dtype="str"), "n": range(6)})
    lazy = dd.from_pandas(frame, npartitions=3)
    return lazy.assign(v=lazy["text"].codex.embed(backend=server.backend.url, dimensions=8))


@pytest.mark.parametrize(
    "step",
    [
        lambda f: f[["v", "n"]],
        lambda f: f.merge(f[["n"]], on="n"),
        pytest.param(
            lambda f: f.groupby("n").first(),
            marks=pytest.mark.skipif(pd.__version__ < "3", reason="pandas 2 finds no first one that is an array"),
        ),
        lambda f: f.set_index("n"),
        lambda f: f.repartition(npartitions=2),
        lambda f: dd.concat([f, f]),
        lambda f: f.map_partitions(lambda part: part[part.v.codex.matrix[:, 0] != 9]),
    ],
)
def test_a_frame_with_vectors_goes_through_every_step(vectors, step):
    """Dask tries it on an example first, and so knows the columns before."""
    assert len(vectors) == 6
    made = step(vectors)
    found = made.compute()
    assert [*made.dtypes.items()] == [*found.dtypes.items()]
    assert found.v.array.width == 8
    assert found.v.isna().sum() in {2, 4}


def test_vectors_are_written_to_parquet_and_read(vectors, tmp_path):
    """Whatever their length, also where a partition has none."""
    vectors.to_parquet(tmp_path)
    expected = vectors["v"].compute().array
    for found in (pd.read_parquet(tmp_path).v.array, dd.read_parquet(tmp_path)["v"].compute().array):
        assert found.dtype == expected.dtype
        assert np.array_equal(found.matrix, expected.matrix, equal_nan=True)
