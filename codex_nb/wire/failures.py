"""What a failure looks like on the wire, and the error that says it.

Bodies come in many shapes: ``{"error": {…}}``, ``{"detail": "…"}``, ``{"detail": {…}}``, a web page, nothing. They are
read in that order, bounded, and never trusted to be JSON.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pydantic_core

from codex_nb import errors
from codex_nb.durations import span
from codex_nb.wire.json import JSONObject, as_number, as_object, as_text

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["Failure", "event_error", "status_error"]

MAX_BODY: Final = 2_000
MAX_MESSAGE: Final = 300
# Credentials that a service may echo: JSON web tokens, platform keys, refresh tokens, header values.
SECRETS: Final = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*)*|\bsk-[\w-]{8,}|\b(?:rt|at)[-_][\w-]{12,}|(?i:bearer)\s+[\w.~+/=-]{8,}"
)

SPENT: Final = frozenset({"usage_limit_reached", "usage_not_included"})
BILLING: Final = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
    }
)
SIGN_IN_HINT: Final = "Sign in again: %codex login, or codex-nb login."
HINTS: Final = {
    400: "Check the request's fields; %codex models lists the models of this account.",
    402: "The workspace is deactivated or unpaid; choose another one, or ask its owner.",
    403: "This account or plan may not use the endpoint.",
    404: "Check the name or id, and the backend's address.",
    413: "Send less at once.",
}


class Failure:
    """The facts in an error body: ``message``, ``code`` (or type), ``fields`` (the innermost object)."""

    def __init__(self, body: Any) -> None:
        self.fields: JSONObject = {}
        self.message = ""
        found = body
        if outer := as_object(body):
            found = outer.get("error") or outer.get("detail") or outer.get("message")
        if inner := as_object(found):
            self.fields = inner
            found = inner.get("message") or inner.get("detail") or inner.get("code")
        self.message = clean(as_text(found) or "")
        self.code = as_text(self.fields.get("code")) or as_text(self.fields.get("type"))

    @classmethod
    def of(cls, reply: Reply) -> Failure:
        """Read the body of ``reply``."""
        try:
            return cls(pydantic_core.from_json(reply.content))
        except ValueError:
            return cls("" if is_page(reply) else reply.content[:MAX_BODY].decode("utf-8", "replace"))

    @property
    def names(self) -> frozenset[str]:
        """Every word that the body gives its failure: ``code`` and ``type``."""
        return frozenset(v for k in ("code", "type") if isinstance(v := self.fields.get(k), str))


def clean(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return ``text`` on one line, without control characters and credentials, at most ``limit`` characters long."""
    # Cut first: a body may be megabytes of hostile text.
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    line = SECRETS.sub("[hidden]", line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def is_page(reply: Reply) -> bool:
    """Whether the body is a web page."""
    return "html" in reply.headers.get("content-type", "") or reply.content[:256].lstrip().lower().startswith(
        (b"<!doctype", b"<html")
    )


def status_error(reply: Reply) -> errors.APIStatusError:
    """Return the error for a reply whose status is no success."""
    failure = Failure.of(reply)
    facts: dict[str, Any] = {
        "status_code": reply.status,
        "request_id": reply.headers.get("x-request-id")
        or reply.headers.get("x-oai-request-id")
        or reply.headers.get("cf-ray"),
        "body": clean(reply.content[: 4 * MAX_BODY].decode("utf-8", "replace"), MAX_BODY),
        "url": reply.url,
        "code": failure.code,
    }
    said = f": {failure.message}" if failure.message else "."
    if failure.names & (SPENT | BILLING):
        return _quota_error(errors.UsageLimitReached, failure, reply.at, facts)
    if reply.status == 401:
        return _sign_in_error(failure, facts)
    if reply.status == 403 and is_page(reply):
        return errors.CloudflareChallenge(
            "The service's guard answered with a web page (HTTP 403).",
            hint="It judges the network, not the login: try without a proxy or VPN, or again in a few minutes.",
            **facts,
        )
    if 300 <= reply.status < 400:
        return errors.APIStatusError(
            f"The server redirects to another address (HTTP {reply.status}); a login is not carried there.",
            hint="Check the backend's address; a sign-in page or a proxy may be in the way.",
            **facts,
        )
    kind, word = _kind(reply.status)
    if kind is errors.RateLimitError:
        facts["retry_after"] = wait(reply, failure)
    hint = HINTS.get(reply.status, _hint(kind, facts.get("retry_after")))
    return kind(f"{word} (HTTP {reply.status}){said}", hint=hint, **facts)


def _kind(status: int) -> tuple[type[errors.APIStatusError], str]:
    if status in {400, 413, 415, 422}:
        return errors.BadRequestError, "The service refuses the request"
    if status in {402, 403}:
        return errors.PermissionDeniedError, "The service denies this"
    if status == 404:
        return errors.NotFoundError, "The service does not find it"
    if status == 429:
        return errors.RateLimitError, "Too many requests"
    if status >= 500:
        return errors.InternalServerError, "The service failed"
    return errors.APIStatusError, "The service answered unexpectedly"


def _hint(kind: type[errors.APIStatusError], seconds: float | None) -> str:
    if kind is errors.RateLimitError:
        patience = span(math.ceil(seconds)) if seconds else "a little"
        return f"Wait {patience} and try again; %codex usage shows the quota."
    return "Try again in a moment." if kind is errors.InternalServerError else "Check the backend's address."


def _sign_in_error(failure: Failure, facts: dict[str, Any]) -> errors.AuthenticationError:
    revoked = failure.names & {"token_invalidated", "token_revoked"}
    return errors.SignInExpired(
        f"The service does not accept the login (HTTP 401){': ' + failure.message if failure.message else '.'}",
        hint=SIGN_IN_HINT,
        reason="revoked" if revoked else "invalid",
        **facts,
    )


def _quota_error(
    kind: type[errors.UsageLimitReached], failure: Failure, at: float, facts: dict[str, Any]
) -> errors.UsageLimitReached:
    plan = as_text(failure.fields.get("plan_type"))
    resets_at = _reset_time(failure.fields, at)
    facts |= {"plan": plan, "resets_at": resets_at}
    facts["retry_after"] = max(0.0, resets_at.timestamp() - at) if resets_at else None
    if "usage_not_included" in failure.names:
        return kind(
            "This plan does not include Codex.",
            hint="Upgrade the ChatGPT plan, or sign in to another account.",
            **facts,
        )
    if failure.names & BILLING:
        return kind(
            "The platform account has no credit left.",
            hint="This endpoint is billed to the platform organization; check its billing page.",
            **facts,
        )
    until = f" It resets at {resets_at:%Y-%m-%d %H:%M} UTC." if resets_at else ""
    return kind(
        f"The usage limit of this {plan or 'ChatGPT'} plan is reached.{until}",
        hint="%codex usage shows every window of the quota.",
        **facts,
    )


def _reset_time(fields: JSONObject, at: float) -> datetime | None:
    moment, seconds = as_number(fields.get("resets_at")), as_number(fields.get("resets_in_seconds"))
    if moment is None and seconds is not None:
        moment = at + seconds
    try:
        return None if moment is None else datetime.fromtimestamp(moment, UTC)
    except (OverflowError, OSError, ValueError):
        return None


NAMED_WAIT: Final = re.compile(r"try again in (\d{1,9}(?:\.\d{1,9})?)\s*(ms|s\b|sec)", re.IGNORECASE)


def wait(reply: Reply, failure: Failure) -> float | None:
    """Return the seconds that the service asks to wait: Retry-After (seconds or a date), else its words, else None.

    A date is measured against the reply's own Date header where there is one, so that a wrong clock does no harm.
    """
    text = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    if (moment := _http_date(text)) is not None:
        now = _http_date(reply.headers.get("date", ""))
        return max(0.0, moment - (reply.at if now is None else now))
    named = NAMED_WAIT.search(failure.message)
    return float(named[1]) / (1000 if named[2].lower() == "ms" else 1) if named else None


def _http_date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def event_error(event: JSONObject, *, partial: str, at: float) -> errors.CodexError:
    """Return the error for a ``response.failed`` or ``error`` event."""
    told = as_object(event.get("response")) or {name: value for name, value in event.items() if name != "type"}
    failure = Failure({"error": told.get("error") or told})
    facts: dict[str, Any] = {"code": failure.code, "partial": partial}
    if failure.names & (SPENT | BILLING):
        return _quota_error(errors.UsageLimitInStream, failure, at, facts | {"status_code": 429})
    said = failure.message or "no reason was given"
    match failure.code:
        case "context_length_exceeded":
            return errors.ContextWindowExceeded(
                "The conversation is longer than this model can read.",
                hint="Start a new chat, send less context, or choose a model with a larger window.",
                **facts,
            )
        case "server_is_overloaded" | "slow_down" | "flex_unavailable" | "policy_capacity_unavailable":
            return errors.ModelAtCapacity(
                f"The model is at capacity: {said}", hint="Choose another model, or try again later.", **facts
            )
        case "rate_limit_exceeded":
            return errors.ResponseFailed(
                f"The service ended the answer: {said}", hint="Wait a little and try again.", **facts
            )
        case _:
            return errors.ResponseFailed(f"The service ended the answer: {said}", hint="Try again.", **facts)
