"""Every exception of codex_nb.

A message says what happened, and to what; ``hint`` says what to do next. Neither holds a token or a prompt.

    Exception
    └── CodexError
        ├── AuthenticationError             (also an APIStatusError, 401)
        │   ├── NotSignedIn
        │   └── SignInExpired
        ├── APIError
        │   ├── APIConnectionError
        │   │   └── APITimeoutError
        │   └── APIStatusError
        │       ├── BadRequestError
        │       ├── AuthenticationError
        │       ├── PermissionDeniedError
        │       │   └── CloudflareChallenge
        │       ├── NotFoundError
        │       ├── RateLimitError
        │       │   └── UsageLimitReached
        │       └── InternalServerError
        ├── StreamInterrupted
        ├── MalformedStream
        ├── ResponseFailed
        │   ├── ContextWindowExceeded
        │   ├── ModelAtCapacity
        │   ├── InvalidAnswer
        │   └── UsageLimitInStream          (also a UsageLimitReached)
        ├── BudgetReached
        ├── UnsupportedParameter
        ├── UnsupportedByBackend
        ├── InvalidOption
        ├── CacheMiss
        ├── FileError
        ├── AudioError
        └── ToolError
    KeyboardInterrupt
    └── Stopped

Names are openai-python's where it has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AudioError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetReached",
    "CacheMiss",
    "CloudflareChallenge",
    "CodexError",
    "ContextWindowExceeded",
    "FileError",
    "InternalServerError",
    "InvalidAnswer",
    "InvalidOption",
    "MalformedStream",
    "ModelAtCapacity",
    "NotFoundError",
    "NotSignedIn",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseFailed",
    "SignInExpired",
    "Stopped",
    "StreamInterrupted",
    "ToolError",
    "UnsupportedByBackend",
    "UnsupportedParameter",
    "UsageLimitInStream",
    "UsageLimitReached",
]


def in_one_line(message: str, hint: str) -> str:
    """Return what happened and what to do; a message that quotes a service may lack its full stop."""
    ended = not message or not hint or message[-1] in ".!?…:"
    return f"{message}{'' if ended else '.'} {hint}".strip()


class _OneLine:
    """Shown by IPython as one line and a hint, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        red, dim, normal = "\x1b[31m", "\x1b[2m", "\x1b[0m"
        message, hint = getattr(self, "message", "") or str(self), getattr(self, "hint", "")
        return [f"{red}{type(self).__name__}{normal}: {message}", *([f"{dim}{hint}{normal}"] if hint else [])]


class CodexError(_OneLine, Exception):
    """Anything that codex_nb raises on purpose. In a cell it is one line and its hint."""

    def __init__(self, message: str, *, hint: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        vars(self).update(facts)

    def __str__(self) -> str:
        return in_one_line(self.message, self.hint)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state, so that errors cross process pools whole."""
        return _restore, (type(self), self.message), vars(self)


def _restore(kind: type[CodexError], message: str) -> CodexError:
    error = kind.__new__(kind, message)
    error.args = (message,)
    return error


class APIError(CodexError):
    """A request that failed on the way or at the service."""


class APIConnectionError(APIError):
    """Nothing arrived. ``url`` is the request's, without its query.

    ``repeatable``: the service can not have begun to work on it for long, so sending it again is cheap.
    """

    url: str = ""
    repeatable: bool = False


class APITimeoutError(APIConnectionError):
    """Nothing arrived in time."""


class APIStatusError(APIError):
    """The service answered with an HTTP status that is not a success.

    ``body`` holds at most 2 000 characters; ``request_id`` is what support asks for.
    """

    status_code: int = 0
    request_id: str | None = None
    body: str = ""
    url: str = ""
    code: str | None = None


class BadRequestError(APIStatusError):
    """400, 413, 422: the service refuses the request as it is.

    ``index`` is the place of the input that it refuses, where there are several and it is known.
    """

    index: int | None = None


class AuthenticationError(APIStatusError):
    """401: the service does not know the caller. ``reason`` is a short word, such as ``missing``."""

    status_code: int = 401
    reason: str = ""


class NotSignedIn(AuthenticationError):
    """There is no usable login on this machine."""


class SignInExpired(AuthenticationError):
    """The login on this machine is over: ``reason`` is ``expired``, ``reused``, ``revoked`` or ``invalid``."""


class PermissionDeniedError(APIStatusError):
    """402, 403: the account may not do this."""


class CloudflareChallenge(PermissionDeniedError):
    """403 with a web page: the service's guard stopped the request before the API saw it."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or not for this account."""


class RateLimitError(APIStatusError):
    """429. ``retry_after`` is in seconds, None when the service does not say."""

    retry_after: float | None = None


class UsageLimitReached(RateLimitError):
    """The plan's quota is spent; waiting for ``resets_at`` (aware, UTC) is the only cure. Never retried."""

    plan: str | None = None
    resets_at: datetime | None = None


class InternalServerError(APIStatusError):
    """5xx: the service failed."""


class StreamInterrupted(CodexError):
    """The stream ended, broke or went silent before its terminal event.

    ``partial`` is the text so far, ``response`` what was assembled (``status == "in_progress"``).
    """

    partial: str = ""
    response: Any = None


class MalformedStream(CodexError):
    """What came is no Responses stream: a web page, plain JSON, nothing, or an event that is no JSON."""

    content_type: str = ""
    partial: str = ""


class ResponseFailed(CodexError):
    """The service ended the answer with ``response.failed`` or ``error``. ``partial`` is the text so far."""

    code: str | None = None
    partial: str = ""
    response: Any = None


class ContextWindowExceeded(ResponseFailed):
    """The input is longer than the model can read."""


class ModelAtCapacity(ResponseFailed):
    """The model has no room now; another one may."""


class InvalidAnswer(ResponseFailed):
    """The answer came whole, and is not what was asked for: no JSON, or JSON that does not fit.

    ``code`` is ``invalid_json``, ``does_not_fit``, ``no_text`` or ``no_compaction``; ``partial`` is its text,
    ``response`` the response, ``problems`` where it does not fit: ``(place, kind)``, without the values.
    """

    problems: tuple[tuple[str, str], ...] = ()


class UsageLimitInStream(UsageLimitReached, ResponseFailed):
    """The quota ran out while an answer was under way; caught by either name."""


class BudgetReached(CodexError):
    """A limit of one's own is reached (`codex_nb.budget`); nothing was sent. ``resets_at`` is when quota comes back."""

    resets_at: datetime | None = None


class UnsupportedParameter(CodexError):
    """The backend refuses this ``parameter``; nothing was sent."""

    parameter: str = ""


class UnsupportedByBackend(CodexError):
    """The chosen backend has no such endpoint; nothing was sent."""


class InvalidOption(CodexError):
    """An option, a setting or a name that is not understood."""


class CacheMiss(CodexError):
    """A recording has no answer to this question, and the service was not asked.

    ``changed`` are the places that differ from the closest question on record, ``path`` is the recording's.
    """

    changed: tuple[str, ...] = ()
    path: str = ""


class FileError(CodexError):
    """A file that cannot be uploaded, or that the service could not take. ``path`` is its name on this machine."""

    path: str = ""


class AudioError(CodexError):
    """A sound that cannot be prepared, or that the service refuses."""

    source: str = ""
    container: str = ""


class ToolError(CodexError):
    """A tool that is not callable, was denied, or was called with arguments that do not validate.

    ``response`` is the response that calls it, where there is one.
    """

    tool: str = ""
    response: Any = None


class Stopped(_OneLine, KeyboardInterrupt):
    """The user stopped an answer. A KeyboardInterrupt, so that "Run All" stops too."""
