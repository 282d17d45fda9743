"""A WebSocket server by hand, that does what no good server does."""

import base64
import hashlib
import json
import socket
import struct
import threading
from contextlib import contextmanager, suppress

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(payload, opcode=1, *, fin=True, length=None):
    """Return a server's frame; a dict goes as JSON."""
    if isinstance(payload, dict):
        payload = json.dumps(payload)
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data) if length is None else length
    first = bytes([opcode | (0x80 if fin else 0)])
    if size < 126:
        return first + bytes([size]) + data
    return first + (b"\x7e" + struct.pack("!H", size) if size < 65536 else b"\x7f" + struct.pack("!Q", size)) + data


def close(code, reason=""):
    """Return a frame of goodbye."""
    return frame(struct.pack("!H", code) + reason.encode(), 8)


AGREED = frame({"type": "session.created"}) + frame({"type": "session.updated"})
DELTA = frame({"type": "conversation.item.input_audio_transcription.delta", "item_id": "a", "delta": "Good mor"})


class RoughServer:
    """Serves sockets that say ``answer`` at once, then close, reset, half-close (``fin``), hang, or go ``deaf``."""

    def __init__(self, answer, accept, then):
        self._answer, self._accept, self._then = answer, accept, then
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while not self.over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            key = next(
                line[19:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
            )
            right = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324 - the protocol's own
            client.sendall(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {self._accept or right}\r\n\r\n".encode()
            )
            client.sendall(self._answer)
            self._end(client)

    def _end(self, client):
        if self._then == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if self._then == "deaf":  # nothing is read, and nothing said
            self.over.wait(20)
            return
        if self._then == "fin":
            client.shutdown(socket.SHUT_WR)
        client.settimeout(20)
        with suppress(OSError):
            while client.recv(65536):
                pass

    def close(self):
        """Take no more clients."""
        self.over.set()
        self._listener.close()


@contextmanager
def rough_server(answer, *, accept=None, then="hang"):
    """Give a `RoughServer`."""
    server = RoughServer(answer, accept, then)
    try:
        yield server
    finally:
        server.close()
