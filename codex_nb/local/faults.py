"""What can go wrong on purpose: faults, laid on any endpoint by method, path and count."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Close: TypeAlias = Literal["clean", "abrupt", "reset"]
RESPONSES = "*/responses"
CLOUDFLARE = b"""<!DOCTYPE html>
<html lang="en-US"><head><title>Just a moment...</title></head>
<body><noscript>Enable JavaScript and cookies to continue</noscript>
<p>Attention Required! | Cloudflare. Sorry, you have been blocked.</p></body></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. Build it by a named constructor, or combine the fields.

    ``path`` and ``method`` are patterns (``*``), ``skip`` requests pass first, then it strikes ``times`` times (None:
    always). With ``status`` the answer is replaced by ``headers`` and ``body``. ``stall`` (seconds) is a silence:
    before the headers, or after ``after_events`` or ``after_bytes`` when one is given. ``cut`` ends the connection
    there, "clean" (a well-formed end, only too early), "abrupt" (inside the chunked body) or "reset" (TCP RST);
    with neither count, before any header. ``drip`` is (bytes, seconds): that many bytes, that long between them.
    """

    path: str = "*"
    method: str = "*"
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    stall: float = 0.0
    cut: Close | None = None
    after_events: int | None = None
    after_bytes: int | None = None
    drip: tuple[int, float] | None = None
    gzip: bool = False

    def on(self, path: str, method: str = "*") -> Fault:
        """Lay it on another endpoint: ``Fault.drop().on("*/models")``."""
        return replace(self, path=path, method=method)

    @property
    def mid_stream(self) -> bool:
        """Whether it waits for a part of the body."""
        return self.after_events is not None or self.after_bytes is not None

    @classmethod
    def reply(cls, status: int, body: Any = b"", *, content_type: str | None = None, **rest: Any) -> Fault:
        """Answer with this status and body: bytes, a text, or an object that is sent as JSON."""
        if isinstance(body, str):
            kind = "text/html; charset=utf-8" if body.lstrip().startswith("<") else "text/plain; charset=utf-8"
            body = body.encode()
        elif isinstance(body, bytes):
            kind = "text/plain; charset=utf-8"
        else:
            kind, body = "application/json", json.dumps(body).encode()
        return cls(status=status, body=body, content_type=content_type or kind, **_aimed(rest))

    @classmethod
    def server_error(cls, status: int = 503, **rest: Any) -> Fault:
        """Answer with a 5xx; ``times`` makes it a burst."""
        error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
        return cls.reply(status, {"error": error}, **rest)

    @classmethod
    def cloudflare(cls, **rest: Any) -> Fault:
        """Answer with 403 and the web page of the service's guard."""
        rest["headers"] = {"server": "cloudflare", "cf-mitigated": "challenge", **rest.pop("headers", {})}
        return cls.reply(403, CLOUDFLARE, content_type="text/html; charset=UTF-8", **rest)

    @classmethod
    def throttled(cls, retry_after: float | str | datetime | None = None, **rest: Any) -> Fault:
        """Answer with 429. ``retry_after`` is in seconds, or a time that goes out as an HTTP date."""
        error = {"message": "Rate limit reached.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        if retry_after is not None:
            value = str(retry_after) if isinstance(retry_after, (int, float, str)) else _http_date(retry_after)
            rest["headers"] = {"retry-after": value, **rest.pop("headers", {})}
        return cls.reply(429, {"error": error}, **rest)

    @classmethod
    def usage_limit(cls, resets_in: int | None = 3300, plan: str = "plus", **rest: Any) -> Fault:
        """Answer with 429: the plan's window is used up, for ``resets_in`` more seconds."""
        error: dict[str, Any] = {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": plan,
        }
        if resets_in is not None:
            error |= {"resets_at": int(time.time()) + resets_in, "resets_in_seconds": resets_in}
        return cls.reply(429, {"error": error}, **rest)

    @classmethod
    def redirect(cls, location: str, status: int = 307, **rest: Any) -> Fault:
        """Send the client to another address."""
        return cls.reply(status, b"", headers={"location": location}, **rest)

    @classmethod
    def drop(cls, **rest: Any) -> Fault:
        """Close the connection before any header; ``cut="reset"`` does it with a TCP RST."""
        aimed: dict[str, Any] = {"cut": "abrupt"} | _aimed(rest)
        return cls(**aimed)

    @classmethod
    def cut_after(
        cls, events: int | None = None, *, size: int | None = None, how: Close = "abrupt", **rest: Any
    ) -> Fault:
        """End a stream after so many events, or so many bytes of its body."""
        return cls(cut=how, after_events=events if size is None else None, after_bytes=size, **_aimed(rest))

    @classmethod
    def silence(cls, seconds: float, *, after_events: int | None = None, **rest: Any) -> Fault:
        """Say nothing for a while, before the headers or after so many events, then go on."""
        return cls(stall=seconds, after_events=after_events, **_aimed(rest))

    @classmethod
    def slow(cls, size: int = 16, seconds: float = 0.01, **rest: Any) -> Fault:
        """Let the body drip: ``size`` bytes, then ``seconds`` of waiting."""
        return cls(drip=(size, seconds), **_aimed(rest))

    @classmethod
    def gzipped(cls, **rest: Any) -> Fault:
        """Compress the body with gzip, asked for or not."""
        return cls(gzip=True, **_aimed(rest))


def _aimed(rest: dict[str, Any]) -> dict[str, Any]:
    """Named faults hit the answers unless they are told otherwise."""
    return {"path": RESPONSES, "method": "POST", **rest} if "path" not in rest else rest


def _http_date(when: datetime) -> str:
    from datetime import UTC

    return format_datetime(when.astimezone(UTC), usegmt=True)


class FaultPlan:
    """The faults of one backend and how often each has struck. Thread-safe."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._faults: list[tuple[Fault, list[int]]] = []
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Lay more faults; the earlier ones strike first."""
        with self._lock:
            self._faults += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._faults.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault that hits this request, if any, and count it."""
        with self._lock:
            for fault, seen in self._faults:
                if not (fnmatchcase(path, fault.path) and fnmatchcase(method, fault.method)):
                    continue
                last = None if fault.times is None else fault.skip + fault.times
                if last is not None and seen[0] >= last:
                    continue
                seen[0] += 1
                if seen[0] > fault.skip:
                    return fault
        return None
