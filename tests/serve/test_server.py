"""The transcription server: codex-asr's routes, forms and errors, its doors and its bounds."""

import gc
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codex_nb
from codex_nb import serve
from codex_nb.local import Fault, LocalBackend, Script
from tests.client.test_transcriptions import DICTATION, sound

KEY = "the-servers-own-key"
PATH = "/v1/audio/transcriptions"
CLIENT = httpx.Client(trust_env=False)
FUZZED = int(os.environ.get("CODEX_NB_FUZZ", "150"))


@pytest.fixture(scope="module")
def backend():
    """A scripted backend."""
    with LocalBackend(Script()) as backend:
        yield backend
    CLIENT.close()


@pytest.fixture(scope="module")
def session(backend):
    """A session on it."""
    with codex_nb.Session(backend.url, auth=codex_nb.Bearer("made-up-bearer-0123456789"), max_retries=0) as session:
        yield session


@pytest.fixture(scope="module")
def server(session):
    """A server in this process."""
    with serve.start(session, api_key=KEY, max_upload=200_000) as server:
        yield server


def post(server, content=None, *, path=PATH, key=KEY, name="talk.wav", headers=None, **fields):
    """Send a recording."""
    files = {"file": (name, sound() if content is None else content, "audio/wav")}
    given = {"authorization": f"Bearer {key}", **(headers or {})}
    return CLIENT.post(server.address + path, files=files, data=fields, headers=given, timeout=30)


def error_of(reply):
    """Return the type and the message of an error, which has OpenAI's form."""
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["param"], error["code"]) == (None, None)
    return error["type"], error["message"]


def hears(backend, *texts):
    """Say what the next recordings say."""
    backend.state.engine.transcripts.extend(texts)


def test_health_needs_no_key(server):
    """For supervisors."""
    reply = httpx.get(f"{server.address}/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", [PATH, "/audio/transcriptions"])
def test_the_three_forms(server, backend, path):
    """JSON, plain text, and the long form, on either path."""
    hears(backend, "Grüße.", "Grüße.", "Grüße.")
    assert post(server, path=path, model="whisper-1", temperature="0").json() == {"text": "Grüße."}
    text = post(server, path=path, response_format=" text ")
    assert (text.text, text.headers["content-type"]) == ("Grüße.", "text/plain; charset=utf-8")
    long = post(server, path=path, response_format="verbose_json", language="de").json()
    assert long.pop("duration") in {None, 1.5}
    assert long == {"task": "transcribe", "language": "de", "text": "Grüße.", "segments": []}


def test_what_goes_upstream(server, backend):
    """The bytes, their name without folders, language and prompt; the model is Whisper's word, and stays here."""
    content = sound(2)
    post(server, content, name="../sounds/my talk.wav", language=" en ", prompt="Ada", model="whisper-1")
    request = backend.requests[-1]
    assert request.path == DICTATION
    assert content in request.content
    assert b'filename="my talk.wav"' in request.content
    assert b'name="language"\r\n\r\nen\r\n' in request.content
    assert b'name="prompt"\r\n\r\nAda\r\n' in request.content
    assert b'name="model"' not in request.content
    assert KEY.encode() not in request.content
    assert KEY not in str(request.headers)


def test_the_last_file_counts(server, backend):
    """As with codex-asr."""
    files = [("file", ("a.wav", sound(1), "audio/wav")), ("file", ("b.wav", sound(2), "audio/wav"))]
    reply = httpx.post(server.address + PATH, files=files, headers={"authorization": f"bearer {KEY}"})
    assert reply.status_code == 200
    assert b'filename="b.wav"' in backend.requests[-1].content


@pytest.mark.parametrize("key", [None, "wrong", KEY + "x", "ключ"])
def test_without_the_key_nobody_is_served(server, backend, key):
    """401, before the body is read."""
    before = len(backend.requests)
    headers = {"authorization": f"Bearer {key}".encode()} if key is not None else {}
    reply = httpx.post(server.address + PATH, files={"file": b"x"}, headers=headers)
    assert (reply.status_code, error_of(reply)) == (401, ("authentication_error", "missing or invalid bearer token"))
    assert len(backend.requests) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:80"},
        {"host": "127.0.0.1.evil.example"},
        {"host": ""},
        {"host": "[::1"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_pages_of_other_sites_are_kept_out(server, headers):
    """By the Host header (DNS rebinding), or by the Origin header, with the right key too."""
    reply = post(server, headers=headers)
    assert reply.status_code == 403 or (headers.get("host") == "" and reply.status_code == 400)
    if reply.status_code == 403:
        assert error_of(reply)[0] == "permission_error"
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:99", "LOCALHOST:8788"])
def test_names_of_this_machine_are_let_in(server, host):
    """Addresses too: no name can hide behind them."""
    assert post(server, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"response_format": "srt"}, "response_format srt/vtt is not supported because timestamps are unavailable"),
        ({"response_format": "vtt"}, "response_format srt/vtt is not supported because timestamps are unavailable"),
        ({"response_format": "xml"}, "unsupported response_format: xml"),
    ],
)
def test_formats_that_are_not_served(server, fields, message):
    """400, in codex-asr's words."""
    reply = post(server, **fields)
    assert (reply.status_code, error_of(reply)) == (400, ("invalid_request_error", message))


def test_forms_that_are_none(server):
    """400, each with its reason."""
    url, headers = server.address + PATH, {"authorization": f"Bearer {KEY}"}
    assert error_of(post(server, b"")) == ("invalid_request_error", "file is empty")
    reply = httpx.post(url, files={"sound": b"x"}, headers=headers)
    assert (reply.status_code, error_of(reply)[1]) == (400, "missing multipart file field")
    assert httpx.post(url, json={}, headers=headers).status_code == 400
    assert (
        httpx.post(
            url, content=b"--x\r\nnonsense", headers={**headers, "content-type": "multipart/form-data"}
        ).status_code
        == 400
    )


def test_a_form_that_breaks_off_leaves_nothing_open(server):
    """A file that had begun to come is deleted at once; what stays open would fail this test."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    kind = {"authorization": f"Bearer {KEY}", "content-type": "multipart/form-data; boundary=b"}
    for _ in range(3):
        assert CLIENT.post(server.address + PATH, content=head + b"x\r\n--bx", headers=kind).status_code == 400
    gc.collect()


def test_a_body_above_the_limit_is_refused(server, backend):
    """413: at once when its length is told, and as soon as it is too long when it is not."""
    before = len(backend.requests)
    reply = post(server, sound(60))
    assert reply.status_code == 413
    assert error_of(reply) == ("invalid_request_error", "multipart body exceeds the configured upload limit")
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    kind = {"authorization": f"Bearer {KEY}", "content-type": "multipart/form-data; boundary=b"}
    try:
        connection.request("POST", PATH, iter([head, *[bytes(10_000)] * 100]), kind, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):  # it did not wait for the rest
        pass
    connection.close()
    assert len(backend.requests) == before


def test_unknown_paths_and_methods(server):
    """404 and 405 without a body."""
    for reply, status in [(httpx.get(f"{server.address}/v1/models"), 404), (httpx.get(server.address + PATH), 405)]:
        assert (reply.status_code, reply.content) == (status, b"")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.cloudflare(path=DICTATION), "HTTP 403"),
        (Fault.reply(401, {"detail": "Unauthorized"}, path=DICTATION), "HTTP 401"),
        (Fault.throttled(path=DICTATION), "HTTP 429: "),
        (Fault.server_error(path=DICTATION), "HTTP 503"),
        (Fault.drop(path=DICTATION), "closed the connection"),
        (Fault.reply(200, {"words": 1}, path=DICTATION), "did not contain text"),
    ],
)
def test_every_failure_upstream_is_502(server, backend, fault, said):
    """With what the service said, cut short, and no login in it."""
    backend.inject(fault)
    reply = post(server)
    kind, message = error_of(reply)
    assert (reply.status_code, kind) == (502, "upstream_error")
    assert message.startswith("upstream transcribe failed: ")
    assert said in message
    assert len(message) <= 300
    assert "made-up-bearer" not in message


def test_streams_are_served_as_one_piece(server, backend):
    """OpenAI's clients may ask for one."""
    hears(backend, "Hello.")
    lines = post(server, stream="true").text.split("\n\n")
    assert json.loads(lines[0][6:]) == {"type": "transcript.text.delta", "delta": "Hello."}
    assert lines[-2:] == ["data: [DONE]", ""]


def test_beyond_its_bounds_it_says_429(session, backend):
    """As many as fit wait and are served; the next one is told to come again, and afterwards there is room."""
    with serve.start(session, api_key=KEY, concurrency=1, queue=2) as server:
        backend.inject(Fault.silence(1.5, path=DICTATION, times=1))
        before = len(backend.requests)
        with ThreadPoolExecutor(8) as pool:
            first = pool.submit(post, server)
            while len(backend.requests) == before:  # it is upstream now
                time.sleep(0.01)
            replies = [each.result() for each in [pool.submit(post, server) for _ in range(7)]] + [first.result()]
        statuses = sorted(reply.status_code for reply in replies)
        assert statuses == [200] * 3 + [429] * 5
        busy = next(reply for reply in replies if reply.status_code == 429)
        assert int(busy.headers["retry-after"]) > 0
        assert error_of(busy)[0] == "rate_limit_error"
        assert post(server).status_code == 200


def test_a_slow_service_is_not_waited_for_forever(session, backend):
    """502 after the time that one recording may take."""
    with serve.start(session, api_key=KEY, seconds=1) as server:
        backend.inject(Fault.silence(20, path=DICTATION))
        reply = post(server)
    assert reply.status_code == 502
    assert "no answer within 1 seconds" in error_of(reply)[1]


def test_a_stop_lets_what_is_under_way_end(session, backend):
    """And takes nothing more."""
    server = serve.start(session, api_key=KEY)
    backend.inject(Fault.silence(0.7, path=DICTATION))
    before = len(backend.requests)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(post, server)
        while len(backend.requests) == before:
            time.sleep(0.01)
        server.stop()
        assert reply.result().status_code == 200
    with pytest.raises(httpx.ConnectError):
        post(server)


def test_the_login_file_is_read_for_each_request(tmp_path, backend, session):
    """A new login needs no restart; without one the error says what is the matter."""
    path = tmp_path / "auth.json"
    with (
        codex_nb.Session(backend.url, auth=codex_nb.CodexAuth(path)) as own,
        serve.start(own, api_key=KEY) as server,
    ):
        reply = post(server)
        assert (reply.status_code, error_of(reply)[0]) == (500, "server_error")
        assert error_of(reply)[1].startswith("failed to load Codex auth: ")
        path.write_text(json.dumps(backend.auth_json()))
        assert post(server).status_code == 200


def test_a_client_who_leaves_is_not_worked_for(session, backend):
    """Its request upstream ends, and its place is free."""
    with serve.start(session, api_key=KEY, concurrency=1, queue=0) as server:
        backend.inject(Fault.silence(30, path=DICTATION))
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                server.address + PATH,
                files={"file": ("a.wav", sound())},
                headers={"authorization": f"Bearer {KEY}"},
                timeout=httpx.Timeout(5, read=0.5),
            )
        for _ in range(200):
            if (status := post(server).status_code) == 200:
                break
            time.sleep(0.02)
        assert status == 200


def test_who_may_listen_where(session):
    """Without a key on loopback only; a key that no header takes is refused; bounds are numbers."""
    for bad in (
        {"host": "0.0.0.0"},  # noqa: S104
        {"host": "example.org"},
        {"api_key": " "},
        {"api_key": "ключ"},
        {"concurrency": 0},
        {"max_upload": 0},
        {"route": "bogus"},
        {"route": "codex,bogus"},
    ):
        with pytest.raises(codex_nb.InvalidOption):
            serve.ServerConfig(**bad)
    assert serve.ServerConfig(host="::1", route="platform,codex").api_key is None
    with pytest.raises(codex_nb.InvalidOption, match="int is no session"):
        serve.start(session=5)
    with serve.start(session) as server:
        assert len(server.api_key) >= 24
        assert server.api_key not in repr(server) + repr(server.config)
        with pytest.raises(codex_nb.CodexError, match="Cannot listen") as caught:
            serve.start(session, port=server.port)
        assert "--port" in caught.value.hint
    with pytest.raises(codex_nb.CodexError, match="Cannot listen") as caught:
        serve.start(session, host="192.0.2.1")  # of nobody's machine
    assert "--host" in caught.value.hint


def test_a_load_of_uploads_is_served_whole(session, backend):
    """None is lost, however they come; the bench sends more."""
    with serve.start(session, api_key=KEY, concurrency=4, queue=16) as server, ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda n: (n, post(server, sound(0.1 + n / 100))), range(100)))
    assert {reply.status_code for _, reply in replies} == {200}
    assert all(reply.json()["text"].startswith("A scripted transcript") for _, reply in replies)


PARTS = st.lists(
    st.one_of(
        st.binary(max_size=200),
        st.sampled_from(
            [
                b"--b\r\n",
                b"--b--\r\n",
                b"\r\n",
                b"\r\n\r\n",
                b'Content-Disposition: form-data; name="file"; filename="a.wav"',
                b'Content-Disposition: form-data; name="response_format"',
                b"Content-Disposition: form-data",
                b"Content-Type: audio/wav",
                b"Content-Transfer-Encoding: base64",
                b"_charset_",
                sound(0.1),
                b"json",
                b"srt",
            ]
        ),
    ),
    max_size=12,
).map(b"".join)
MULTIPART = "multipart/form-data"
TYPES = st.one_of(
    st.just(f"{MULTIPART}; boundary=b"),
    st.sampled_from([MULTIPART, f"{MULTIPART}; boundary=", "text/plain", f"{MULTIPART}; boundary=b; charset=x"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)


@settings(max_examples=FUZZED)
@given(body=PARTS, kind=TYPES)
def test_any_body_gets_an_answer(server, body, kind):
    """No crash, and no failure of ours: a transcript, a 4xx, or what the service said."""
    reply = CLIENT.post(
        server.address + PATH, content=body, headers={"authorization": f"Bearer {KEY}", "content-type": kind.strip()}
    )
    assert reply.status_code in {200, 400, 413, 502}
    if reply.status_code != 200:
        error_of(reply)


def test_the_command_serves_and_stops(tmp_path, backend):
    """It says where on standard error, takes codex-asr's variables, and ends well by a signal."""
    (tmp_path / "auth.json").write_text(json.dumps(backend.auth_json()))
    environment = {
        **os.environ,
        "CODEX_HOME": str(tmp_path),
        "CODEX_ASR_SERVER_KEY": KEY,
        "CODEX_ASR_MAX_UPLOAD_MB": "2",
    }
    command = [sys.executable, "-m", "codex_nb.cli", "serve", "--port", "0", "-b", backend.url]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        line = process.stderr.readline()
        assert line.startswith("codex-nb listening on http://127.0.0.1:")
        assert line.endswith("(max upload: 2 MiB)\n")
        address = line.split()[3]
        hears(backend, "Served.")
        for _ in range(300):
            try:
                httpx.get(f"{address}/healthz")
                break
            except httpx.ConnectError:
                time.sleep(0.02)
        reply = httpx.post(
            f"{address}{PATH}", files={"file": ("a.wav", sound())}, headers={"authorization": f"Bearer {KEY}"}
        )
        assert reply.json() == {"text": "Served."}
        process.terminate()
        assert process.wait(20) in {0, -15}
        assert process.stderr.read() == ""
    finally:
        watchdog.cancel()
        process.kill()
        process.stderr.close()
        process.wait()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "serve requires --api-key, CODEX_NB_SERVER_KEY, or --no-api-key"),
        (["--no-api-key", "--host", "0.0.0.0"], "loopback only"),  # noqa: S104
        (["--no-api-key", "--route", "bogus"], "no route 'bogus'"),
        (["--no-api-key", "--concurrency", "0"], "concurrency must be at least 1"),
        (["--no-api-key", "--max-upload-mb", "0"], "--max-upload-mb must be a positive integer"),
        (["--no-api-key"], "login"),
    ],
)
def test_the_command_refuses_at_once(capsys, backend, arguments, message):
    """What would serve nobody, or everybody."""
    from codex_nb import cli

    assert cli.main(["serve", "-b", backend.url, "--port", "0", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_silence_is_an_empty_text(server, backend):
    """As codex-asr has it: programs send silence, too."""
    backend.state.engine.transcripts.append("")
    quiet = sound().replace(b"\x00\x10\x00\xf0", bytes(4))
    reply = post(server, quiet)
    assert (reply.status_code, reply.json()) == (200, {"text": ""})
