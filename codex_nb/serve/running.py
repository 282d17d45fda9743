"""A transcription server that runs: in a thread of a notebook, or in the foreground."""

from __future__ import annotations

import errno
import secrets
import socket
import threading
from typing import TYPE_CHECKING, Any

from codex_nb.errors import CodexError, InvalidOption
from codex_nb.extras import extra
from codex_nb.serve.config import HOST, ServerConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from codex_nb.client.session import Session

__all__ = ["Running", "Served", "start"]

START_SECONDS, STOP_SECONDS = 10.0, 30.0
HIGHEST_PORT = 65_535


class Served:
    """An ASGI app on a socket of this process; ``make_app`` imports what it needs.

    `stop` lets what is under way end first. A context manager.

    Raises:
        CodexError: a package is missing, or the port is taken.

    """

    def __init__(self, make_app: Callable[[], Any], host: str, port: int) -> None:
        server, listener = _server(make_app, host, port)
        host, self.port = listener.getsockname()[:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._server: Any = server
        self._listener = listener
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve on this thread until a signal, or until `stop`."""
        self._server.run(sockets=[self._listener])

    def start(self) -> Self:
        """Serve on a thread of its own; returns when requests are served."""
        self._thread = threading.Thread(target=self.run, name="codex-nb-serve", daemon=True)
        self._thread.start()
        waiting = threading.Event()
        for _ in range(round(START_SECONDS / 0.01)):
            if self._server.started or not self._thread.is_alive():
                break
            waiting.wait(0.01)
        if not self._server.started:
            self.stop()
            raise CodexError("The server did not start.", hint="Try another port.")
        return self

    def stop(self) -> None:
        """Take no more requests, let those under way end, and return. Does nothing when it is stopped."""
        self._server.should_exit = True
        thread, self._thread = self._thread, None
        if thread:
            thread.join(STOP_SECONDS + 5)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Running(Served):
    """The transcription server. ``url`` is what OpenAI's clients call ``base_url``, ``api_key`` what they need."""

    def __init__(self, session: Session, config: ServerConfig, port: int) -> None:
        def make_app() -> Any:
            from codex_nb.serve.app import create_app

            return create_app(session, config)

        super().__init__(make_app, config.host, port)
        self.api_key = config.api_key
        self.config = config

    @property
    def url(self) -> str:
        """The address for clients: ``OpenAI(base_url=server.url, api_key=server.api_key)``."""
        return f"{self.address}/v1"

    def __repr__(self) -> str:
        return f"<transcription server at {self.url}>"


def start(
    session: Session | None = None,
    *,
    host: str = HOST,
    port: int = 0,
    api_key: str | None = None,
    **config: Any,
) -> Running:
    """Serve ``POST /v1/audio/transcriptions`` for other programs, on a thread of this process.

    Without an ``api_key`` one is made up: it is in the result's ``.api_key``. ``port`` 0 takes a free one; ``config``
    are the fields of `ServerConfig` (``concurrency``, ``queue``, ``max_upload``, ``language``, ``route`` …).

    Raises:
        CodexError: a package is missing, or the port is taken.
        InvalidOption: a bound is none.

    """
    from codex_nb.client.default import session_of

    key = secrets.token_urlsafe(24) if api_key is None else api_key
    return Running(session_of(session), ServerConfig(api_key=key, host=host, **config), port).start()


def _server(make_app: Callable[[], Any], host: str, port: int) -> tuple[Any, socket.socket]:
    with extra("serve", "The server"):
        from uvicorn import Config, Server

        app = make_app()
    listener = _listen(host, port)
    settings = Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="none",
        # Longer than clients keep an idle connection, so that none is closed just when it is used again.
        timeout_keep_alive=120,
        server_header=False,
        timeout_graceful_shutdown=round(STOP_SECONDS),
    )
    return Server(settings), listener


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= HIGHEST_PORT:
        raise InvalidOption(f"There is no port {port}.", hint="Choose another --port; 0 takes a free one.")
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=512)
    except OSError as error:
        elsewhere = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        raise CodexError(
            f"Cannot listen on {host}:{port} ({error.strerror or error}).",
            hint="Choose another --host, an address of this machine."
            if elsewhere
            else "Choose another --port; 0 takes a free one.",
        ) from None
    return listener
