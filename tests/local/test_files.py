"""Files on the embedded backend: announced with a bearer, put to a second port without one, finished in the end."""

import hashlib
import time
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from codex_nb.local import Fault

FILES = "/backend-api/files"
CONTENT = b"Zaz\xc3\xb3\xc5\x82\xc4\x87 " * 1000
SIZE = len(CONTENT)
BLOB = {"x-ms-blob-type": "BlockBlob"}


@pytest.fixture(scope="module")
def bare():
    """Give a client that shows no login."""
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


def announce(raw, backend, name="notes.txt", size=SIZE, **more):
    """Announce a file and return the reply."""
    body = {"file_name": name, "file_size": size, "use_case": "codex", **more}
    return raw.http.post(backend.url + FILES, json=body)


def finish(raw, backend, file_id):
    """Finish an upload and return what is said."""
    return raw.http.post(f"{backend.url}{FILES}/{file_id}/uploaded", json={}).json()


def test_a_file_goes_up_and_comes_back(raw, bare, backend):
    """Announce, put, finish, get: the bytes, their digest and their name are the same."""
    made = announce(raw, backend).json()
    assert bare.put(made["upload_url"], content=CONTENT, headers=BLOB).status_code == 201
    done = finish(raw, backend, made["file_id"])
    assert (done["status"], done["file_name"], done["mime_type"]) == ("success", "notes.txt", "text/plain")
    assert done["file_size_bytes"] == len(CONTENT)
    reply = bare.get(done["download_url"])
    assert (reply.content, reply.headers["content-type"].split(";")[0]) == (CONTENT, "text/plain")
    stored = backend.state.files.get(made["file_id"])
    assert (stored.sha256, stored.received) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    assert stored.read() == CONTENT


def test_bytes_go_to_another_port(raw, bare, backend):
    """The two ports serve nothing of each other."""
    url = announce(raw, backend).json()["upload_url"]
    assert urlsplit(url).port != urlsplit(backend.url).port
    assert urlsplit(url).hostname == "127.0.0.1"
    swapped = url.replace(str(urlsplit(url).port), str(urlsplit(backend.url).port))
    assert bare.put(swapped, content=CONTENT, headers=BLOB).status_code == 404
    second = f"http://127.0.0.1:{urlsplit(url).port}"
    assert raw.http.post(second + FILES, json={}).status_code == 404
    assert bare.get(second + "/healthz").status_code == 404


@pytest.mark.parametrize(
    "shown", [{"Authorization": "Bearer x"}, {"ChatGPT-Account-ID": "me"}, {"Cookie": "__cf_bm=1"}]
)
def test_the_signed_port_must_not_see_a_login(raw, bare, backend, shown):
    """A bearer, an account or a cookie there is a leak: 403, and nothing is stored."""
    made = announce(raw, backend).json()
    reply = bare.put(made["upload_url"], content=CONTENT, headers=BLOB | shown)
    assert (reply.status_code, reply.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
    assert finish(raw, backend, made["file_id"]) == {
        "status": "error",
        "error_message": "The uploaded blob was not found",
    }
    bare.put(made["upload_url"], content=CONTENT, headers=BLOB)
    url = finish(raw, backend, made["file_id"])["download_url"]
    assert bare.get(url, headers=shown).status_code == 403


def test_signatures_are_checked(raw, bare, backend):
    """Forged, expired, of another file or for another verb: 403."""
    made = announce(raw, backend).json()
    url, query = made["upload_url"].split("?")[0], dict(parse_qsl(urlsplit(made["upload_url"]).query))
    later = {**query, "se": str(int(query["se"]) + 60)}
    for params in ({}, {**query, "sig": "0" * 64}, later, {**query, "sp": "r"}):
        assert bare.put(url, params=params, content=CONTENT, headers=BLOB).status_code == 403
    assert bare.get(made["upload_url"]).status_code == 403
    other = announce(raw, backend).json()["upload_url"].split("?")[0]
    assert bare.put(other, params=query, content=CONTENT, headers=BLOB).status_code == 403
    backend.state.files.lifetime = -1
    late = bare.put(announce(raw, backend).json()["upload_url"], content=CONTENT, headers=BLOB)
    assert late.status_code == 403
    assert "time frame" in late.text


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (CONTENT, {}, 400, "MissingRequiredHeader"),
        (CONTENT[:-1], BLOB, 400, "InvalidInput"),
        (CONTENT + b"!", BLOB, 400, "InvalidInput"),
        ([CONTENT], BLOB, 411, "MissingContentLengthHeader"),
    ],
)
def test_storage_refuses_what_does_not_fit(raw, bare, backend, content, headers, status, code):
    """Errors of the storage are XML, and nothing is stored."""
    made = announce(raw, backend).json()
    content = iter(content) if isinstance(content, list) else content
    reply = bare.put(made["upload_url"], content=content, headers=headers)
    assert (reply.status_code, reply.headers["x-ms-error-code"]) == (status, code)
    assert f"<Code>{code}</Code>" in reply.text
    assert backend.state.files.get(made["file_id"]).received == 0


def test_an_empty_file_and_a_second_try(raw, bare, backend):
    """Nothing is a content too, and a put may be repeated until the file is finished."""
    empty = announce(raw, backend, size=0).json()
    assert bare.put(empty["upload_url"], content=b"", headers=BLOB).status_code == 201
    assert bare.get(finish(raw, backend, empty["file_id"])["download_url"]).content == b""
    made = announce(raw, backend, size=3).json()
    assert [bare.put(made["upload_url"], content=each, headers=BLOB).status_code for each in (b"one", b"two")] == [
        201,
        201,
    ]
    done = finish(raw, backend, made["file_id"])
    assert bare.get(done["download_url"]).content == b"two"
    assert finish(raw, backend, made["file_id"])["status"] == "success"
    assert bare.put(made["upload_url"], content=b"six", headers=BLOB).status_code == 409


def test_finishing_takes_as_many_tries_as_it_is_told(raw, bare, backend):
    """Retry, then success; or an error with its message."""
    backend.state.files.retries = 2
    made = announce(raw, backend).json()
    bare.put(made["upload_url"], content=CONTENT, headers=BLOB)
    assert [finish(raw, backend, made["file_id"])["status"] for _ in range(3)] == ["retry", "retry", "success"]
    backend.state.files.error = "The file could not be scanned"
    assert finish(raw, backend, made["file_id"])["error_message"] == "The file could not be scanned"
    reply = raw.http.post(f"{backend.url}{FILES}/file_unknown/uploaded", json={})
    assert (reply.status_code, reply.json()) == (404, {"detail": "File not found"})


@pytest.mark.parametrize(
    ("changes", "status", "where"),
    [
        ({"file_name": ""}, 422, "file_name"),
        ({"file_name": 3}, 422, "file_name"),
        ({"file_size": "3"}, 422, "file_size"),
        ({"file_size": -1}, 422, "file_size"),
        ({"use_case": None}, 422, "use_case"),
    ],
)
def test_announcements_are_checked(raw, backend, changes, status, where):
    """A field that is no such thing is named."""
    body = {"file_name": "a", "file_size": 1, "use_case": "codex"} | changes
    reply = raw.http.post(backend.url + FILES, json=body)
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (status, ["body", where])


def test_announcements_need_a_login_and_a_limit(raw, bare, backend):
    """No bearer is 401, more than 512 MiB is 413."""
    assert bare.post(backend.url + FILES, json={}).status_code == 401
    assert announce(raw, backend, size=536_870_912).status_code == 200
    assert announce(raw, backend, size=536_870_913).status_code == 413
    assert raw.http.post(backend.url + FILES, content=b"{").status_code == 400


def test_a_large_upload_is_not_kept_in_memory(raw, bare, backend):
    """Fifty megabytes go through in pieces; neither the record of requests nor the process holds them."""
    piece = bytes(range(256)) * 4096
    made = announce(raw, backend, name="big.bin", size=50 * len(piece)).json()
    headers = BLOB | {"content-length": str(50 * len(piece))}
    reply = bare.put(made["upload_url"], content=(piece for _ in range(50)), headers=headers)
    assert reply.status_code == 201
    stored = backend.state.files.get(made["file_id"])
    assert stored.sha256 == hashlib.sha256(piece * 50).hexdigest()
    kept = backend.requests[-1]
    assert (kept.method, kept.content, kept.headers["x-ms-blob-type"]) == ("PUT", b"", "BlockBlob")


SIGNED = "/files/*"


def test_faults_strike_the_second_port(raw, bare, backend):
    """A guard's page, a burst and a cut: the put meets them like any request."""
    made = announce(raw, backend).json()
    backend.inject(
        Fault.cloudflare(path=SIGNED),
        Fault.throttled(1, path=SIGNED),
        Fault.server_error(times=2, path=SIGNED),
        Fault.drop(path=SIGNED),
    )
    replies = [bare.put(made["upload_url"], content=CONTENT, headers=BLOB) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [403, 429, 503, 503]
    assert "cloudflare" in replies[0].headers["server"]
    assert replies[1].headers["retry-after"] == "1"
    with pytest.raises(httpx.TransportError):
        bare.put(made["upload_url"], content=CONTENT, headers=BLOB)
    assert bare.put(made["upload_url"], content=CONTENT, headers=BLOB).status_code == 201


def test_downloads_can_stall_drip_and_break(raw, bare, backend):
    """A silence is waited out, a drip is whole, a cut is short."""
    made = announce(raw, backend).json()
    bare.put(made["upload_url"], content=CONTENT, headers=BLOB)
    url = finish(raw, backend, made["file_id"])["download_url"]
    backend.inject(
        Fault.silence(0.05, path=SIGNED),
        Fault.slow(4096, 0.01, path=SIGNED),
        Fault.cut_after(size=100, path=SIGNED),
        Fault.cut_after(size=100, how="reset", path=SIGNED),
    )
    began = time.perf_counter()
    assert bare.get(url).content == CONTENT
    assert time.perf_counter() - began >= 0.05
    assert bare.get(url).content == CONTENT
    with pytest.raises(httpx.RemoteProtocolError):
        bare.get(url)
    with pytest.raises(httpx.TransportError):
        bare.get(url)


def test_a_large_put_meets_a_fault_with_its_answer(raw, bare, backend):
    """An error that comes instead of the upload is read by the client, however large the upload is."""
    made = announce(raw, backend, size=1 << 24).json()
    backend.inject(Fault.server_error(path=SIGNED))
    assert bare.put(made["upload_url"], content=bytes(1 << 24), headers=BLOB).status_code == 503


def test_an_upload_that_breaks_off_leaves_nothing(raw, bare, backend):
    """A client that leaves in the middle has stored nothing, and may begin again."""
    made = announce(raw, backend).json()

    def half():
        yield CONTENT[:100]
        raise OSError("unplugged")

    with httpx.Client(trust_env=False) as client, pytest.raises(OSError, match="unplugged"):
        client.put(made["upload_url"], content=half(), headers=BLOB | {"content-length": str(SIZE)})
    assert finish(raw, backend, made["file_id"])["status"] == "error"
    assert bare.put(made["upload_url"], content=CONTENT, headers=BLOB).status_code == 201


def test_hosted_elsewhere_the_same_host_signs():
    """As a bare application there is one port, and it serves both."""
    import asyncio

    from codex_nb.local import Script, create_app

    async def go():
        transport = httpx.ASGITransport(create_app(Script()))
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            announced = {"file_name": "a", "file_size": 2, "use_case": "codex"}
            made = (await client.post(FILES, json=announced, headers={"authorization": "Bearer x"})).json()
            return made["upload_url"], (await client.put(made["upload_url"], content=b"hi", headers=BLOB)).status_code

    url, status = asyncio.run(go())
    assert url.startswith("http://host/files/")
    assert status == 201
