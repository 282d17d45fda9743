"""Text of speech: what is sent on which route, what comes back, and what is told when it fails."""

import io
import wave
from pathlib import Path

import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script
from codex_nb.types.audio import Transcript

DICTATION, PLATFORM = "/backend-api/transcribe", "/v1/audio/transcriptions"


def sound(seconds=1.5, rate=8000):
    """Return a WAV file that is not silent."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(b"\x00\x10\x00\xf0" * round(rate * seconds / 2))
    return target.getvalue()


@pytest.fixture
def path(tmp_path):
    """Return a recording on the disk."""
    path = tmp_path / 'a "good" talk.wav'
    path.write_bytes(sound())
    return path


def transcribe(face, backend, file, *, retries=0, **options):
    """Transcribe by one face of a session."""
    return face.run(backend, lambda one: one.audio.transcriptions.create(file=file, **options), max_retries=retries)


def test_a_recording_goes_to_the_dictation_endpoint(face, make_backend, path):
    """One upload with the login, streamed; the transcript knows where it comes from."""
    backend = make_backend(Script(transcripts=["Hello there."]))
    found = transcribe(face, backend, path, language="en", prompt="greetings")
    assert isinstance(found, Transcript)
    assert str(found) == found.text == "Hello there."
    assert (found.source, found.route, found.duration) == (str(path), "codex", 1.5)
    assert found.raw == {"text": "Hello there."}
    [request] = backend.requests
    assert (request.method, request.path) == ("POST", DICTATION)
    assert int(request.headers["content-length"]) == len(request.content)
    assert sound() in request.content
    assert b'name="language"\r\n\r\nen\r\n' in request.content
    assert b'name="prompt"\r\n\r\ngreetings\r\n' in request.content
    assert b'filename="a good talk.wav"' in request.content


@pytest.mark.parametrize("kind", ["path", "str", "bytes", "file", "named bytes"])
def test_kinds_of_recordings(face, make_backend, path, kind):
    """A path, bytes, an open file, and openai-python's pair of a name and bytes."""
    given = {
        "path": path,
        "str": str(path),
        "bytes": sound(),
        "file": io.BytesIO(sound()),
        "named bytes": ("talk.wav", sound()),
    }[kind]
    backend = make_backend(Script(transcripts=["Yes."]))
    assert transcribe(face, backend, given).text == "Yes."
    assert sound() in backend.requests[0].content


def test_silence_is_an_empty_text(face, make_backend, path):
    """The service says 200 and nothing; that is no error."""
    assert transcribe(face, make_backend(Script(transcripts=[""])), path).text == ""


def test_text_alone(face, make_backend, path):
    """The format ``text`` is a str."""
    assert transcribe(face, make_backend(Script(transcripts=["Yes."])), path, response_format="text") == "Yes."


def test_the_platform_is_asked_only_by_name(face, make_backend, path):
    """Its model and fields; the long form has times, and captions are made of them."""
    backend = make_backend(Script(transcripts=["One.", "Two.", "Three."]))
    assert transcribe(face, backend, path, route="platform").route == "platform"
    assert backend.requests[0].path == PLATFORM
    assert b'name="model"\r\n\r\ngpt-4o-mini-transcribe\r\n' in backend.requests[0].content
    long = transcribe(face, backend, path, route="platform", response_format="verbose_json")
    assert (long.segments[0].start, long.segments[0].end, long.segments[0].text) == (0.0, 1.5, "Two.")
    captions = transcribe(face, backend, path, route="platform", response_format="srt")
    assert captions == "1\n00:00:00,000 --> 00:00:01,500\nThree.\n"


def test_routes_are_taken_in_order(face, make_backend, path):
    """The second is asked when the first fails, and the transcript says so; nothing is asked that is not named."""
    backend = make_backend(Script(transcripts=["By the other."], faults=[Fault.cloudflare(path=DICTATION, times=None)]))
    found = transcribe(face, backend, path, route="codex, platform")
    assert (found.route, found.text) == ("platform", "By the other.")
    assert "Cloudflare" in found.failed_routes["codex"]
    with pytest.raises(errors.CloudflareChallenge):
        transcribe(face, backend, path)
    assert [request.path for request in backend.requests] == [DICTATION, PLATFORM, DICTATION]


def test_the_guards_web_page_is_told_as_what_it_is(face, make_backend, path):
    """The error names the file, the route, and the routes that would work."""
    backend = make_backend(Script(faults=[Fault.cloudflare(path=DICTATION)]))
    with pytest.raises(errors.CloudflareChallenge) as caught:
        transcribe(face, backend, path)
    assert caught.value.message.startswith(f"{path}, route codex: ")
    assert "guard" in caught.value.message
    assert 'route="platform"' in caught.value.hint
    assert "billed" in caught.value.hint
    assert (caught.value.source, caught.value.route) == (str(path), "codex")


def test_what_the_service_cannot_decode_is_an_audio_error(face, make_backend, path):
    """Its 500 is about the sound, so it says so."""
    with pytest.raises(errors.AudioError, match=r"talk\.wav, route codex: .*cannot decode"):
        transcribe(face, make_backend(Script(transcripts=[None])), path)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.reply(401, {"detail": "Unauthorized"}, path=DICTATION), errors.SignInExpired),
        (Fault.reply(413, {"error": {"message": "Maximum content size"}}, path=DICTATION), errors.BadRequestError),
        (Fault.usage_limit(path=DICTATION), errors.UsageLimitReached),
        (Fault.throttled(path=DICTATION), errors.RateLimitError),
        (Fault.server_error(path=DICTATION), errors.InternalServerError),
        (Fault.drop(path=DICTATION), errors.APIConnectionError),
        (Fault.reply(200, "<html>hi</html>", path=DICTATION), errors.MalformedStream),
        (Fault.reply(200, {"texts": []}, path=DICTATION), errors.MalformedStream),
        (Fault.reply(200, {"text": None}, path=DICTATION), errors.MalformedStream),
    ],
)
def test_every_failure_names_the_file_and_the_route(face, make_backend, path, fault, kind):
    """Whatever happens, it is told of which recording and on which way."""
    with pytest.raises(kind, match=r"talk\.wav, route codex: ") as caught:
        transcribe(face, make_backend(Script(faults=[fault])), path)
    assert caught.value.hint


def test_a_passing_failure_is_tried_again(face, make_backend, path):
    """The session's retries hold for uploads too; each attempt sends the whole."""
    backend = make_backend(Script(transcripts=["Yes."], faults=[Fault.server_error(path=DICTATION)]))
    assert transcribe(face, backend, path, retries=1).text == "Yes."
    assert [sound() in request.content for request in backend.requests] == [True, True]


def test_options_that_are_not_understood(face, make_backend, path, tmp_path):
    """Told before anything is sent."""
    backend = make_backend(Script())
    with pytest.raises(errors.InvalidOption, match="no route 'platfrom'") as caught:
        transcribe(face, backend, path, route="codex,platfrom")
    assert caught.value.hint == "Did you mean platform?"
    with pytest.raises(errors.InvalidOption, match="no response_format 'xml'"):
        transcribe(face, backend, path, response_format="xml")
    with pytest.raises(errors.AudioError, match="is not there"):
        transcribe(face, backend, tmp_path / "no.wav")
    with pytest.raises(errors.AudioError, match="is a folder") as caught:
        transcribe(face, backend, tmp_path)
    assert caught.value.hint == "Name the recordings in it."
    for address in ("https://host.example/talk.wav?sig=secret", Path("https://host.example/talk.wav?sig=secret")):
        with pytest.raises(errors.AudioError, match=r"host.example/talk.wav is an address") as caught:
            transcribe(face, backend, address)
        assert "Download" in caught.value.hint
        assert "secret" not in caught.value.message
    assert backend.requests == []


@pytest.mark.parametrize(
    ("option", "hint"), [("languge", "Did you mean language?"), ("temperature", "extra_body takes what else")]
)
def test_a_misspelt_option_is_refused(face, make_backend, path, option, hint):
    """It would change nothing, and nobody would notice."""
    backend = make_backend(Script())
    for stream in (False, True):
        with pytest.raises(errors.InvalidOption, match=f"no option '{option}'") as caught:
            transcribe(face, backend, path, stream=stream, **{option: "en"})
        assert hint in caught.value.hint
    assert not backend.requests
