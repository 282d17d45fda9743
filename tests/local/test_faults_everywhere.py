"""Every kind of fault at every kind of endpoint that is not a stream, at both ports."""

import time

import httpx
import pytest

from codex_nb.local import Fault

SESSION = {"content": "v=0\r\nm=audio 9 X 1\r\n", "headers": {"content-type": "application/sdp"}}
ENDPOINTS = {
    "models": ("GET", "/backend-api/codex/models", {}),
    "usage": ("GET", "/backend-api/wham/usage", {}),
    "embeddings": ("POST", "/v1/embeddings", {"json": {"model": "text-embedding-3-small", "input": "x"}}),
    "files": ("POST", "/backend-api/files", {"json": {"file_name": "a", "file_size": 300, "use_case": "codex"}}),
    "uploaded": ("POST", "/backend-api/files/FILE/uploaded", {"json": {}}),
    "put": ("PUT", "UPLOAD", {"content": b"x" * 300, "headers": {"x-ms-blob-type": "BlockBlob"}}),
    "get": ("GET", "DOWNLOAD", {}),
    "calls": ("POST", "/backend-api/codex/realtime/calls", SESSION),
    "traces": ("POST", "/backend-api/codex/memories/trace_summarize", {"json": {"model": "gpt-5.5", "traces": []}}),
    "whole response": ("POST", "/v1/responses", {"json": {"model": "gpt-5.5", "input": "x"}}),
}


@pytest.fixture(params=ENDPOINTS)
def send(request, raw, backend):
    """Return what sends one request to an endpoint; a file is uploaded before."""
    backend.state.account.plan = "pro"
    announced = {"file_name": "a", "file_size": 300, "use_case": "codex"}
    file = raw.http.post(backend.url + "/backend-api/files", json=announced).json()
    with httpx.Client(timeout=30, trust_env=False) as bare:
        bare.put(file["upload_url"], content=b"x" * 300, headers={"x-ms-blob-type": "BlockBlob"})
        stored = backend.state.files.get(file["file_id"])
        urls = {"UPLOAD": file["upload_url"], "DOWNLOAD": backend.state.files.download_url(stored, "")}
        method, path, options = ENDPOINTS[request.param]
        client = bare if path in urls else raw.http
        url = urls.get(path) or backend.url + path.replace("FILE", file["file_id"])
        yield lambda: client.request(method, url, **options)


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        (Fault.cloudflare(path="*"), 403, "cf-mitigated"),
        (Fault.throttled(path="*"), 429, None),
        (Fault.throttled(2, path="*"), 429, "retry-after"),
        (Fault.usage_limit(path="*"), 429, None),
        (Fault.server_error(502, path="*"), 502, None),
    ],
)
def test_replies_that_are_faults(send, backend, fault, status, header):
    """The named status arrives, once; then the endpoint is well again."""
    backend.inject(fault)
    reply = send()
    assert reply.status_code == status
    assert header is None or header in reply.headers
    assert send().status_code < 300


@pytest.mark.parametrize("how", ["abrupt", "reset"])
def test_drops(send, backend, how):
    """No header comes."""
    backend.inject(Fault.drop(path="*", cut=how))
    with pytest.raises(httpx.TransportError):
        send()
    assert send().status_code < 300


def test_silence_and_drip_lose_nothing(send, backend):
    """A late answer and a slow one are whole."""
    expected = len(send().content)
    backend.inject(Fault.silence(0.05, path="*"), Fault.slow(1000, 0.001, path="*"))
    began = time.perf_counter()
    assert send().status_code < 300
    assert time.perf_counter() - began >= 0.05
    assert abs(len(send().content) - expected) < 50


def test_bodies_cut_short(send, backend):
    """Bytes are missing although a length was promised."""
    if not send().content:
        pytest.skip("nothing to cut")
    backend.inject(Fault.cut_after(size=3, path="*"))
    with pytest.raises(httpx.RemoteProtocolError):
        send()
