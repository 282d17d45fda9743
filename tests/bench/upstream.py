"""A dictation service for benchmarks: it takes a recording, waits, and says a word. A process of its own."""

import asyncio
import multiprocessing
import os
import socket
from contextlib import contextmanager

ANSWER = b'{"text": "ok"}'
REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)


async def _talk(reader, writer, seconds):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.lower().split(b"\r\n")
            left = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            while left:
                left -= len(await reader.read(min(left, 1 << 16)))
            await asyncio.sleep(seconds)
            writer.write(REPLY)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _serve(listener, seconds):
    async def run():
        server = await asyncio.start_server(lambda r, w: _talk(r, w, seconds), sock=listener, backlog=512)
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def upstream(seconds):
    """Serve, taking ``seconds`` for each recording; give the address."""
    os.environ["CODEX_NB_LEDGER"] = "off"
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener, seconds), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        process.kill()
        process.join()
        listener.close()
