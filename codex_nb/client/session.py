"""`Session`: the one client, with a synchronous and an asynchronous face."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from codex_nb.auth.bearer import Bearer, CodexAuth
from codex_nb.client._core import Core
from codex_nb.client._drivers import AsyncDriver, SyncDriver
from codex_nb.client._faces import Async, F, Sync
from codex_nb.client._transport import Transport
from codex_nb.client.resources.audio import Audio
from codex_nb.client.resources.codex import Codex
from codex_nb.client.resources.embeddings import Embeddings
from codex_nb.client.resources.files import Files
from codex_nb.client.resources.models import Models
from codex_nb.client.resources.realtime import Realtime, RealtimeSockets
from codex_nb.client.resources.responses import Responses
from codex_nb.client.resources.sign_in import SignIn
from codex_nb.errors import InvalidOption
from codex_nb.settings import Backend, Settings

# How long a session that closes waits for a ledger that another program has locked.
CLOSING_SECONDS = 1.0
# What a session is given, its type, and what to pass.
GIVEN: Final = {
    "auth": (httpx.Auth, "auth=Bearer(token), or nothing for the saved login"),
    "http": (httpx.Client, "http=httpx.Client()"),
    "async_http": (httpx.AsyncClient, "async_http=httpx.AsyncClient()"),
}

if TYPE_CHECKING:
    from types import TracebackType

    from codex_nb.client.ledger import Ledger
    from codex_nb.wire.headers import QuotaWindow

__all__ = ["AsyncFace", "Session"]


class _Face(SignIn[F], RealtimeSockets):
    """Signing in and out, and the families of endpoints, on one face."""

    @cached_property
    def responses(self) -> Responses[F]:
        """Answers of the model."""
        return Responses(self._core, self._driver)

    @cached_property
    def models(self) -> Models[F]:
        """Which models the account can use."""
        return Models(self._core, self._driver)

    @cached_property
    def embeddings(self) -> Embeddings[F]:
        """Vectors of texts."""
        return Embeddings(self._core, self._driver)

    @cached_property
    def audio(self) -> Audio[F]:
        """Text of speech."""
        return Audio(self._core, self._driver)

    @cached_property
    def files(self) -> Files[F]:
        """Files for tools and answers to read."""
        return Files(self._core, self._driver)

    @cached_property
    def realtime(self) -> Realtime[F]:
        """Voice calls."""
        return Realtime(self._core, self._driver)

    @cached_property
    def codex(self) -> Codex[F]:
        """What the account has and has left."""
        return Codex(self._core, self._driver)


class AsyncFace(_Face[Async]):
    """``session.aio``: the same endpoints, each returning an awaitable."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, AsyncDriver(core.transport, core.recorder))

    async def leave_loop(self) -> None:
        """Close the connections that belong to the running event loop; a session that others use stays open."""
        await self._core.transport.leave_loop()

    def __repr__(self) -> str:
        return f"<the asynchronous face of a session on {self._core.settings.backend.name}>"


class Session(_Face[Sync]):
    """A client of one backend: ``session.models.list()``, or ``await session.aio.models.list()``.

    Args:
        backend: a `Backend` or its text form; default ``CODEX_NB_BACKEND``, then ``chatgpt``.
        auth: the login; default `CodexAuth` where the backend speaks the Codex wire, else none.
        model: used where a request names none; default ``CODEX_NB_MODEL``, then the first that the service lists.
        timeout: seconds to connect (15 at most) and of silence between bytes (default 300), or a pair of the two; an
            answer may take longer.
        proxy: the address of an HTTP proxy; without it those of the environment (``HTTPS_PROXY``) are used. Servers of
            this machine are asked without it, so that what is said to them stays here.
        max_retries: how often a request is sent again while nothing of its answer came.
        http, async_http: clients of the caller's, who closes them.

    One session may be used from several threads. It is a context manager of both kinds.

    """

    def __init__(
        self,
        backend: Backend | str | None = None,
        *,
        auth: httpx.Auth | None = None,
        model: str | None = None,
        timeout: float | tuple[float, float] | None = None,
        max_retries: int = 2,
        proxy: str | None = None,
        http: httpx.Client | None = None,
        async_http: httpx.AsyncClient | None = None,
    ) -> None:
        _check(auth=auth, http=http, async_http=async_http)
        settings = Settings.read(backend, model=model, timeout=timeout, max_retries=max_retries)
        transport = Transport(settings, auth or _usual_login(settings.backend), http, async_http, proxy=proxy)
        core = Core(settings, transport)
        super().__init__(core, SyncDriver(transport, core.recorder))

    @cached_property
    def aio(self) -> AsyncFace:
        """The asynchronous face: same login, same caches."""
        return AsyncFace(self._core)

    @property
    def backend(self) -> Backend:
        """Where requests go."""
        return self._core.settings.backend

    @property
    def auth(self) -> Any:
        """The login that requests carry, None for none."""
        return self._core.transport.auth

    @property
    def model(self) -> str | None:
        """The model that is used where a request names none; None lets the service's first be used."""
        return self._core.settings.model

    @property
    def id(self) -> str:
        """The session's name towards the service; its requests share the prompt cache."""
        return self._core.id

    @property
    def quota(self) -> list[QuotaWindow]:
        """The quota's windows, as the latest answers told; empty before the first one."""
        return list(self._core.quota.values())

    @property
    def ledger(self) -> Ledger:
        """What each call used, as it is kept on this machine (``CODEX_NB_LEDGER``)."""
        return self._core.ledger

    def close(self) -> None:
        """Close the connections of this face, and see to it that the ledger is written.

        Those of the asynchronous face belong to its event loops, and only `aclose`, ``async with`` or ``leave_loop``
        can close them there.
        """
        self._core.transport.close()
        self.ledger.flush(CLOSING_SECONDS)

    async def aclose(self) -> None:
        """Close the connections of both faces, and see to it that the ledger is written."""
        await self._core.transport.aclose()
        await asyncio.to_thread(self.ledger.flush, CLOSING_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Session({self.backend.name!r}, auth={self.auth!r}{f', model={self.model!r}' if self.model else ''})"


def _check(**given: object) -> None:
    """Refuse what is of another type, without a word of it: it may be a token."""
    for name, value in given.items():
        kind, instead = GIVEN[name]
        if value is not None and not isinstance(value, kind):
            raise InvalidOption(f"{name} is of type {type(value).__name__}.", hint=f"Pass {instead}.")


def _usual_login(backend: Backend) -> httpx.Auth | None:
    """Return the login for a backend when none is given. A ChatGPT login is not for other services."""
    match backend.login:
        case "codex":
            return CodexAuth()
        case "local":
            return Bearer("local")
        case _:
            return None
