"""Typed events a second, of several clients over one loopback replay, in one run; and one event of 16 MB.

Run by hand: ``uv run --group bench tests/bench/stream.py``. The server is a process of its own and sends a prebuilt
answer of 20 000 text deltas (about 5 MB) in 16 KiB writes. Clients take turns, so that a slow minute of the machine
hits all of them; the best round of each counts, the median is shown beside it.
"""

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import sys
import time

DELTAS, ROUNDS, WRITE = 20_000, 7, 16 * 1024
BIG = 16_000_000


def body():
    """Return the answer as a server sends it."""
    item = "msg_0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6001"
    message = {"id": item, "type": "message", "status": "completed", "role": "assistant"}
    part = {"type": "output_text", "text": "word " * DELTAS, "annotations": [], "logprobs": []}
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5.4",
        "output": [],
        "status": "in_progress",
    }
    response |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    usage = {"input_tokens": 1, "output_tokens": DELTAS, "total_tokens": DELTAS + 1}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    delta = {
        "item_id": item,
        "output_index": 0,
        "content_index": 0,
        "delta": "word ",
        "logprobs": [],
        "obfuscation": "xK3v",
    }
    events = [
        ("response.created", {"response": response}),
        ("response.output_item.added", {"output_index": 0, "item": message | {"status": "in_progress", "content": []}}),
        (
            "response.content_part.added",
            {"item_id": item, "output_index": 0, "content_index": 0, "part": part | {"text": ""}},
        ),
        *[("response.output_text.delta", delta)] * DELTAS,
        ("response.output_item.done", {"output_index": 0, "item": message | {"content": [part]}}),
        ("response.completed", {"response": response | {"status": "completed", "usage": usage}}),
    ]
    frames = []
    for number, (kind, fields) in enumerate(events):
        data = json.dumps({"type": kind, **fields, "sequence_number": number}, separators=(",", ":"))
        frames.append(f"event: {kind}\ndata: {data}\n\n".encode())
    return b"".join(frames)


def big_body():
    """Return one event of 16 MB and the end."""
    image = {"type": "response.image_generation_call.partial_image", "partial_image_b64": "A" * BIG}
    done = {"type": "response.completed", "response": {"id": "r", "output": []}}
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in (image, done))


def serve(listener, answer, big):
    """Answer every request with the prebuilt body; ``/big`` in the path asks for the other one."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        head, _, rest = request.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(rest) < length:
            rest += connection.recv(65536)
        content = big if b"/big" in head.split(b"\r\n")[0] else answer
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            % len(content)
        )
        try:
            for start in range(0, len(content), WRITE):
                connection.sendall(content[start : start + WRITE])
        except OSError:
            pass
        connection.close()


def codex_nb_sync(url):
    """Count the events of `Session.responses.stream`."""
    from codex_nb import Bearer, Session

    with (
        Session(url, auth=Bearer("made-up"), model="gpt-5.4") as session,
        session.responses.stream(input="x") as stream,
    ):
        return sum(1 for _ in stream)


def codex_nb_async(url):
    """Count the events of the asynchronous face."""
    from codex_nb import Bearer, Session

    async def count():
        async with Session(url, auth=Bearer("made-up"), model="gpt-5.4") as session:
            counted = 0
            async with session.aio.responses.stream(input="x") as stream:
                async for _ in stream:
                    counted += 1
            return counted

    return asyncio.run(count())


def openai_python(url):
    """Count the events of openai-python."""
    from openai import OpenAI

    with OpenAI(base_url=f"{url}/v1", api_key="made-up") as client:
        return sum(1 for _ in client.responses.create(model="gpt-5.4", input="x", stream=True))


def codex_backend_sdk(url):
    """Count the events of codex-backend-sdk, its addresses pointed here."""
    import codex_backend_sdk._client as sdk

    for name in dir(sdk):
        if name.endswith("BASE_URL"):
            setattr(sdk, name, url)
    client = sdk.OpenAI()
    client._store = sdk.TokenStore(
        access_token="made-up", refresh_token="made-up", id_token_raw="made-up", account_id="a"
    )
    return sum(1 for _ in client.responses.create(model="gpt-5.4", input="x", stream=True))


def httpx_sse(url):
    """Count the events of httpx-sse with json."""
    import httpx
    from httpx_sse import connect_sse

    with httpx.Client() as client, connect_sse(client, "POST", f"{url}/v1/responses", json={}) as source:
        return sum(1 for event in source.iter_sse() if json.loads(event.data)["type"])


def bare_httpx(url):
    """Count the events of httpx alone: split at blank lines, json for each."""
    import httpx

    counted, rest = 0, b""
    with httpx.Client() as client, client.stream("POST", f"{url}/v1/responses", json={}) as response:
        for chunk in response.iter_bytes():
            *blocks, rest = (rest + chunk).split(b"\n\n")
            for block in blocks:
                counted += bool(json.loads(block[block.index(b"\ndata: ") + 7 :])["type"])
    return counted


CLIENTS = {
    "codex_nb, sync": codex_nb_sync,
    "codex_nb, async": codex_nb_async,
    "openai-python": openai_python,
    "codex-backend-sdk 0.3.3": codex_backend_sdk,
    "httpx-sse + json": httpx_sse,
    "bare httpx + json": bare_httpx,
}


def timed(client, url):
    """Return seconds and the events counted."""
    began = time.perf_counter()
    counted = client(url)
    return time.perf_counter() - began, counted


def main():
    """Measure and print."""
    answer, big = body(), big_body()
    listener = socket.create_server(("127.0.0.1", 0))
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener, answer, big), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    seconds = {name: [] for name in CLIENTS}
    for client in list(CLIENTS.items()):
        try:
            timed(client[1], url)  # imports and first connections are not what is measured
        except ImportError as error:
            print(f"{client[0]}: left out ({error})", file=sys.stderr)
            del seconds[client[0]]
    for _ in range(ROUNDS):
        for name, rounds in seconds.items():
            spent, counted = timed(CLIENTS[name], url)
            assert counted >= DELTAS, (name, counted)
            rounds.append(spent)
    events = DELTAS + 5
    bare = min(seconds["bare httpx + json"])
    print(f"{len(answer) / 1e6:.1f} MB, {events} events, {ROUNDS} rounds, {os.cpu_count()} cores\n")
    print(f"{'client':26}{'events/s':>12}{'median':>12}{'x bare':>9}")
    for name, spent in seconds.items():
        best, middle = min(spent), statistics.median(spent)
        print(f"{name:26}{events / best:12,.0f}{events / middle:12,.0f}{bare / best:9.2f}")
    from codex_nb.wire.sse import SSEDecoder

    began = time.perf_counter()
    decoder = SSEDecoder()
    assert sum(len(decoder.payloads(big[i : i + WRITE])) for i in range(0, len(big), WRITE)) == 2
    decoded = time.perf_counter() - began
    began = time.perf_counter()
    assert codex_nb_sync(f"{url}/big") == 2
    print(f"\none event of 16 MB: {decoded:.3f} s decoded, {time.perf_counter() - began:.3f} s through a session")
    server.terminate()


if __name__ == "__main__":
    main()
