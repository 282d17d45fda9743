"""Whatever the service sends, a frame has the same columns and dtypes, or there is an error of this package."""

import copy
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex_nb import Bearer, CodexError, InvalidOption, Session, frames
from codex_nb.local import LocalBackend, Script
from tests.frames.builders import BUILDERS, dtypes, round_trip
from tests.frames.kept_builders import KEPT

NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from([1e300, -1e300, 0.5, "", "x", "1792852600", "<script>", "\ufffd", "é" * 50, "\x00", [], {}, [[]]]),
    st.text(max_size=5),
)
every = pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.name)
kept = pytest.mark.parametrize("builder", KEPT, ids=lambda builder: builder.name)


def test_no_frame_is_left_out():
    """What `codex_nb.frames` offers is in one of the two tables."""
    assert sorted(builder.name for builder in (*BUILDERS, *KEPT)) == frames.__all__


NO_SESSION = [
    *(pytest.param(builder.build, id=builder.name) for builder in BUILDERS),
    *(pytest.param(build, id=build.__name__) for build in (frames.calls, frames.usage_history, frames.forecast)),
    pytest.param(lambda session: frames.embeddings(["a"], session), id="embeddings"),
    pytest.param(lambda session: frames.transcripts([b""], session), id="transcripts"),
]


@pytest.mark.parametrize("build", NO_SESSION)
def test_what_is_no_session_is_refused(build):
    """A limit, a model or a backend in its place, and a session's asynchronous face."""
    with Session("http://127.0.0.1:9", auth=Bearer("made-up")) as session:
        for wrong in (50, "local", session.aio):
            with pytest.raises(InvalidOption, match="is no session") as caught:
                build(wrong)
            assert "limit=50" in caught.value.hint


@pytest.fixture(scope="module")
def backend():
    """Give one backend for all payloads of this file."""
    with LocalBackend(Script()) as started:
        yield started


@every
@pytest.mark.parametrize("kind", ["empty", "minimal", "full"])
def test_columns_and_dtypes_do_not_depend_on_the_payload(backend, builder, kind, tmp_path):
    """Nothing, little and much come out alike, and Parquet keeps it."""
    payloads = builder.full if kind == "full" else [getattr(builder, kind)]
    for payload in payloads:
        frame = builder.frame(backend, payload)
        assert dtypes(frame) == builder.dtypes
        assert set(frame.attrs["codex_nb"]) >= {"source", "at"}
        round_trip(frame, tmp_path / "frame.parquet")


@every
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_hostile_payloads_come_out_alike_too(backend, builder, data, tmp_path):
    """Any values of a real payload replaced by any others; what is no such payload at all is an error of ours."""
    payload = copy.deepcopy(data.draw(st.sampled_from(builder.full)))
    for _ in range(data.draw(st.integers(1, 4))):
        spots = list(leaves(payload))
        holder, key = data.draw(st.sampled_from(spots)) if spots else (None, None)
        if holder is not None:
            holder[key] = data.draw(NASTY)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame = builder.frame(backend, payload)
    except CodexError:
        return
    assert dtypes(frame) == builder.dtypes
    round_trip(frame, tmp_path / "frame.parquet")


@pytest.fixture
def homes(backend, monkeypatch, tmp_path_factory):
    """Return what gives a session with a ledger of its own, and an empty folder."""
    opened = []

    def make():
        home = tmp_path_factory.mktemp("home")
        monkeypatch.setenv("CODEX_NB_LEDGER", str(home / "ledger.sqlite3"))
        monkeypatch.setenv("CODEX_NB_CACHE_FOLDER", str(home / "cache"))
        opened.append(Session(backend.url, auth=Bearer("made-up"), max_retries=0))
        return opened[-1], home

    yield make
    for session in opened:
        session.close()


@kept
@pytest.mark.parametrize("kind", ["empty", "minimal", "full"])
def test_what_is_kept_or_given_comes_out_alike(homes, builder, kind, tmp_path):
    """The same for frames of the ledger, of rollouts, of texts and of recordings."""
    payloads = builder.full if kind == "full" else [getattr(builder, kind)]
    for payload in payloads:
        frame = builder.frame(*homes(), payload)
        assert dtypes(frame) == builder.dtypes
        assert set(frame.attrs["codex_nb"]) >= {"source", "at"}
        assert len(frame) or kind != "full"
        round_trip(frame, tmp_path / "frame.parquet")


@kept
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_hostile_values_that_are_kept_come_out_alike_too(homes, builder, data, tmp_path):
    """Files that another program wrote may hold anything."""
    payload = spoilt(data, builder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", ".* texts are empty")
            frame = builder.frame(*homes(), payload)
    except CodexError:
        return
    assert dtypes(frame) == builder.dtypes
    round_trip(frame, tmp_path / "frame.parquet")


def spoilt(data, builder):
    """Return a full payload some of whose values are others."""
    payload = copy.deepcopy(data.draw(st.sampled_from(builder.full)))
    for _ in range(data.draw(st.integers(1, 4))):
        # A ledger's and a file's parts stay what they are; what is in them need not.
        parts = [part for part in payload.values() if part] if isinstance(payload, dict) else [payload]
        spots = list(leaves(data.draw(st.sampled_from(parts))))
        if isinstance(payload, dict):
            spots = [spot for spot in spots if isinstance(spot[0], dict)]
        if spots:
            holder, key = data.draw(st.sampled_from(spots))
            holder[key] = data.draw(NASTY)
    return payload


def leaves(value):
    """Give every place in a JSON value, as what holds it and the key."""
    for key in range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ():
        yield value, key
        yield from leaves(value[key])


@every
def test_raw_adds_the_payload_of_each_row(backend, builder):
    """As it came, beside the typed columns."""
    if builder.name == "diffs":
        pytest.skip("a diff is all there is of it")
    frame = builder.frame(backend, builder.full[0], raw=True)
    assert list(frame.columns) == [*builder.dtypes, "raw"]
    assert len(frame)
    for row, name in zip(frame["raw"], frame.get("id", ()), strict=False):
        assert "id" not in row.keys() or row["id"] == name  # noqa: SIM118 - what is sealed has keys alone
