"""How much memory an upload of 512 MB takes, and how long, on both faces and by other clients.

Run by hand: ``uv run --group bench tests/bench/upload.py``. The server is a process of its own that throws the bytes
away. Each client runs in a process of its own; memory is the growth of the resident set above what it was after one
small upload (Linux).
"""

import asyncio
import json
import multiprocessing
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SIZE = 512 * 1024 * 1024


def serve(listener):
    """Take uploads as the service does."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def answer(connection):
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                if not (chunk := connection.recv(1 << 16)):
                    return
                rest += chunk
            head, _, rest = rest.partition(b"\r\n\r\n")
            length = next(int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:"))
            length -= len(rest)
            rest = b""
            while length > 0:
                length -= len(connection.recv(min(length, 1 << 20)))
            target = head.split(b" ", 2)[1]
            told = {"status": "success", "download_url": f"{url}/raw", "file_id": "file_1", "upload_url": f"{url}/raw"}
            content = b"" if target == b"/raw" else json.dumps(told).encode()
            line = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            connection.sendall(line % (len(content), content))

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def codex_nb_sync(url):
    """Return what uploads by codex_nb."""
    from codex_nb import Bearer, Session

    session = Session(url, auth=Bearer("made-up"))
    return lambda path: session.files.upload(path).size


def codex_nb_async(url):
    """Return what uploads by codex_nb's asynchronous face."""
    from codex_nb import Bearer, Session

    session, loop = Session(url, auth=Bearer("made-up")), asyncio.new_event_loop()
    return lambda path: loop.run_until_complete(session.aio.files.upload(path)).size


def codex_backend_sdk(url):
    """Return what uploads by codex-backend-sdk, its addresses pointed here."""
    import codex_backend_sdk._client as sdk

    sdk.CHATGPT_BASE_URL = f"{url}/backend-api"
    client = sdk.OpenAI()
    client._store = sdk.TokenStore(
        access_token="made-up", refresh_token="made-up", id_token_raw="made-up", account_id="a"
    )
    return lambda path: client.files.upload(path).file_size_bytes


CLIENTS = {
    "codex_nb, sync": codex_nb_sync,
    "codex_nb, async": codex_nb_async,
    "codex-backend-sdk 0.3.3": codex_backend_sdk,
}


def resident(field):
    """Return a memory figure of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def one(name, url, path):
    """Print the seconds and the memory of one upload; run in a process of its own."""
    upload = CLIENTS[name](url)
    upload(__file__)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    began = time.perf_counter()
    assert upload(path) == SIZE
    print(time.perf_counter() - began, resident("VmHWM") - before)


def main():
    """Measure and print."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.bin"
        with path.open("wb") as file:
            file.truncate(SIZE)
        for name in CLIENTS:
            command = [sys.executable, __file__, "one", name, url, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name:26} left out ({done.stderr.strip().splitlines()[-1]})")
                continue
            seconds, grown = map(float, done.stdout.split())
            print(f"{name:26}{seconds:8.2f} s{grown / 2**20:10.1f} MiB more")
    server.terminate()


if __name__ == "__main__":
    one(*sys.argv[2:]) if sys.argv[1:2] == ["one"] else main()
