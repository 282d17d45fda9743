"""A column of recordings becomes a column of texts."""

import io
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest

import codex_nb
from codex_nb import Bearer, InvalidOption, NotSignedIn, Session, frames
from codex_nb.frames.kept import Kept
from codex_nb.local import Fault, LocalBackend, Script
from tests.conftest import TOKEN
from tests.sounds import speech, wav


@pytest.fixture
def serve():
    """Return what starts a backend with these transcripts, and a session on it."""
    opened = []

    def make(transcripts, **options):
        backend = LocalBackend(Script(transcripts=transcripts, **options)).start()
        session = Session(backend.url, auth=Bearer(TOKEN), max_retries=0)
        opened.append((backend, session))
        return backend, session

    yield make
    for backend, session in opened:
        session.close()
        backend.stop()


def sent(backend):
    """Return how many recordings came."""
    return sum(request.path.endswith("transcribe") for request in backend.requests)


@pytest.fixture
def folder(tmp_path):
    """Three recordings, one of them twice, and a file that is none."""
    for name, seconds in (("a", 1.0), ("b", 1.5), ("copy", 1.0), ("c", 2.0)):
        (tmp_path / f"{name}.wav").write_bytes(wav(speech(seconds)))
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    return tmp_path


def paths(folder, *names):
    """Return a column of paths with an index of its own."""
    named = [None if name is None else str(folder / f"{name}.wav") for name in names]
    return pd.Series(named, index=[f"row {n}" for n in range(len(names))], name="path")


def test_each_recording_has_a_row(serve, folder):
    """The same sound is sent once; what is bad, missing or not there stops no other; a second run sends nothing."""
    backend, session = serve(["One.", "Two."])
    column = paths(folder, "a", "bad", "copy", None, "gone", "b")
    result = column.codex.transcribe(session=session, concurrency=1, progress=False)
    assert [*result.index] == [*column.index]
    assert [*result._status] == ["done", "failed", "done", "failed", "failed", "done"]
    assert [*result.text.dropna()] == ["One.", "One.", "Two."]
    assert [*result.duration.dropna().dt.total_seconds()] == [1.0, 1.0, 1.5]
    assert str(result.duration.dtype) == "timedelta64[us]"
    assert "no recording" in result._error.iloc[3]
    assert "gone.wav" in result._error.iloc[4]
    assert sent(backend) == 2
    again = column.codex.transcribe(session=session, progress=False)
    assert [*again.text.dropna()] == ["One.", "One.", "Two."]
    assert again.attrs["codex_nb"]["kept"] == 3
    assert sent(backend) == 2
    empty = column[:0].codex.transcribe(session=session)
    assert [*empty.dtypes.items()] == [*result.dtypes.items()]


def test_what_failed_is_sent_again_and_nothing_else(serve, folder):
    """By `retry`, or by the same call."""
    fault = Fault.server_error(path="*/transcribe", times=1)
    backend, session = serve(["One.", "Two.", "Three."], faults=[fault])
    column = paths(folder, "a", "b", "c")
    result = column.codex.transcribe(session=session, concurrency=1, progress=False)
    assert [*result._status] == ["failed", "done", "done"]
    again = result.codex.retry()
    assert (again._status == "done").all()
    assert sent(backend) == 4


def test_the_plans_limit_stops_it(serve, folder):
    """What was not sent waits."""
    fault = Fault.usage_limit(path="*/transcribe", times=None, skip=1)
    backend, session = serve(["One.", "Two."], faults=[fault])
    column = paths(folder, "a", "b", "c")
    with pytest.warns(UserWarning, match="2 rows wait"):
        result = column.codex.transcribe(session=session, concurrency=1, progress=False)
    assert [*result._status] == ["done", "waiting", "waiting"]
    assert sent(backend) <= 3  # one more may be on its way


def test_the_quota_stops_it(serve, folder):
    """Transcripts do not tell what is used, so it is asked for; what is done stays."""
    fuller = {"rate_limit": {"primary_window": {"used_percent": 7, "limit_window_seconds": 18_000}}}
    fault = Fault.reply(200, fuller, path="*/usage", method="GET", skip=1, times=None)
    backend, session = serve(["One.", "Two.", "Three."], faults=[fault])
    column = paths(folder, "a", "b", "copy", "c")
    with pytest.warns(UserWarning, match=r"7 of 5 % of quota are used\. .* rows? waits?"):
        result = column.codex.transcribe(session=session, concurrency=1, max_quota=5, progress=False)
    assert [*result._status] == ["done", "waiting", "done", "waiting"]
    assert result._error.str.contains("quota").sum() == 2
    rest = column.codex.transcribe(session=session, progress=False)
    assert (rest._status == "done").all()
    assert sent(backend) == 3


def test_a_time_stops_it(serve, folder):
    """Nothing is sent after it."""
    backend, session = serve(["One."])
    with pytest.warns(UserWarning, match="time to stop"):
        result = paths(folder, "a", "b").codex.transcribe(session=session, until="2026-01-01 00:00", progress=False)
    assert [*result._status] == ["waiting", "waiting"]
    assert sent(backend) == 0


def test_an_interrupt_returns_the_finished_part(serve, folder):
    """What is under way is left; the same call goes on."""
    fault = Fault.silence(60, path="*/transcribe", skip=1, times=1)
    backend, session = serve(["One.", "Two.", "Three."], faults=[fault])
    column = paths(folder, "a", "b", "c")

    def interrupt():
        while sent(backend) < 2:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # as the system does: it wakes the caller

    threading.Thread(target=interrupt).start()
    with pytest.warns(UserWarning, match="interrupted"):
        result = column.codex.transcribe(session=session, concurrency=1, progress=False)
    assert [*result._status] == ["done", "waiting", "waiting"]
    assert [*result.text.dropna()] == ["One."]
    assert (column.codex.transcribe(session=session, progress=False)._status == "done").all()


def test_no_login_is_said_at_once(serve, folder):
    """It is the same for every row."""
    backend, _ = serve([])
    with Session(backend.url) as session, pytest.raises(NotSignedIn):
        paths(folder, "a", "b").codex.transcribe(session=session, progress=False)


def test_another_option_is_another_text(serve, folder):
    """And a file with other content, too."""
    backend, session = serve(["One.", "Eins.", "New."])
    column = paths(folder, "a")
    assert [*column.codex.transcribe(session=session).text] == ["One."]
    assert [*column.codex.transcribe(session=session, language="de").text] == ["Eins."]
    (folder / "a.wav").write_bytes(wav(speech(3.0)))
    assert [*column.codex.transcribe(session=session).text] == ["New."]
    assert sent(backend) == 3


KINDS = {
    "bytes": wav,
    "bytearray": lambda samples: bytearray(wav(samples)),
    "view": lambda samples: memoryview(wav(samples)),
    "named": lambda samples: ("talk.wav", wav(samples)),
    "named file": lambda samples: ("talk.wav", io.BytesIO(wav(samples)), "audio/wav"),
    "open file": lambda samples: io.BytesIO(wav(samples)),
    "array": lambda samples: samples / np.float32(32768),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_path_is_known_by_what_it_holds(serve, kind):
    """The same sound is sent once, in one call and the next, and another never gets its text."""
    backend, session = serve(["One.", "Two."])
    options = {"session": session, "rate": 16_000, "concurrency": 1, "progress": False}
    column = pd.Series([KINDS[kind](speech(seconds)) for seconds in (1.0, 1.5, 1.0)])
    assert [*column.codex.transcribe(**options).text] == ["One.", "Two.", "One."]
    assert [*column.codex.transcribe(**options).text] == ["One.", "Two.", "One."]
    assert [*pd.Series([KINDS[kind](speech(1.5))]).codex.transcribe(**options).text] == ["Two."]
    assert sent(backend) == 2


def test_an_open_file_counts_from_where_it_stands(serve):
    """And stands there afterwards."""
    backend, session = serve(["One.", "Two."])
    file = io.BytesIO(b"a head" + wav(speech(1.0)))
    file.seek(len("a head"))
    assert [*pd.Series([file]).codex.transcribe(session=session).text] == ["One."]
    assert file.tell() == len("a head")
    assert [*pd.Series([wav(speech(1.0))]).codex.transcribe(session=session).text] == ["One."]
    assert sent(backend) == 1


class Stream(io.BytesIO):
    """What can be read once."""

    def seekable(self):
        """There is no way back."""
        return False


def test_what_can_be_read_only_once_is_not_kept(serve):
    """Nobody knows what it holds before it is sent, so no later one is taken for it."""
    _, session = serve([f"{n}." for n in range(20)])
    texts = [pd.Series([Stream(wav(speech(1.0)))]).codex.transcribe(session=session).text.iloc[0] for _ in range(20)]
    assert len({*texts}) == 20
    assert len(Kept.shared()) == 0


def test_a_file_that_is_not_there_yet_can_be_asked_again(serve, tmp_path):
    """By `retry`; what is found there is kept for the file that holds it, by the next call."""
    backend, session = serve(["One.", "Two."])
    column = pd.Series([str(tmp_path / "late.wav")] * 2)
    result = column.codex.transcribe(session=session, progress=False)
    assert (result._status == "failed").all()
    (tmp_path / "late.wav").write_bytes(wav(speech(1.0)))
    assert sorted(result.codex.retry().text) == ["One.", "Two."]
    assert len(Kept.shared()) == 0
    assert sent(backend) == 2


def test_a_function_that_hears_is_asked_each_time(serve, folder):
    """Its cell may have run again meanwhile; within one call the same sound is heard once."""
    _, session = serve([])
    heard = []
    for number in range(20):
        made = {}
        exec(f"def engine(samples): return 'engine {number}'", made)  # noqa: S102 - a cell that runs again
        heard += [*paths(folder, "a").codex.transcribe(session=session, route="local", engine=made["engine"]).text]
    assert heard == [f"engine {number}" for number in range(20)]
    called = []
    engine = lambda samples: called.append(len(samples)) or "Yes."  # noqa: E731
    result = paths(folder, "a", "copy", "b").codex.transcribe(session=session, route="local", engine=engine)
    assert [*result.text] == ["Yes."] * 3
    assert len(called) == 2
    assert len(Kept.shared()) == 0


def test_another_engine_of_the_environment_is_another_text(serve, folder, monkeypatch):
    """It is named nowhere in the call."""
    monkeypatch.setenv("CODEX_NB_ENGINE_KEY", TOKEN)
    own, session = serve(["Here."])
    other, _ = serve(["There."])
    texts = []
    for engine in (own, other, own):
        monkeypatch.setenv("CODEX_NB_ENGINE", f"{engine.url}/v1")
        texts += [*paths(folder, "a").codex.transcribe(session=session, route="local").text]
    assert texts == ["Here.", "There.", "Here."]


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"languge": "en"}, "no option 'languge'", "language"),
        ({"temperature": 0}, "no option 'temperature'", "extra_body"),
        ({"response_format": "text"}, "no table of text", "column text"),
        ({"response_format": "bogus"}, "no table of bogus", "verbose_json"),
        ({"stream": True}, "streams", "stream"),
        ({"file": "b.wav"}, "file says nothing", "file"),
    ],
)
def test_an_option_that_is_none_is_refused_before_anything_is_sent(serve, folder, options, message, hint):
    """One that leaves no transcript, and one that is misspelt, also where there is nothing to send."""
    backend, session = serve([])
    column = paths(folder, "a")
    for ask in (
        lambda: column.codex.transcribe(session=session, progress=False, **options),
        lambda: column[:0].codex.transcribe(session=session, progress=False, **options),
        lambda: frames.transcripts([*column], session, **options),
        lambda: codex_nb.transcribe([*column], session=session, **options),
    ):
        with pytest.raises(InvalidOption, match=message) as caught:
            ask()
        assert hint in caught.value.hint
    assert not backend.requests


@pytest.mark.parametrize("option", [{"concurrency": "2"}, {"concurrency": 0}])
def test_a_number_at_once_that_is_none_is_refused(serve, folder, option):
    """For a column and for a list."""
    backend, session = serve([])
    column = paths(folder, "a")
    for ask in (column.codex.transcribe, lambda **more: frames.transcripts([*column], **more)):
        with pytest.raises(InvalidOption, match="whole number"):
            ask(session=session, **option)
    assert not backend.requests


def test_an_empty_path_is_no_recording(serve):
    """And no folder, which is what it is for the system."""
    _, session = serve([])
    result = pd.Series(["", None]).codex.transcribe(session=session, progress=False)
    assert [*result._status] == ["failed", "failed"]
    assert result._error.str.contains("There is no recording").all()


def test_routes_may_be_a_list(serve, folder):
    """In its order; it is the same as their names in one text."""
    backend, session = serve(["One."], faults=[Fault.server_error(path="*/transcribe", times=1)])
    column = paths(folder, "a")
    assert [*column.codex.transcribe(session=session, route=["codex", "platform"]).route] == ["platform"]
    assert [*column.codex.transcribe(session=session, route="codex,platform").text] == ["One."]
    assert sent(backend) == 1


def test_times_are_asked_for_as_well(serve, folder):
    """The form with times is a transcript, and so a row."""
    backend, session = serve(["One."])
    result = paths(folder, "a").codex.transcribe(
        session=session, response_format="verbose_json", stream=False, route="codex,local", engine="sphinx"
    )
    assert [*result.text] == ["One."]
    assert sent(backend) == 1


class Watched(pd.Series):
    """A column that counts how often it is searched for missing values."""

    searched = 0

    def isna(self):
        """Count, and search."""
        Watched.searched += 1
        return super().isna()


def test_a_long_column_is_searched_once(serve):
    """And not once a row, which is half a minute for some ten thousand of them."""
    _, session = serve([])
    result = Watched([None] * 500).codex.transcribe(session=session, progress=False)
    assert (result._status == "failed").all()
    assert Watched.searched == 1
