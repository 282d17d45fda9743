"""``codex-nb transcribe``, in this process: what it writes where, and its exit status."""

import io
import json
import sys

import httpx
import pytest

from codex_nb import cli
from codex_nb.local import Fault, LocalBackend, Script
from codex_nb.serve import upstream
from tests.client.test_transcriptions import DICTATION, sound
from tests.sounds import silk, speech

SECRET = "secret-token-0123456789abcdef"


@pytest.fixture
def backend():
    """A scripted backend."""
    with LocalBackend(Script()) as backend:
        yield backend


@pytest.fixture
def folder(tmp_path, monkeypatch, backend):
    """A folder with two recordings and a login file in it, which the program runs in."""
    for name, seconds in [("one.wav", 1), ("two.wav", 2)]:
        (tmp_path / name).write_bytes(sound(seconds))
    (tmp_path / "auth.json").write_text(json.dumps(backend.auth_json()))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_NB_BACKEND", backend.url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run ``codex-nb transcribe``; return the exit status, standard output and standard error."""

    def go(*arguments):
        status = cli.main(["transcribe", *arguments])
        written = capsys.readouterr()
        return status, written.out, written.err

    return go


def hears(backend, *texts):
    """Say what the recordings say."""
    backend.state.engine.transcripts.extend(texts)


def test_one_file_is_its_text(run, backend, folder):
    """The text alone on standard output."""
    hears(backend, "Good morning.")
    assert run("one.wav", "--language", "en") == (0, "Good morning.\n", "")
    request = backend.requests[0]
    assert b'name="language"\r\n\r\nen\r\n' in request.content
    assert request.headers["authorization"].startswith("Bearer ")


def test_json_is_the_services_answer(run, backend, folder):
    """As it came."""
    hears(backend, "Grüße.")
    status, written, _ = run("one.wav", "--json")
    assert (status, written) == (0, '{"text": "Grüße."}\n')


def test_several_files_are_told_apart(run, backend, folder):
    """In their order, one line each; JSON is one object a line."""
    hears(backend, "One.", "Two\nlines.")
    assert run("one.wav", "two.wav", "-j", "1") == (0, "one.wav: One.\ntwo.wav: Two lines.\n", "")
    _, written, _ = run("two.wav", "one.wav", "--json")
    assert [json.loads(line)["source"] for line in written.splitlines()] == ["two.wav", "one.wav"]


def test_options_may_stand_between_files(run, backend, folder):
    """Files keep their order, wherever the options are; an unknown option is still refused."""
    hears(backend, "One.", "Two.", "One again.")
    assert run("one.wav", "-l", "en", "two.wav", "-j", "1", "one.wav")[1].splitlines() == [
        "one.wav: One.",
        "two.wav: Two.",
        "one.wav: One again.",
    ]
    assert all(b'name="language"\r\n\r\nen' in request.content for request in backend.requests)
    with pytest.raises(SystemExit) as caught:
        run("one.wav", "-l", "en", "two.wav", "--launguage", "de")
    assert caught.value.code == 2


def test_an_engine_on_this_machine(run, backend, folder, monkeypatch):
    """A function of a module of the user's; it takes no login, and the service is not asked."""
    (folder / "my_engine.py").write_text("def hear(samples):\n    return f'{len(samples) / 16000:.0f} seconds.'\n")
    (folder / "auth.json").unlink()
    monkeypatch.syspath_prepend(str(folder))
    assert run("one.wav", "-r", "local", "--engine", "my_engine:hear", "two.wav", "-j", "1") == (
        0,
        "one.wav: 1 seconds.\ntwo.wav: 2 seconds.\n",
        "",
    )
    status, _, said = run("one.wav", "-r", "local", "--engine", "my_engine:heard")
    assert (status, "my_engine:heard is not there" in said) == (1, True)
    assert backend.requests == []


def test_a_bad_file_stops_no_other(run, backend, folder):
    """Its error goes to standard error with what to do, and the exit status is 1."""
    hears(backend, "One.", "Two.")
    status, written, errors = run("one.wav", "gone.wav", "two.wav", "-j", "1")
    assert status == 1
    assert written == "one.wav: One.\ntwo.wav: Two.\n"
    assert errors.startswith("codex-nb: gone.wav is not there.\n  ")


def test_without_files_the_help_is_shown(run, folder):
    """On standard error, with exit status 2."""
    status, written, errors = run()
    assert (status, written) == (2, "")
    assert "--language" in errors


def test_standard_input_is_a_recording(run, backend, folder, monkeypatch):
    """By the name of ``-``."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sound())))
    hears(backend, "From a pipe.")
    assert run("-", "--filename", "pipe.wav", "--content-type", "audio/wav")[1] == "From a pipe.\n"
    assert b'filename="pipe.wav"\r\nContent-Type: audio/wav' in backend.requests[0].content


@pytest.mark.parametrize("way", ["flag", "CODEX_NB_BEARER", "CODEX_ASR_BEARER"])
def test_a_token_at_hand(run, backend, folder, monkeypatch, way):
    """By its flag or by the environment, with or without the word Bearer; it shows nowhere."""
    (folder / "auth.json").unlink()
    arguments = ["--bearer", f"Bearer {SECRET}"] if way == "flag" else []
    if not arguments:
        monkeypatch.setenv(way, SECRET)
    backend.inject(Fault.reply(403, {"detail": f"no {SECRET}"}, path=DICTATION))
    status, written, errors = run("one.wav", "--account-id", "acc-1", *arguments)
    assert status == 1
    assert backend.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert backend.requests[0].headers["chatgpt-account-id"] == "acc-1"
    assert SECRET not in written + errors


def test_another_login_file_and_account(run, backend, folder):
    """The file is read where it is; the account is the one that was named."""
    (folder / "auth.json").rename(folder / "other.json")
    hears(backend, "Yes.")
    assert run("one.wav", "--auth-file", "other.json", "--account-id", "acc-2")[0] == 0
    assert backend.requests[0].headers["chatgpt-account-id"] == "acc-2"


def test_no_login_is_told(run, folder):
    """With what to do."""
    (folder / "auth.json").unlink()
    status, _, errors = run("one.wav")
    assert status == 1
    assert "login" in errors


def test_an_endpoint_of_ones_own(run, backend, folder, monkeypatch):
    """The address itself, whatever its path is."""
    monkeypatch.delenv("CODEX_NB_BACKEND")
    hears(backend, "There.")
    assert run("one.wav", "--endpoint", f"{backend.url}{DICTATION}")[1] == "There.\n"
    assert run("one.wav", "--endpoint", f"{backend.url}/elsewhere/asr")[0] == 1
    assert [request.path for request in backend.requests] == [DICTATION, "/elsewhere/asr"]


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--request-timeout-seconds", "0"], {}, "--request-timeout-seconds must be a positive integer"),
        ([], {"CODEX_ASR_TIMEOUT_SECONDS": "soon"}, "CODEX_ASR_TIMEOUT_SECONDS must be a positive integer"),
        ([], {"CODEX_ASR_CONNECT_TIMEOUT_SECONDS": "-3"}, "CODEX_ASR_CONNECT_TIMEOUT_SECONDS must be a positive"),
        ([], {"CODEX_NB_PROXY": "gopher://x"}, "proxy"),
        (["two.wav", "--filename", "x.wav"], {}, "--filename is for one recording"),
        (["--route", "nowhere"], {}, "no route 'nowhere'"),
        (["--bearer", "two words"], {}, "cannot stand in a header"),
    ],
)
def test_bad_options(run, backend, folder, monkeypatch, arguments, environment, message):
    """Told in a line, before anything is sent."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    status, written, errors = run("one.wav", *arguments)
    assert (status, written) == (1, "")
    assert message in errors
    assert backend.requests == []


def test_precedence(monkeypatch):
    """The flag, then our own variable, then codex-asr's, then the default; an empty variable is none."""
    name, take = "--request-timeout-seconds", lambda given: upstream.number(name, given, 300, "REQUEST_TIMEOUT_SECONDS")
    name_ours, name_theirs = "CODEX_NB_REQUEST_TIMEOUT_SECONDS", "CODEX_ASR_REQUEST_TIMEOUT_SECONDS"
    assert take(None) == 300
    monkeypatch.setenv(name_theirs, "20")
    assert take(None) == 20
    monkeypatch.setenv(name_ours, " ")
    assert take(None) == 20
    monkeypatch.setenv(name_ours, "30")
    assert take(None) == 30
    assert take(40) == 40


def test_a_proxy_is_used(folder):
    """By its flag; servers of this machine are asked without it."""
    from codex_nb import Bearer, Session

    with Session("http://asr.test", auth=Bearer(SECRET), proxy="http://127.0.0.1:9") as session:
        client = session._core.transport.client()
        pool = client._transport_for_url(httpx.URL("https://chatgpt.com"))._pool
        assert pool._proxy_url.port == 9
        assert not hasattr(client._transport_for_url(httpx.URL("http://127.0.0.1:1"))._pool, "_proxy_url")


def test_voice_messages_are_decoded_here_unless_told_otherwise(run, backend, folder):
    """The service does not take SILK."""
    (folder / "voice.silk").write_bytes(silk(speech(1.0), tencent=True))
    hears(backend, "A message.")
    assert run("voice.silk", "--silk-sample-rate", "16000") == (0, "A message.\n", "")
    assert b"SILK" not in backend.requests[-1].content
    status, _, said = run("voice.silk", "--no-silk-decode")
    assert status == 1
    assert b"SILK" in backend.requests[-1].content
    assert said
    status, _, said = run("voice.silk", "--silk-decoder", "/nowhere/decoder")
    assert status == 1
    assert "does not exist" in said


def test_bare_samples_need_their_format(run, backend, folder):
    """``--pcm`` says what the bytes do not."""
    (folder / "bare.pcm").write_bytes(b"\x00\x10\x00\xf0" * 8000)
    hears(backend, "One second.")
    assert run("bare.pcm", "--pcm", "16000:1:s16le") == (0, "One second.\n", "")
