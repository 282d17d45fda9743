"""The route ``local``: engines on this machine, and servers that the user names; the session's own is not asked."""

import inspect
from importlib.util import find_spec

import numpy as np
import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script
from tests.client.both import each, got, tell
from tests.client.test_transcriptions import DICTATION, sound, transcribe
from tests.conftest import TOKEN
from tests.requirements_gate import require

PLATFORM = "/v1/audio/transcriptions"


def whisper(samples, *, language=None):
    """An engine in the manner of openai-whisper."""
    assert samples.dtype == np.float32
    assert 0 < np.abs(samples).max() <= 1
    seconds = len(samples) / 16_000
    return {
        "text": f" {seconds:.1f} seconds of {language}.",
        "segments": [{"start": 0.0, "end": seconds, "text": " All of it."}],
        "language": language,
    }


def talker(_samples):
    """An engine that speaks while it listens."""
    yield "One"
    yield " two"
    yield " three."


def test_a_callable_hears_samples(face, make_backend):
    """It gets floats at 16 kHz and the options that it has parameters for; its times are real."""
    backend = make_backend(Script())
    found = transcribe(face, backend, sound(2), route="local", engine=whisper, language="de", prompt="x")
    assert (found.text, found.route, found.language) == ("2.0 seconds of de.", "local", "de")
    captions = transcribe(face, backend, sound(2), route="local", engine=whisper, response_format="srt")
    assert captions == "1\n00:00:00,000 --> 00:00:02,000\nAll of it.\n"
    assert transcribe(face, backend, sound(2), route="local", engine=lambda _: "Yes.").text == "Yes."
    assert backend.requests == []


def test_an_engine_may_be_a_generator(face, make_backend):
    """Its parts are seen as they come."""

    async def story(session):
        stream = await got(session.audio.transcriptions.create(file=sound(), route="local", engine=talker, stream=True))
        return [event async for event in each(stream)]

    *deltas, done = tell(face, make_backend(Script()), story)
    assert [event.delta for event in deltas] == ["One", " two", " three."]
    assert done.text == "One two three."


async def late(_samples):
    """An engine of the wrong kind."""


@pytest.mark.parametrize(
    ("engine", "kind", "said"),
    [
        (lambda _: 1 / 0, errors.CodexError, "raised ZeroDivisionError: division by zero"),
        (lambda _: None, errors.InvalidOption, "returned NoneType, not a text"),
        (lambda _: iter([1 / 0 for _ in "x"]), errors.CodexError, "ZeroDivisionError"),
        (late, errors.InvalidOption, "asynchronous"),
        ("sphynx", errors.InvalidOption, "'sphynx' is no engine"),
        ("no.such.module:hear", errors.InvalidOption, "is not there"),
        ("math:pi", errors.InvalidOption, "no engine"),
        ("ftp://127.0.0.1/v1", errors.InvalidOption, "begins with http"),
    ],
)
def test_engines_that_do_not_work(face, make_backend, engine, kind, said):
    """Each is told as what it is, with what to do."""
    backend = make_backend(Script())
    with pytest.raises(kind, match=said) as caught:
        transcribe(face, backend, sound(), route="local", engine=engine)
    assert caught.value.hint
    assert backend.requests == []


def test_a_server_of_the_users_own(face, make_backend, monkeypatch):
    """It is asked at its address, with its own key; the session's login and service stay out of it."""
    backend, own = make_backend(Script()), make_backend(Script(transcripts=["At home.", "At home."]))
    monkeypatch.setenv("CODEX_NB_ENGINE_KEY", "key-of-my-own-server-01")
    found = transcribe(face, backend, sound(), route="local", engine=f"{own.url}/v1/", model="gpt-4o-transcribe")
    assert (found.text, found.route) == ("At home.", "local")
    [request] = own.requests
    assert request.path == PLATFORM
    assert request.headers["authorization"] == "Bearer key-of-my-own-server-01"
    assert TOKEN not in repr(request.headers)
    assert "chatgpt-account-id" not in request.headers
    monkeypatch.setenv("CODEX_NB_ENGINE", f"{own.url}/v1")
    assert transcribe(face, backend, sound(), route="local").text == "At home."
    assert backend.requests == []


def test_a_server_that_wants_a_key(face, make_backend):
    """It is told as what it is: not the session's login is refused."""
    own = make_backend(Script())
    with pytest.raises(errors.PermissionDeniedError, match="wants a key") as caught:
        transcribe(face, make_backend(Script()), sound(), route="local", engine=f"{own.url}/v1")
    assert "CODEX_NB_ENGINE_KEY" in caught.value.hint
    assert "authorization" not in own.requests[0].headers


def test_it_stands_in_for_another_route(face, make_backend):
    """Where the caller says so, and only then."""
    backend = make_backend(Script(faults=[Fault.cloudflare(path=DICTATION, times=None)]))
    found = transcribe(face, backend, sound(), route="codex,local", engine=lambda _: "Here.")
    assert (found.route, found.text, list(found.failed_routes)) == ("local", "Here.", ["codex"])
    with pytest.raises(errors.CloudflareChallenge) as caught:
        transcribe(face, backend, sound(), engine=lambda _: "Here.")
    assert 'route="local" (on this machine)' in caught.value.hint
    assert 'route="realtime"' in caught.value.hint


def test_pocketsphinx_hears_a_person(face, make_backend):
    """In this process, and word by word for whoever watches."""
    pytest.importorskip("pocketsphinx")
    require("speech", None if find_spec("moonshine_voice") else "no recordings: package moonshine-voice")
    from importlib.resources import files

    path = files("moonshine_voice") / "assets" / "beckett.wav"
    backend = make_backend(Script())

    async def story(session):
        stream = await got(session.audio.transcriptions.create(file=path, route="local", stream=True))
        return [event async for event in each(stream)]

    *deltas, done = tell(face, backend, story)
    assert len(deltas) > 2
    assert {"ever", "try"} & set(done.text.split())
    with pytest.raises(errors.InvalidOption, match="hears English, not 'de'"):
        transcribe(face, backend, path, route="local", language="de")
    assert backend.requests == []


def test_the_signature_names_the_options(make_backend, face):
    """Shift-Tab shows them."""
    shown = face.run(make_backend(Script()), lambda one: inspect.signature(one.audio.transcriptions.create))
    assert {"engine", "stream", "route"} <= set(shown.parameters)
