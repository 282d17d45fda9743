"""A local backend in a thread: start it, talk to it, look at what arrived, stop it."""

from __future__ import annotations

import atexit
import ipaddress
import os
import socket
import threading
from typing import TYPE_CHECKING

from codex_nb.errors import CodexError
from codex_nb.extras import extra

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self

    from codex_nb.local.faults import Fault
    from codex_nb.local.pieces import Engine
    from codex_nb.local.record import RecordedRequest
    from codex_nb.local.script import Script, Turn
    from codex_nb.local.state import State
    from codex_nb.local.transport import QuickServer

START_SECONDS = 10.0
STOP_SECONDS = 2.0
HIGHEST_PORT = 65_535


class LocalBackend:
    """The Codex wire on loopback, in this process.

    ``engine`` is "llama" (the default), "sphinx" (real ears, scripted answers), "scripted" or a `Script`; ``model`` a
    GGUF file for llama. ``port`` 0 takes a free one. ``budget`` is how many tokens fill the primary quota window. A
    context manager; `start` and `stop` do the same by hand, and a stopped backend may be started again: it then
    begins anew.
    """

    def __init__(
        self,
        engine: str | Script | Engine | None = None,
        *,
        port: int = 0,
        model: str | Path | None = None,
        host: str = "127.0.0.1",
        budget: int | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        self._engine = engine
        self._model = model
        self._address = (_loopback(host), port)
        self._budget = budget
        self._faults = list(faults)
        self._state: State | None = None
        self._server: QuickServer | None = None
        self._thread: threading.Thread | None = None
        self._url = ""

    def __repr__(self) -> str:
        return f"<LocalBackend {self._url or 'stopped'}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Load the engine and listen; returns when requests are served.

        Raises:
            CodexError: the engine cannot be opened, or the port is taken.

        """
        if self._thread is not None:
            return self
        with extra("local", "The local backend"):
            from codex_nb.local.app import build
            from codex_nb.local.engines import open_engine
            from codex_nb.local.state import State
            from codex_nb.local.transport import QuickServer
        listener = _listen(*self._address)
        # Signed addresses of files live on a port of their own, as they do on a host of their own in the world.
        second = _listen(self._address[0], 0)
        try:
            state = State(open_engine(self._engine, model=self._model), budget=self._budget)
        except BaseException:
            listener.close()
            second.close()
            raise
        state.files.address = second.getsockname()[:2]
        state.faults.add(*self._faults)
        server = QuickServer(build(state))
        thread = threading.Thread(target=server.serve_on, args=(listener, second), name="codex-nb-local", daemon=True)
        self._url = "http://{}:{}".format(*listener.getsockname()[:2])
        self._state, self._server, self._thread = state, server, thread
        thread.start()
        if not server.ready.wait(START_SECONDS) or not thread.is_alive():
            self.stop()
            raise CodexError("The local backend did not start.", hint="Try it again, or try another port.")
        return self

    def stop(self) -> None:
        """Close every connection and let the engine go. Does nothing when it is stopped."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        self._url = ""
        if server is None or thread is None:
            return
        server.stop()
        thread.join(STOP_SECONDS)
        self.state.files.close()
        self.state.engine.close()

    @property
    def state(self) -> State:
        """What the backend knows.

        ``account``, ``quota``, ``tokens``, ``codes``, ``devices``, ``tasks``, ``records``, ``reset_credits``, ``files``
        and ``faults`` may be changed while it runs; each says how.
        """
        if self._state is None:
            raise CodexError("The local backend is not running.", hint="Use it in a with statement, or call start().")
        return self._state

    @property
    def url(self) -> str:
        """The root address, such as ``http://127.0.0.1:40121``."""
        if not self._url:
            raise CodexError("The local backend is not running.", hint="Use it in a with statement, or call start().")
        return self._url

    @property
    def requests(self) -> list[RecordedRequest]:
        """What arrived, oldest first; the last thousand. Readable after the stop too."""
        return self.state.recorder.all()

    @property
    def open_streams(self) -> int:
        """How many answers are under way; one whose client is gone is not."""
        return self.state.open_streams

    def inject(self, *faults: Fault) -> None:
        """Lay faults from now on."""
        self.state.faults.add(*faults)

    def add(self, *turns: Turn) -> None:
        """Append turns to the script of a scripted backend."""
        from codex_nb.local.engines.scripted import ScriptedEngine

        engine = self.state.engine
        if not isinstance(engine, ScriptedEngine):
            raise CodexError("This backend plays no script.", hint="Start it with LocalBackend(Script()).")
        engine.turns.extend(turns)

    def auth_json(self, *, lifetime: int | None = None) -> dict[str, Any]:
        """Return the content of an ``auth.json`` signed in here; a ``lifetime`` (seconds) below 0 is over already."""
        return self.state.tokens.auth_json(lifetime=lifetime)

    def approve_device(self, user_code: str, *, allow: bool = True) -> None:
        """Do what a person does on the page of device sign-in: allow the device that shows this code, or deny it.

        Raises:
            CodexError: no device waits with this code.

        """
        outcome = self.state.devices.decide(user_code, allow=allow)
        if outcome != ("approved" if allow else "denied"):
            raise CodexError(f"The device code is {outcome}.", hint="Use the user_code that the device got.")


def _loopback(host: str) -> str:
    """Return the address to bind to; only this machine's own will do."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise CodexError(f"The local backend does not listen on {host}: it accepts every token.", hint="Use 127.0.0.1.")
    return host


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= HIGHEST_PORT:
        raise CodexError(f"Port {port} does not exist.", hint="Port 0 takes a free one.")
    try:
        return socket.create_server((host, port), backlog=256)
    except OSError as error:
        raise CodexError(f"Port {port} cannot be opened: {error}.", hint="Port 0 takes a free one.") from error


_shared_lock = threading.Lock()
_shared: tuple[int, LocalBackend] | None = None


def shared_url() -> str:
    """Return the address of this process's own backend with a real model; the first call starts it."""
    global _shared  # noqa: PLW0603
    with _shared_lock:
        # A forked child has the variable but not the thread.
        if _shared is None or _shared[0] != os.getpid():
            backend = LocalBackend("llama").start()
            atexit.register(backend.stop)
            _shared = (os.getpid(), backend)
        return _shared[1].url
