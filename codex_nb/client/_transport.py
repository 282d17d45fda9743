"""httpx at work for the drivers: clients built when first needed, requests made of calls, exceptions made of faults."""

from __future__ import annotations

import functools
import logging
import os
import ssl
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

import httpx

from codex_nb._version import __version__
from codex_nb.auth.bearer import CodexAuth
from codex_nb.client._outgoing import body
from codex_nb.errors import APIConnectionError, APITimeoutError, CodexError, InvalidOption, MalformedStream
from codex_nb.settings import CONNECT_SECONDS
from codex_nb.wire.call import Reply, Secret
from codex_nb.wire.headers import identity

if TYPE_CHECKING:
    import asyncio

    from codex_nb.client._drivers import AsyncDriver, SyncDriver
    from codex_nb.settings import Settings
    from codex_nb.wire.call import Call, OpenBody

__all__ = ["HIDDEN", "Transport", "bearer_of", "close", "fault", "secrets_of", "without_query"]

LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=120.0)
# A proxy of the environment is not for this machine's own servers.
DIRECT: Final = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
HIDDEN: Final = "[hidden]"
SECRETS: Final = "codex_nb.secrets"
SHORTEST_SECRET: Final = 16
HIGHEST_PORT: Final = 65_535
# What must not go to an address that is not the backend's.
OF_THE_ACCOUNT: Final = ("authorization", "chatgpt-account-id", "x-openai-fedramp", "cookie")


class Transport:
    """The clients of one session. ``http`` and ``async_http`` are the caller's own, and stay theirs to close."""

    def __init__(
        self,
        settings: Settings,
        auth: httpx.Auth | None,
        http: httpx.Client | None = None,
        async_http: httpx.AsyncClient | None = None,
        *,
        proxy: str | None = None,
    ) -> None:
        self._proxy = _checked_proxy(proxy) if proxy else None
        self.settings = settings
        self.auth = auth
        self._identity = identity(settings.originator, settings.client_version, __version__)
        self._given, self._given_async = http, async_http
        self._client: httpx.Client | None = None
        # A connection lives on the event loop that opened it, and a program may run several, one after the other.
        self._async_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.Lock()

    def client(self) -> httpx.Client:
        """Return the synchronous client."""
        if self._given:
            return self._given
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(verify=_tls(), limits=LIMITS, mounts=DIRECT, proxy=self._proxy)
            return self._client

    def async_client(self) -> httpx.AsyncClient:
        """Return the asynchronous client of the running event loop."""
        import asyncio

        if self._given_async:
            return self._given_async
        loop = asyncio.get_running_loop()
        with self._lock:
            if loop not in self._async_clients:
                for over in [known for known in self._async_clients if known.is_closed()]:
                    del self._async_clients[over]
                self._async_clients[loop] = httpx.AsyncClient(
                    verify=_tls(), limits=LIMITS, mounts=DIRECT, proxy=self._proxy
                )
            return self._async_clients[loop]

    def close(self) -> None:
        """Close the synchronous client; it is built anew if it is needed again."""
        with self._lock:
            client, self._client = self._client, None
        if client:
            client.close()

    async def aclose(self) -> None:
        """Close the synchronous client and that of the running event loop; those of other loops end with them."""
        self.close()
        await self.leave_loop()

    async def leave_loop(self) -> None:
        """Close the client of the running event loop alone; other threads go on."""
        import asyncio

        with self._lock:
            client = self._async_clients.pop(asyncio.get_running_loop(), None)
        if client:
            await client.aclose()

    def request(self, client: httpx.Client | httpx.AsyncClient, call: Call) -> httpx.Request:
        """Return the request that ``call`` describes."""
        described, content = body(call, asynchronous=isinstance(client, httpx.AsyncClient))
        request = client.build_request(
            call.method,
            self._url(call),
            params=call.params,
            content=content,
            headers={"accept": "*/*", **self._identity, **described, **call.headers},
            timeout=self._patience(call),
            extensions={SECRETS: _held(call)},
        )
        if "://" in call.path:  # a client of the caller's may have a login or cookies of its own
            for name in OF_THE_ACCOUNT:
                if name not in call.headers:
                    request.headers.pop(name, None)
        return request

    def _url(self, call: Call) -> httpx.URL:
        address = self.settings.backend.url(call.path)
        # A full address may hold a signature, and is nothing to keep.
        return _url(address) if "://" in call.path else _known_url(address)

    def _patience(self, call: Call) -> httpx.Timeout:
        silence = self.silence(call)
        return httpx.Timeout(silence, connect=min(silence, CONNECT_SECONDS if call.patience else self.settings.connect))

    def silence(self, call: Call) -> float:
        """Return the seconds between two bytes of the answer to ``call`` that are borne."""
        usual = self.settings.silence if call.patience is None else call.patience
        return usual if call.timeout is None else min(call.timeout, usual)

    def auth_for(self, call: Call, driver: SyncDriver | AsyncDriver) -> httpx.Auth | None:
        """Return the login for ``call``: only what goes to the backend's own addresses carries it.

        A login that renews itself asks the backend's own issuer, by the same ``driver``.
        """
        if not call.signed_in or "://" in call.path:
            return None
        return self.auth.bound_to(self.settings.backend, driver) if isinstance(self.auth, CodexAuth) else self.auth

    @staticmethod
    def reply(response: httpx.Response, content: bytes, body: OpenBody | None = None) -> Reply:
        """Return what came, as flows see it. A header may quote the login; it is hidden there."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        for secret in secrets_of(response):
            headers = {name: value.replace(secret, HIDDEN) for name, value in headers.items()}
        return Reply(response.status_code, headers, without_query(response.url), time.time(), content, body)


def _url(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = None
    if url is None or (url.port or 0) > HIGHEST_PORT:
        raise APIConnectionError(
            "The service names an address that is none.", hint="The service may have changed; try again."
        )
    return url


# Taking an address apart is much of the work that a small request is.
_known_url = functools.lru_cache(maxsize=32)(_url)


def _checked_proxy(address: str) -> httpx.Proxy:
    try:
        return httpx.Proxy(address)
    except (ValueError, httpx.InvalidURL):
        raise InvalidOption(
            "The proxy's address is none that can be used.", hint="Example: http://127.0.0.1:8080, or socks5://…."
        ) from None


def close(response: httpx.Response) -> None:
    """Close ``response``, unless the interpreter ends: what httpx does then crashes Python 3.13."""
    if not sys.is_finalizing():
        response.close()


def bearer_of(request: httpx.Request) -> str:
    """Return the token that ``request`` carried, or an empty text: what is short ("local", "EMPTY") hides nothing."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return token if len(token) >= SHORTEST_SECRET else ""


def _held(call: Call) -> tuple[str, ...]:
    """Return what else of a request is secret: fields of its body, the signature in a full address."""
    fields = call.json or call.form
    signed = call.path.partition("?")[2] if "://" in call.path else ""
    parts = [part.partition("=")[2] for part in signed.split("&")]
    return (*(fields.values() if isinstance(fields, Secret) else ()), *parts, *map(unquote_plus, parts))


def secrets_of(response: httpx.Response) -> list[str]:
    """Return what a reply may not show: the token that its request carried and, of a failure, what else it held."""
    held = () if response.is_success else response.request.extensions.get(SECRETS, ())
    return [secret for secret in (bearer_of(response.request), *held) if len(secret) >= SHORTEST_SECRET]


def without_query(url: httpx.URL) -> str:
    """Return ``url`` as it may be shown: a query can hold a signature."""
    return str(url).partition("#")[0].partition("?")[0]


def _unsigned(record: logging.LogRecord) -> bool:
    """Take signed queries out of httpx's own log."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            without_query(arg) if isinstance(arg, httpx.URL) and b"sig" in arg.query.lower() else arg
            for arg in record.args
        )
    return True


logging.getLogger("httpx").addFilter(_unsigned)


def _tls() -> ssl.SSLContext:
    """Return the TLS settings: the system's as httpx reads them, and the Codex CLI's own certificate file."""
    named = {name: os.environ.get(name) for name in ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE", "SSL_CERT_DIR")}
    try:
        return _tls_of(*named.values())
    except OSError as error:
        raise InvalidOption(
            f"The certificates cannot be read ({error.strerror or type(error).__name__}).",
            hint=f"Check {' and '.join(f'{name}={path}' for name, path in named.items() if path) or 'certifi'}.",
        ) from None


@functools.lru_cache(maxsize=4)
def _tls_of(extra: str | None, *_system: str | None) -> ssl.SSLContext:
    # Reading the certificates takes up to 0.1 s, so sessions share it.
    context = httpx.create_ssl_context()
    if extra:
        context.load_verify_locations(extra)
    return context


def fault(error: httpx.HTTPError, url: str, silence: float) -> CodexError:  # noqa: PLR0911 - a table of faults
    """Return the error for a request of which nothing arrived. The cause forgets the request, which has the login.

    Errors go to other processes with their causes where Dask or tblib pickle them.
    """
    error.request = httpx.Request("GET", url)
    host = httpx.URL(url).host
    facts: dict[str, Any] = {"url": url}
    match error:
        case httpx.ConnectTimeout():
            return APITimeoutError(
                f"{host} did not take the connection in time.",
                hint="Check the network, and whether a proxy is needed (HTTPS_PROXY).",
                repeatable=True,
                **facts,
            )
        case httpx.TimeoutException():
            return APITimeoutError(
                f"{host} sent nothing for {silence:g} seconds.",
                hint="Try again, or allow more with Session(timeout=...), or --timeout for one question.",
                **facts,
            )
        case httpx.DecodingError():
            return MalformedStream(f"The compressed answer of {host} cannot be read.", hint="Try again.")
        case httpx.ConnectError() if "CERTIFICATE" in str(error).upper():
            return APIConnectionError(
                f"The certificate of {host} is not trusted here.",
                hint="Behind a company proxy, name its certificates in SSL_CERT_FILE or CODEX_CA_CERTIFICATE.",
                **facts,
            )
        case httpx.ConnectError():
            return APIConnectionError(
                f"Cannot connect to {host}{_port(url)}.",
                hint="Check the backend's address, and that the server runs."
                if host in {"127.0.0.1", "localhost", "::1"}
                else "Check the network, and whether a proxy is needed (HTTPS_PROXY).",
                repeatable=True,
                **facts,
            )
        case httpx.RemoteProtocolError() | httpx.ReadError() | httpx.WriteError():
            return APIConnectionError(
                f"{host} closed the connection without an answer.", hint="Try again.", repeatable=True, **facts
            )
        case _:
            return APIConnectionError(
                f"The request to {host} failed ({type(error).__name__}).", hint="Check the backend's address.", **facts
            )


def _port(url: str) -> str:
    port = httpx.URL(url).port
    return f":{port}" if port else ""
