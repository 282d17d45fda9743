"""A page on loopback that records in the user's browser, for front ends that give notebooks no microphone.

It is the recorder of the notebook with another way to its kernel: messages go by POST, the state comes back by a
request that waits for it. One address opens it, once; after that a cookie is the key.
"""

from __future__ import annotations

import contextvars
import hmac
import json
import secrets
import struct
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from codex_nb.notebook.dictation import Dictation
from codex_nb.notebook.page import FOLDER, recorder_script
from codex_nb.notebook.recordings import Inbox, Recording
from codex_nb.serve.running import Served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from codex_nb.types.audio import Transcript

__all__ = ["RecordPage"]

HOST: Final = "127.0.0.1"
# Seconds that a request for the state waits for news.
WAIT: Final = 20.0
# A message is a piece of at most 1 MiB and a few facts.
LARGEST: Final = (1 << 20) + 4096
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
USED: Final = "This address opens the recorder once. Start codex-nb record again for a new one."


class RecordPage:
    """A page that records into ``folder``; open `url` in a browser of this machine.

    ``transcriber`` makes a `Transcript` of a `Recording`, with ``options``; ``on_transcript`` and ``on_failure`` are
    called on a thread. A context manager.

    Raises:
        CodexError: a package is missing, or the port is taken.

    """

    def __init__(
        self,
        folder: Path,
        *,
        transcriber: Callable[..., Transcript],
        options: dict[str, Any],
        on_transcript: Callable[[Transcript], None],
        on_failure: Callable[[Recording], None] = lambda _recording: None,
        port: int = 0,
    ) -> None:
        self._language = str(options.get("language") or "")
        self._options, self._failed = options, on_failure
        self._token, self._key = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._replies: contextvars.ContextVar[list[tuple[dict[str, Any], bytes]]] = contextvars.ContextVar("replies")
        self._news = threading.Condition()
        self._number, self._closed = 0, False
        self.dictation = Dictation(
            Inbox(folder, transcriber),
            reply=self._reply,
            show=self._show,
            options=lambda: {**self._options, "language": self._language or None},
            in_thread=_in_thread,
            keep=on_transcript,
        )
        self._served = Served(self._app, HOST, port)
        self._cookie = f"codex_nb_record_{self._served.port}"

    @property
    def url(self) -> str:
        """The address that opens the page, once."""
        return f"{self._served.address}/?token={self._token}"

    def __enter__(self) -> Self:
        self._served.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._served.stop()
        self.dictation.close()

    def __repr__(self) -> str:
        return f"<recording page at {self._served.address}>"

    def _app(self) -> Any:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.routing import Route

        from codex_nb.serve.config import ServerConfig
        from codex_nb.serve.guard import Guard

        routes = [
            Route("/", self._open),
            Route("/{name:str}.{kind:str}", self._file),
            Route("/messages", self._messages, methods=["POST"]),
            Route("/state", self._state),
        ]
        config = ServerConfig(api_key=self._key, host=HOST)
        return Starlette(routes=routes, middleware=[Middleware(Guard, config=config)])

    def _reply(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self._replies.get().append((message, b"".join(buffers)))

    def _show(self, state: dict[str, Any]) -> None:
        with self._news:
            self._number += 1
            self._news.notify_all()
        found = self.dictation.recording
        if state.get("phase") == "failed" and found:
            self._failed(found)

    def _may(self, request: Request) -> bool:
        """Whether a request comes from our page: it has the cookie, and no other page of this machine sent it."""
        key = request.cookies.get(self._cookie, "")
        origin = request.headers.get("origin")
        ours = f"http://{request.headers.get('host', '')}"
        return hmac.compare_digest(key.encode(), self._key.encode()) and origin in {None, ours}

    async def _open(self, request: Request) -> Response:
        """Give the page to who brings the token, the first time, and to who was let in then."""
        token = request.query_params.get("token", "")
        first = bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())
        if not first and not self._may(request):
            return _plain(403, USED)
        page = _content((FOLDER / "page.html").read_bytes(), "text/html")
        if first:
            self._token = ""
            page.set_cookie(self._cookie, self._key, httponly=True, samesite="strict")
        return page

    async def _file(self, request: Request) -> Response:
        name = request.url.path[1:]
        if not self._may(request):
            return _plain(403, USED)
        if name == "recorder.js":
            return _content(recorder_script().encode(), "text/javascript")
        if name not in {"page.js", "page.css", "recorder.css"}:
            return _plain(404, "There is nothing here.")
        return _content((FOLDER / name).read_bytes(), "text/css" if name.endswith("css") else "text/javascript")

    async def _messages(self, request: Request) -> Response:
        """Take one message of the page: its facts in the query, its bytes in the body."""
        from starlette.concurrency import run_in_threadpool

        if not self._may(request) or "origin" not in request.headers:
            return _plain(403, USED)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return _plain(413, "A message is at most 1 MiB.")
        try:
            message = json.loads(request.query_params["message"])
            replies = await run_in_threadpool(self._take, message, bytes(body))
        except (KeyError, TypeError, ValueError, AttributeError):
            return _plain(400, "That is no message of the recorder.")
        facts = json.dumps([{**reply, "bytes": len(data)} for reply, data in replies]).encode()
        content = struct.pack("<I", len(facts)) + facts + b"".join(data for _, data in replies)
        return _content(content, "application/octet-stream")

    def _take(self, message: dict[str, Any], body: bytes) -> list[tuple[dict[str, Any], bytes]]:
        replies: list[tuple[dict[str, Any], bytes]] = []
        self._replies.set(replies)
        if message.get("kind") == "language":
            self._language = str(message["language"])
        else:
            self.dictation.take(message, [body] if body else [])
        return replies

    async def _state(self, request: Request) -> Response:
        """Tell how things stand; ``after`` is the number that the page knows, and news are waited for."""
        from starlette.concurrency import run_in_threadpool

        if not self._may(request):
            return _plain(403, USED)
        after = request.query_params.get("after", "")
        return _content(await run_in_threadpool(self._after, after), "application/json")

    def _after(self, after: str) -> bytes:
        with self._news:
            self._news.wait_for(lambda: self._closed or str(self._number) != after, WAIT)
            told = {"number": self._number, "state": self.dictation.state, "language": self._language}
            return json.dumps(told).encode()


def _in_thread(work: Callable[..., None], *given: Any) -> None:
    threading.Thread(target=work, args=given, name="codex_nb record", daemon=True).start()


def _content(content: bytes, kind: str) -> Response:
    from starlette.responses import Response

    return Response(content, headers=HEADERS, media_type=kind)


def _plain(status: int, text: str) -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(text, status, headers=HEADERS)
