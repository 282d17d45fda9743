"""Who may come in: no foreign Host, no page of another site, nobody without the key."""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from codex_nb.serve.replies import failure

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from codex_nb.serve.config import ServerConfig

__all__ = ["Guard", "may_use"]

OPEN_PATH = "/healthz"


class Guard:
    """ASGI middleware around the whole server.

    A page on the web can make a browser on this machine send requests here. Under a name of its own that leads here
    (DNS rebinding) its Host header is foreign; otherwise its Origin is.
    """

    def __init__(self, app: ASGIApp, config: ServerConfig) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in (config.host, *config.hosts))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or say why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(headers)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> Response | None:
        if not self._is_ours(headers.get("host", "")):
            return failure(403, "permission_error", "the Host header names another server")
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(urlsplit_netloc(origin)):
            return failure(403, "permission_error", "requests of web pages are not served")
        return None

    def _is_ours(self, netloc: str) -> bool:
        """Whether a host is this server's: a name that it was given, or an address, which no name can hide behind."""
        try:
            name = urlsplit(f"//{netloc}").hostname or ""
            if name in self._names:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def urlsplit_netloc(origin: str) -> str:
    """Return the host of an Origin header, an empty text for ``null`` and for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def may_use(headers: Headers, key: str | None) -> bool:
    """Whether the request carries the key. How long this takes does not tell how much of a guess is right."""
    if key is None:
        return True
    given = headers.get("authorization", "")
    if not given.startswith(("Bearer ", "bearer ")):
        return False
    return hmac.compare_digest(given[7:].encode("latin-1", "replace"), key.encode())
