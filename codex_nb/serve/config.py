"""What a transcription server is told: where it listens, who may use it, and how much at once."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from codex_nb.errors import InvalidOption

__all__ = ["CONCURRENCY", "HOST", "MAX_UPLOAD_MB", "PORT", "QUEUE", "REQUEST_SECONDS", "ServerConfig", "is_loopback"]

HOST, PORT = "127.0.0.1", 8788
CONCURRENCY, QUEUE, MAX_UPLOAD_MB = 16, 64, 50
REQUEST_SECONDS = 300.0
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """The bounds of one server.

    ``concurrency`` recordings are at the service at once and ``queue`` more may wait here, whole or on their way in;
    what comes beyond that is 429. ``max_upload`` is of the whole body, in bytes. ``hosts`` are the names in a Host
    header that are this server's, beside localhost and addresses; ``seconds`` is how long one recording may take.
    """

    api_key: str | None = field(default=None, repr=False)
    host: str = HOST
    concurrency: int = CONCURRENCY
    queue: int = QUEUE
    max_upload: int = MAX_UPLOAD_MB * MEGABYTE
    seconds: float = REQUEST_SECONDS
    language: str | None = None
    route: str | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would be open to others, or serve nobody."""
        if self.api_key is None and not is_loopback(self.host):
            raise InvalidOption(
                f"Without a key the server may listen on loopback only, not on {self.host}.",
                hint="Give it a key: --api-key, or CODEX_NB_SERVER_KEY.",
            )
        if self.api_key is not None and (not self.api_key.strip() or not self.api_key.isascii()):
            raise InvalidOption("The server's key is empty, or holds letters that no header takes.", hint="Use ASCII.")
        for name, least in (("concurrency", 1), ("queue", 0), ("max_upload", 1), ("seconds", 1)):
            if getattr(self, name) < least:
                raise InvalidOption(f"{name} must be at least {least}.", hint="Leave it out for the default.")
        if self.route is not None:
            from codex_nb.client.resources._routes import routes

            routes(self.route, speaks_codex=True)


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
