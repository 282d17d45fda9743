"""2048 vectors of 1536 numbers, of several clients from one loopback server, in one run; and 100 000 inputs at once.

Run by hand: ``uv run --group bench tests/bench/embeddings.py``. The server is a process of its own and sends prebuilt
replies. Clients take turns, so that a slow minute of the machine hits all of them; the best round of each counts, the
median is shown beside it. What each must have in the end is a float32 matrix. Peak memory is the growth of the resident
set in a process of its own (Linux), after imports and one small request.
"""

import asyncio
import base64
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

COUNT, SIZE, ROUNDS = 2048, 1536, 9
MANY, AT_ONCE, BATCH_SECONDS = 100_000, 8, 0.05
MODEL = "text-embedding-3-small"
TEXTS = [f"text {number}" for number in range(COUNT)]


def reply(count, size, form):
    """Return a reply as the service sends it."""
    rows = np.random.default_rng(0).standard_normal((count, size), np.float32)
    if form == "base64":
        written = [b'"%b"' % base64.b64encode(row) for row in rows]
    else:
        written = [json.dumps([round(n, 8) for n in row], separators=(",", ":")).encode() for row in rows.tolist()]
    data = b",".join(b'{"object":"embedding","index":%d,"embedding":%b}' % pair for pair in enumerate(written))
    usage = b'{"prompt_tokens":8,"total_tokens":8}'
    return b'{"object":"list","data":[%b],"model":"%b","usage":%b}' % (data, MODEL.encode(), usage)


def serve(listener, size):
    """Answer every request; ``/slow`` in the path takes its time."""
    replies = {}

    def answer(connection):
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                if not (chunk := connection.recv(1 << 16)):
                    return
                rest += chunk
            head, _, rest = rest.partition(b"\r\n\r\n")
            length = next(int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:"))
            pieces, got = [rest], len(rest)
            while got < length:
                pieces.append(connection.recv(1 << 16))
                got += len(pieces[-1])
            body, rest = b"".join(pieces), b""
            form = "base64" if b'"base64"' in body else "float"
            count = body.count(b'"text ')
            if (count, form) not in replies:
                replies[count, form] = reply(count, size, form)
            if b"/slow" in head.split(b"\r\n", 1)[0]:
                time.sleep(BATCH_SECONDS)
            content = replies[count, form]
            lines = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(lines % len(content))
            connection.sendall(content)

    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def start(size):
    """Start a server of vectors of this size; return its process and address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener, size), daemon=True)
    server.start()
    return server, f"http://127.0.0.1:{listener.getsockname()[1]}"


def codex_nb_sync(url):
    """Return what embeds by codex_nb."""
    from codex_nb import Bearer, Session

    session = Session(url, auth=Bearer("made-up"))
    return lambda texts: session.embeddings.create(input=texts).matrix


def codex_nb_async(url):
    """Return what embeds by codex_nb's asynchronous face."""
    from codex_nb import Bearer, Session

    session, loop = Session(url, auth=Bearer("made-up")), asyncio.new_event_loop()
    return lambda texts: loop.run_until_complete(session.aio.embeddings.create(input=texts)).matrix


def bare_httpx(url):
    """Return what embeds by httpx, json, base64 and numpy."""
    import httpx

    client = httpx.Client(timeout=60)

    def embed(texts):
        fields = {"model": MODEL, "input": texts, "encoding_format": "base64"}
        rows = client.post(f"{url}/v1/embeddings", json=fields).json()["data"]
        return np.stack([np.frombuffer(base64.b64decode(row["embedding"]), "<f4") for row in rows])

    return embed


def openai_python(url):
    """Return what embeds by openai-python, which asks for base64 too."""
    from openai import OpenAI

    client = OpenAI(base_url=f"{url}/v1", api_key="made-up")
    return lambda texts: np.array(
        [row.embedding for row in client.embeddings.create(model=MODEL, input=texts).data], np.float32
    )


def codex_backend_sdk(url):
    """Return what embeds by codex-backend-sdk, its addresses pointed here."""
    import codex_backend_sdk._client as sdk

    sdk.OPENAI_BASE_URL = f"{url}/v1"
    client = sdk.OpenAI()
    client._store = sdk.TokenStore(
        access_token="made-up", refresh_token="made-up", id_token_raw="made-up", account_id="a"
    )
    return lambda texts: np.array(
        [row.embedding for row in client.embeddings.create(model=MODEL, input=texts).data], np.float32
    )


CLIENTS = {
    "bare httpx + numpy": bare_httpx,
    "codex_nb, sync": codex_nb_sync,
    "codex_nb, async": codex_nb_async,
    "openai-python": openai_python,
    "codex-backend-sdk 0.3.3": codex_backend_sdk,
}


def times(url):
    """Return the seconds of each client's rounds."""
    embeds = {}
    for name, client in CLIENTS.items():
        try:
            embeds[name] = client(url)
        except ImportError as error:
            print(f"{name}: left out ({error})", file=sys.stderr)
            continue
        embeds[name](TEXTS)  # imports and first connections are not what is measured
    seconds = {name: [] for name in embeds}
    for _ in range(ROUNDS):
        for name, embed in embeds.items():
            began = time.perf_counter()
            matrix = embed(TEXTS)
            seconds[name].append(time.perf_counter() - began)
            assert matrix.shape == (COUNT, SIZE), name
            del matrix
    return seconds


def resident(field):
    """Return a memory figure of this process in bytes."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


def growth(name, url):
    """Print how much memory one client takes at most; run in a process of its own."""
    embed = CLIENTS[name](url)
    embed(TEXTS[:1])
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    embed(TEXTS)
    print(resident("VmHWM") - before)


def memory(name, url):
    """Return the peak growth of a client in bytes."""
    command = [sys.executable, __file__, "growth", name, url]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def servers_own(url, batches):
    """Return the seconds that the server takes for prepared requests, eight at once, the replies thrown away."""
    host, port = url.removeprefix("http://").split(":")
    requests = []
    for batch in batches:
        body = json.dumps({"model": MODEL, "input": batch, "encoding_format": "base64"}).encode()
        requests.append(b"POST /slow HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    waiting = list(reversed(requests))

    def take():
        buffer = bytearray(1 << 20)
        with socket.create_connection((host, int(port))) as connection:
            while waiting:
                connection.sendall(waiting.pop())
                head = connection.recv(4096, socket.MSG_PEEK)
                while b"\r\n\r\n" not in head:
                    head = connection.recv(4096, socket.MSG_PEEK)
                head = head.partition(b"\r\n\r\n")[0]
                left = len(head) + 4 + int(head.rpartition(b" ")[2])
                while left:
                    left -= connection.recv_into(buffer, min(left, len(buffer)))

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(take) for _ in range(AT_ONCE)]:
            done.result()
    return time.perf_counter() - began


def many(size):
    """Time 100 000 inputs, eight requests at once, from a server that takes 50 ms for each."""
    server, url = start(size)
    texts = [f"text {number}" for number in range(MANY)]
    batches = [texts[at : at + COUNT] for at in range(0, MANY, COUNT)]
    bare = bare_httpx(f"{url}/slow")

    def pooled(_texts):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return np.concatenate(list(pool.map(bare, batches)))

    embeds = {"bare httpx in 8 threads": pooled}
    embeds |= {name: client(f"{url}/slow") for name, client in CLIENTS.items() if name.startswith("codex_nb")}
    seconds = {name: [] for name in ("the server's own time", *embeds)}
    for _ in range(ROUNDS):
        seconds["the server's own time"].append(servers_own(url, batches))
        for name, embed in embeds.items():
            began = time.perf_counter()
            assert embed(texts).shape == (MANY, size)
            seconds[name].append(time.perf_counter() - began)
    print(f"\n{MANY:,} inputs of {size} numbers, {AT_ONCE} requests at once, {len(batches)} in all\n")
    own = min(seconds["the server's own time"])
    for name, spent in seconds.items():
        print(f"{name:26}{min(spent):8.3f} s{statistics.median(spent):8.3f} s{min(spent) / own:9.2f}")
    server.terminate()


def main():
    """Measure and print."""
    server, url = start(SIZE)
    seconds = times(url)
    peaks = {name: memory(name, url) for name in seconds}
    server.terminate()
    bare, bare_peak = min(seconds["bare httpx + numpy"]), peaks["bare httpx + numpy"]
    print(f"{COUNT} by {SIZE}, {ROUNDS} rounds, {os.cpu_count()} cores\n")
    print(f"{'client':26}{'best':>10}{'median':>10}{'x bare':>9}{'peak MB':>9}{'x bare':>9}")
    for name, spent in seconds.items():
        best, peak = min(spent), peaks[name]
        print(
            f"{name:26}{best:8.3f} s{statistics.median(spent):8.3f} s{best / bare:9.2f}"
            f"{peak / 1e6:9.1f}{peak / bare_peak:9.2f}"
        )
    for size in (16, SIZE):
        many(size)


if __name__ == "__main__":
    growth(*sys.argv[2:]) if sys.argv[1:2] == ["growth"] else main()
