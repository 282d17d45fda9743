"""Uploads: what is sent where, what is told before anything is sent, and what may go wrong on the way."""

import asyncio
import io
import json
import logging
import os
import pickle
import threading

import httpx
import pytest

from codex_nb import Bearer, Session, errors
from codex_nb.client import _source
from codex_nb.local import Fault, Script
from tests.conftest import TOKEN

CREATE, SIGNED, FINISH = "/backend-api/files", "/files/*/raw", "/backend-api/files/*/uploaded"
CONTENT = bytes(range(256)) * 3000


@pytest.fixture
def backend(make_backend):
    """Return a backend that keeps files."""
    return make_backend(Script())


@pytest.fixture
def path(tmp_path):
    """Return a file of a few pieces."""
    path = tmp_path / "notes.txt"
    path.write_bytes(CONTENT)
    return path


def upload(face, backend, given, *, retries=0, **options):
    """Upload by one session's face."""
    return face.run(backend, lambda one: one.files.upload(given, **options), max_retries=retries)


def kept(backend):
    """Return what the backend keeps of the last file."""
    return backend.state.files.all()[-1]


def test_a_file_is_announced_sent_and_finished(face, backend, path):
    """Three requests; what arrives is what was on the disk, and its name in requests is ``sediment://…``."""
    found = upload(face, backend, path)
    assert kept(backend).read() == CONTENT
    assert kept(backend).finished
    assert found.uri == f"sediment://{found.id}" == f"sediment://{kept(backend).id}"
    assert (found.name, found.size, found.mime_type) == ("notes.txt", len(CONTENT), "text/plain")
    assert (found.file_id, found.file_name, found.file_size_bytes) == (found.id, found.name, found.size)
    create, put, finish = backend.requests
    assert json.loads(create.content) == {"file_name": "notes.txt", "file_size": len(CONTENT), "use_case": "codex"}
    assert put.headers["x-ms-blob-type"] == "BlockBlob"
    assert put.headers["content-length"] == str(len(CONTENT))
    assert json.loads(finish.content) == {}


def test_the_signed_address_sees_no_login_and_does_not_show(face, backend, path, caplog):
    """Neither bearer nor account nor cookie goes there, and the signatures stay out of reprs and logs."""
    caplog.set_level(logging.DEBUG)
    found = upload(face, backend, path, use_case="other")
    create, put, finish = backend.requests
    assert create.headers["authorization"] == finish.headers["authorization"] == f"Bearer {TOKEN}"
    assert not {"authorization", "chatgpt-account-id", "cookie"} & set(put.headers)
    assert json.loads(create.content)["use_case"] == "other"
    signature = found.download_url.rpartition("sig=")[2]
    shown = [repr(found), str(found), *(r.getMessage() for r in caplog.records if "uvicorn" not in r.name)]
    assert any("/raw" in line for line in shown)
    assert not any("sig=" in line or signature in line for line in shown)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301
    with httpx.Client() as client:
        assert client.get(found.download_url).content == CONTENT


@pytest.mark.parametrize("face_name", ["sync", "async"])
def test_a_client_with_a_login_of_its_own_keeps_it_from_the_signed_address(backend, path, face_name):
    """Default headers, cookies and auth of the caller's client are for the backend."""
    own = {
        "headers": {"authorization": "Bearer own", "chatgpt-account-id": "own"},
        "cookies": {"session": "own"},
        "auth": ("own", "own"),
    }
    if face_name == "sync":
        with httpx.Client(**own) as client:
            Session(backend.url, auth=Bearer(TOKEN), http=client).files.upload(path)
    else:

        async def go():
            async with httpx.AsyncClient(**own) as client:
                await Session(backend.url, auth=Bearer(TOKEN), async_http=client).aio.files.upload(path)

        asyncio.run(go())
    assert kept(backend).finished
    assert not any("own" in value for value in backend.requests[1].headers.values())


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        (str, None, "notes.txt"),
        (lambda path: path, "żółć.csv", "żółć.csv"),
        (lambda path: path.open("rb"), None, "notes.txt"),
        (lambda _: io.BytesIO(CONTENT), "a.bin", "a.bin"),
        (lambda _: CONTENT, None, "file"),
        (lambda _: bytearray(CONTENT), "b", "b"),
        (lambda _: memoryview(CONTENT), "b", "b"),
    ],
)
def test_a_path_bytes_or_an_open_file_is_taken(face, backend, path, given, name, expected):
    """Its name is its own, or the one that is given."""
    thing = given(path)
    found = upload(face, backend, thing, name=name)
    assert kept(backend).read() == CONTENT
    assert found.name == kept(backend).name == expected
    if isinstance(thing, io.IOBase):
        assert not thing.closed
        thing.close()


def test_an_open_file_is_taken_from_where_it_stands(face, backend, path):
    """As reading it would."""
    with path.open("rb") as file:
        file.seek(1000)
        assert upload(face, backend, file).size == len(CONTENT) - 1000
    assert kept(backend).read() == CONTENT[1000:]


def test_a_pipe_is_taken_to_its_end(face, backend):
    """What cannot go back is copied to the disk, so that its size is known and a second attempt is possible."""
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as file:
            file.write(CONTENT)

    thread = threading.Thread(target=write)
    thread.start()
    backend.inject(Fault.server_error(503, path=SIGNED))
    with os.fdopen(reading, "rb") as file:
        upload(face, backend, file, retries=1)
    thread.join()
    assert kept(backend).read() == CONTENT


def test_progress_is_told_on_the_callers_thread(face, backend, path):
    """From 0 to all, in bytes, anew for each attempt."""
    seen, threads = [], set()

    def progress(sent, total):
        seen.append((sent, total))
        threads.add(threading.current_thread())

    backend.inject(Fault.server_error(503, path=SIGNED))
    upload(face, backend, path, on_progress=progress, retries=1)
    whole = [(at, len(CONTENT)) for at in (0, 262_144, 524_288, len(CONTENT))]
    assert seen == whole * 2
    assert threads == {threading.current_thread()}
    assert kept(backend).read() == CONTENT


def test_a_progress_that_raises_ends_the_upload(face, backend, path):
    """With the caller's own error; the file is not finished."""

    def progress(sent, total):
        if sent:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        upload(face, backend, path, on_progress=progress)
    assert not kept(backend).finished


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda folder: folder / "gone.txt", "not there"),
        (lambda folder: folder, "a folder"),
        (lambda _: "/dev/null", "no regular file"),
        (lambda _: "a\0b", "cannot be read"),
        (lambda _: b"", "empty"),
        (lambda _: io.BytesIO(), "empty"),
        (lambda _: io.StringIO("text"), "open as text"),
        (lambda _: 5, "type int"),
        (lambda _: None, "type NoneType"),
    ],
)
def test_what_cannot_be_uploaded_is_told_before_anything_is_sent(face, backend, tmp_path, make, word):
    """One kind of error, which says what to do."""
    with pytest.raises(errors.FileError, match=word) as caught:
        upload(face, backend, make(tmp_path))
    assert caught.value.hint
    assert backend.requests == []


def test_an_empty_file_and_one_above_the_limit_are_told_before_anything_is_sent(face, backend, tmp_path):
    """512 MiB is the most; the file with a hole takes no room on the disk."""
    large, empty = tmp_path / "large.bin", tmp_path / "empty.bin"
    empty.touch()
    with large.open("wb") as file:
        file.truncate(512 * 1024 * 1024 + 1)
    with pytest.raises(errors.FileError, match=r"512\.0 MiB, and the limit is 512 MiB"):
        upload(face, backend, large)
    with pytest.raises(errors.FileError, match="is empty") as caught:
        upload(face, backend, empty)
    assert caught.value.path == str(empty)
    assert backend.requests == []


def test_a_pipe_above_the_limit_is_not_read_to_its_end(face, backend, monkeypatch):
    """It may have none."""
    monkeypatch.setattr(_source, "LARGEST", 1000)

    class Endless(io.RawIOBase):
        """A file that goes on and on."""

        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = bytes(len(buffer))
            return len(buffer)

    with pytest.raises(errors.FileError, match="limit"):
        upload(face, backend, Endless())
    assert backend.requests == []


@pytest.mark.parametrize("change", ["longer", "shorter", "rewritten", "replaced"])
def test_a_file_that_changes_on_the_way_is_not_finished(face, backend, path, change):
    """It would be neither the old nor the new one."""

    def progress(sent, total):
        if not sent:
            return
        if change == "longer":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "shorter":
            os.truncate(path, 300_000)
        elif change == "rewritten":
            path.write_bytes(CONTENT[::-1])
            os.utime(path, (1, 1))
        else:
            path.with_suffix(".new").write_bytes(CONTENT[:5])
            path.with_suffix(".new").replace(path)

    if change == "replaced":  # what is open stays what it was; a second attempt would meet the new one
        backend.inject(Fault.server_error(503, path=SIGNED))
    with pytest.raises(errors.FileError, match=r"notes\.txt changed") as caught:
        upload(face, backend, path, on_progress=progress, retries=1)
    assert caught.value.path == str(path)
    assert not kept(backend).finished
    assert kept(backend).read() == b""


def test_a_file_that_vanishes_before_it_is_sent_is_told(face, backend, path):
    """Between the announcement and the upload."""

    def progress(sent, total):
        path.unlink(missing_ok=True)

    with pytest.raises(errors.FileError, match="not there"):
        upload(face, backend, path, on_progress=progress)
    assert not kept(backend).finished


def test_finishing_is_asked_for_until_it_is_done(face, backend, path):
    """While the service says ``retry``."""
    backend.state.files.retries = 2
    assert upload(face, backend, path).size == len(CONTENT)
    assert len(backend.requests) == 5


def test_finishing_has_an_end(face, backend, path):
    """What is not ready in time is an error that says so."""
    backend.state.files.retries = 1000
    with pytest.raises(errors.APITimeoutError, match=r"within 0\.3 seconds") as caught:
        upload(face, backend, path, timeout=0.3)
    assert "timeout=" in caught.value.hint


def test_what_the_service_cannot_take_is_told_in_its_words(face, backend, path):
    """Cleaned, and only so much of it."""
    backend.state.files.error = "Virus found\x1b[31m " + "x" * 1000
    with pytest.raises(errors.FileError, match="Virus found") as caught:
        upload(face, backend, path)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "told",
    [
        {"status": "success"},
        {"status": "success", "download_url": ""},
        {"status": "success", "download_url": 5},
        {"status": "success", "download_url": "https://x/y", "file_name": ["x"]},
    ],
)
def test_a_finish_that_is_none_is_an_error(face, backend, path, told):
    """A success without an address to read the file at is no success."""
    backend.inject(Fault.reply(200, told).on(FINISH, "POST"))
    with pytest.raises(errors.MalformedStream):
        upload(face, backend, path)


@pytest.mark.parametrize("told", [{"status": "error"}, {"status": ["retry"]}, {}, [], None])
def test_any_other_state_is_a_failure(face, backend, path, told):
    """And never asked for again."""
    backend.inject(Fault.reply(200, told).on(FINISH, "POST"))
    with pytest.raises(errors.FileError, match="no reason was given"):
        upload(face, backend, path)
    assert len(backend.requests) == 3


@pytest.mark.parametrize(
    "ticket",
    [
        {"file_id": "file_1"},
        {"upload_url": "http://127.0.0.1:9/x"},
        {"file_id": "../../v1", "upload_url": "http://127.0.0.1:9/x"},
        {"file_id": "a/b?c", "upload_url": "http://127.0.0.1:9/x"},
        {"file_id": "file_1\n", "upload_url": "http://127.0.0.1:9/x"},
        {"file_id": 5, "upload_url": "http://127.0.0.1:9/x"},
        {"file_id": "file_1", "upload_url": "account/wham/usage"},
        {"file_id": "file_1", "upload_url": "codex/x?y=://"},
        {"file_id": "file_1", "upload_url": "file:///etc/passwd"},
        {"file_id": "file_1", "upload_url": None},
        [],
        None,
    ],
    ids=str,
)
def test_a_ticket_that_leads_elsewhere_is_refused(face, backend, path, ticket):
    """The login could follow it, so nothing is sent there."""
    backend.inject(Fault.reply(200, ticket).on(CREATE, "POST"))
    with pytest.raises(errors.MalformedStream):
        upload(face, backend, path)
    assert len(backend.requests) == 1


def test_an_address_that_is_none_is_a_plain_error(face, backend, path):
    """One that the client could not even send to."""
    ticket = {"file_id": "file_1", "upload_url": "http://127.0.0.1:99999999/x?sig=secret-0123456789abcdef"}
    backend.inject(Fault.reply(200, ticket).on(CREATE, "POST"))
    with pytest.raises(errors.APIConnectionError) as caught:
        upload(face, backend, path)
    assert "secret-0123" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, errors.PermissionDeniedError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (409, errors.APIStatusError),
        (413, errors.BadRequestError),
        (500, errors.InternalServerError),
    ],
)
def test_the_storages_refusal_is_told_in_its_words_and_without_the_signature(face, backend, path, status, error):
    """It is XML, and may quote the address; its 401 is not about a login."""
    ticket = {"file_id": "file_1", "upload_url": f"{backend.url}/put/raw?se=2026&sig=c2lnbmF0dXJlLW9mLW1hZGUtdXA%3D"}
    body = "<?xml version='1.0'?><Error><Code>Refused</Code><Message>Not {}</Message></Error>"
    body = body.format("c2lnbmF0dXJlLW9mLW1hZGUtdXA= or c2lnbmF0dXJlLW9mLW1hZGUtdXA%3D")
    backend.inject(Fault.reply(200, ticket).on(CREATE, "POST"), Fault.reply(status, body).on("/put/raw", "PUT"))
    with pytest.raises(error, match=r"storage refuses the file \(HTTP \d+\): Refused Not \[hidden\]") as caught:
        upload(face, backend, path)
    assert type(caught.value) is error
    assert caught.value.status_code == status
    assert "c2lnbmF0" not in repr(vars(caught.value))
    assert "?" not in caught.value.url


def test_a_redirect_of_the_storage_is_not_followed(face, backend, path):
    """Nor is the login carried there."""
    backend.inject(Fault.redirect(f"{backend.url}/backend-api/wham/usage").on(SIGNED, "PUT"))
    with pytest.raises(errors.APIStatusError):
        upload(face, backend, path)
    assert len(backend.requests) == 2


def test_an_openai_compatible_server_keeps_no_files(face, backend, path):
    """Which is known before anything is sent."""
    with pytest.raises(errors.UnsupportedByBackend):
        upload(face, f"{backend.url}/v1", path)
    assert backend.requests == []
