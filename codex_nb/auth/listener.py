"""The listener on loopback that a browser comes back to with the code of a sign-in."""

from __future__ import annotations

import hmac
import html
import http.client
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answer", "Listener", "answer_in", "ask_to_give_up"]

HOST: Final = "127.0.0.1"
# How long the browser is kept waiting for the sign-in to be completed, and the sign-in for the page to be taken.
HOLD, LINGER = 20.0, 2.0
PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>codex_nb</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:18vh auto 0;padding:0 1.5em;
color:#222;background:#fff}}h1{{font-size:1.4em;font-weight:600}}@media(prefers-color-scheme:dark){{body{{color:#ddd;background:#1b1b1b}}}}</style>
</head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
MAY_CLOSE: Final = "You may close this page and go back to your notebook or terminal."


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brought: a ``code``, or the ``error`` (a short word) that the sign-in ended with."""

    code: str = field(default="", repr=False)
    error: str = ""
    description: str = ""


def answer_in(query: str, state: str) -> Answer | None:
    """Return the answer in a redirect's query; None if it is no answer to the question that ``state`` marks."""
    fields = {name: values[0] for name, values in parse_qs(query, max_num_fields=50).items()}
    said = fields.get("state", "").partition(".onboarding_entrypoint=")[0]
    if not hmac.compare_digest(said.encode("utf-8", "replace"), state.encode()):
        return None
    if error := fields.get("error", ""):
        return Answer(error=error[:80], description=fields.get("error_description", "")[:300])
    return Answer(fields["code"]) if fields.get("code") else None


class Listener:
    """Listens for one answer. Each connection has a thread, because browsers open some that they never use."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._server: _Server | None = None
        self._answer: Answer | None = None
        self._came, self._told, self._taken = threading.Event(), threading.Event(), threading.Event()
        self._words = ("The answer has arrived", "Go back to your notebook or terminal to finish the sign-in.")

    def open(self, port: int) -> int | None:
        """Listen on ``port`` (0: any); return it, or None if somebody else does."""
        try:
            self._server = _Server((HOST, port), self._respond)
        except OSError:
            return None
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="codex_nb sign-in", daemon=True).start()
        return self._server.server_address[1]

    def poll(self) -> Answer | None:
        """Return the answer if it is there; does not wait."""
        return self._answer if self._came.is_set() else None

    def tell(self, title: str, text: str = MAY_CLOSE) -> None:
        """Show the browser how it ended; waits a moment for the page to be taken."""
        self._words = (title, text)
        self._told.set()
        if self._came.is_set():
            self._taken.wait(LINGER)

    def close(self) -> None:
        """Listen no more. Does nothing when it does not listen."""
        server, self._server = self._server, None
        self._told.set()
        if server:
            server.shutdown()
            server.server_close()

    def _respond(self, handler: _Handler) -> None:
        address = urlsplit(handler.path)
        match address.path:
            case "/auth/callback" if not self._came.is_set():
                self._take(handler, answer_in(address.query, self._state))
            case "/cancel":
                self._set(Answer(error="cancelled"))
                handler.send(200, "text/plain", "Login cancelled")
            case "/auth/callback":
                handler.send(400, "text/plain", "This sign-in has its answer already")
            case _:
                handler.send(404, "text/plain", "Not Found")

    def _take(self, handler: _Handler, answer: Answer | None) -> None:
        if answer is None:
            handler.send(400, "text/plain", "State mismatch")
            return
        self._set(answer)
        self._told.wait(HOLD)
        title, text = self._words
        handler.send(200, "text/html", PAGE.format(title=html.escape(title), text=html.escape(text)))
        self._taken.set()

    def _set(self, answer: Answer) -> None:
        if not self._came.is_set():
            self._answer = answer
            self._came.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # On Windows the option would let two programs listen on one port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, address: tuple[str, int], respond: Callable[[_Handler], None]) -> None:
        self.respond = respond
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    # A connection that says nothing for so long is closed.
    timeout = 30.0

    def do_GET(self) -> None:
        """Answer a browser."""
        cast("_Server", self.server).respond(self)

    def send(self, status: int, kind: str, text: str) -> None:
        """Send a reply that is not kept anywhere."""
        content = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: the address holds the code."""


def ask_to_give_up(port: int) -> bool:
    """Ask whoever holds ``port`` to let it go, mostly a sign-in that was forgotten; return whether it agrees."""
    connection = http.client.HTTPConnection(HOST, port, timeout=1.0)
    try:
        connection.request("GET", "/cancel")
        reply = connection.getresponse()
        reply.read(1024)
    except (OSError, http.client.HTTPException):
        return False
    else:
        return reply.status == 200
    finally:
        connection.close()
