"""The two ways to sign in: in a browser that comes back to this machine, or on any device with a code."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

from codex_nb.auth.flows import CLIENT_ID, Refusal, Tokens, exchange
from codex_nb.auth.listener import Answer, Listener, answer_in, ask_to_give_up
from codex_nb.errors import APIConnectionError, APIError, AuthenticationError, CodexError
from codex_nb.wire.call import Blocking, Call, Pause, Secret
from codex_nb.wire.failures import Failure, clean
from codex_nb.wire.json import as_number, as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.auth.prompt import Prompt
    from codex_nb.wire.call import Flow, Reply

__all__ = ["browser", "device"]

T = TypeVar("T")

# The ports that are registered for the official client: the usual one, and one for when it is taken.
PORTS: Final = (1455, 1457)
TRIES, BETWEEN_TRIES = 10, 0.2
SCOPE: Final = "openid profile email offline_access api.connectors.read api.connectors.invoke"
LOOK: Final = 0.1
DEVICE_SECONDS: Final = 900.0
# Seconds between two questions: when the service does not say, and at least.
USUAL_INTERVAL, SHORTEST_INTERVAL = 5.0, 0.5


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that the one who brings the code is the one who asked (PKCE), and marks the question."""

    verifier: str = field(repr=False)
    state: str = field(repr=False)

    @classmethod
    def new(cls) -> Proof:
        """Return fresh ones."""
        return cls(secrets.token_urlsafe(64), secrets.token_urlsafe(32))

    @property
    def challenge(self) -> str:
        """The verifier's digest."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def browser(
    issuer: str,
    prompt: Prompt,
    complete: Callable[[Tokens], Flow[T]],
    *,
    show: Callable[[str], bool],
    pasted: Callable[[], str | None],
    seconds: float,
) -> Flow[T]:
    """Sign in by a browser; ``show`` opens it and says whether it could.

    ``complete`` gets the tokens and makes the result, before the browser's page says that all is well.
    """
    proof = Proof.new()
    listener = Listener(proof.state)
    try:
        port = yield from _listen(listener)
        redirect = f"http://127.0.0.1:{port}/auth/callback"
        url = _address(issuer, redirect, proof)
        opened: bool = yield Blocking(lambda: show(url))
        yield Blocking(lambda: prompt.link(url, opened=opened))
        answer = yield from _answer(listener, proof, pasted, seconds)
        result = yield from complete((yield from _redeem(answer, proof, redirect)))
    except CodexError as error:
        message = error.message
        yield Blocking(lambda: listener.tell("The sign-in failed", message))
        raise
    else:
        yield Blocking(lambda: listener.tell("You are signed in"))
        return result
    finally:
        listener.close()


def _listen(listener: Listener) -> Flow[int]:
    """Open the first of the registered ports that can be had."""
    usual, other = PORTS
    for _ in range(TRIES):
        if (port := (yield Blocking(lambda: listener.open(usual)))) is not None:
            return port
        if not (yield Blocking(lambda: ask_to_give_up(usual))):
            break
        yield Pause(BETWEEN_TRIES)
    if (port := (yield Blocking(lambda: listener.open(other)))) is not None:
        return port
    raise AuthenticationError(
        f"Both ports that a browser may come back to, {usual} and {other}, are taken on this machine.",
        hint='End the programs that hold them, or use login(method="device").',
        reason="no_port",
    )


def _address(issuer: str, redirect: str, proof: Proof) -> str:
    fields = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": redirect,
        "code_challenge": proof.challenge,
        "code_challenge_method": "S256",
        "state": proof.state,
        "scope": SCOPE,
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
        "originator": "codex_cli_rs",
    }
    return f"{issuer}/oauth/authorize?{urlencode(fields)}"


def _answer(listener: Listener, proof: Proof, pasted: Callable[[], str | None], seconds: float) -> Flow[Answer]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := listener.poll():
            return answer
        if text := (yield Blocking(pasted)):
            return _answer_in_paste(text, proof)
        yield Pause(LOOK)
    raise AuthenticationError(
        f"Nobody signed in within {seconds / 60:.0f} minutes.",
        hint='Try again. If the browser cannot reach this machine, use login(method="device").',
        reason="timeout",
    )


def _answer_in_paste(text: str, proof: Proof) -> Answer:
    text = text.strip()
    try:
        query = urlsplit(text).query or text.removeprefix("?")
        answer = answer_in(query, proof.state)
    except ValueError:
        answer = None
    if answer:
        return answer
    raise AuthenticationError(
        "What was pasted is not the address that this sign-in ends at.",
        hint="Sign in again, and copy the whole address from the browser: it begins with http://127.0.0.1 and holds "
        "code= and state=.",
        reason="not_the_answer",
    )


def _redeem(answer: Answer, proof: Proof, redirect: str) -> Flow[Tokens]:
    if answer.error:
        raise _denied(answer)
    return (yield from _tokens(Secret(code=answer.code, code_verifier=proof.verifier), redirect))


def _tokens(code: Secret, redirect: str) -> Flow[Tokens]:
    found = yield from exchange(code, redirect)
    if isinstance(found, Tokens) and found.whole:
        return found
    happened = f"refused the sign-in (HTTP {found.status})" if isinstance(found, Refusal) else "sent no whole login"
    raise AuthenticationError(
        f"The sign-in service {happened}.", hint="Sign in again; a code is good for a few minutes.", reason="refused"
    )


def _denied(answer: Answer) -> AuthenticationError:
    if answer.error == "cancelled":
        return AuthenticationError(
            "Another sign-in on this machine took this one's place.", hint="Finish that one.", reason="cancelled"
        )
    if "missing_codex_entitlement" in f"{answer.error} {answer.description}":
        return AuthenticationError(
            "Codex is not enabled for this workspace.", hint="Ask the workspace's administrator.", reason="denied"
        )
    said = clean(answer.description or answer.error)
    return AuthenticationError(f"The sign-in was not granted: {said}", hint="Sign in again.", reason="denied")


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the person types (``shown``) and what the device asks with (``id``)."""

    id: str = field(repr=False)
    shown: str
    interval: float
    seconds: float

    @classmethod
    def read(cls, reply: Reply) -> DeviceCode | None:
        """Return the code in a reply; None when it holds none."""
        fields = as_object(reply.json())
        name, shown = as_text(fields.get("device_auth_id")), as_text(fields.get("user_code") or fields.get("usercode"))
        if not name or not shown:
            return None
        return cls(name, clean(shown, 40), _interval(fields.get("interval")), _left(fields.get("expires_at"), reply.at))


def _interval(value: Any) -> float:
    """Return the seconds between two questions: a number, also as text, within reason."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        value = int(value)
    found = as_number(value)
    return USUAL_INTERVAL if found is None else min(max(found, SHORTEST_INTERVAL), 60.0)


def _left(value: Any, at: float) -> float:
    """Return how long the code is good: what the service says, and 15 minutes at most."""
    try:
        ends = datetime.fromisoformat(value)
        return min(max(ends.timestamp() - at, 1.0), DEVICE_SECONDS) if ends.tzinfo else DEVICE_SECONDS
    except (TypeError, ValueError, OverflowError):
        return DEVICE_SECONDS


def device(issuer: str, prompt: Prompt, complete: Callable[[Tokens], Flow[T]]) -> Flow[T]:
    """Sign in with a code that the person types on any device; ``complete`` makes the result of the tokens."""
    code = yield from _device_code()
    proof = yield from _approval(code, prompt, f"{issuer}/codex/device")
    return (yield from complete((yield from _tokens(proof, f"{issuer}/deviceauth/callback"))))


def _device_code() -> Flow[DeviceCode]:
    reply: Reply = yield Call(
        "POST",
        "issuer/api/accounts/deviceauth/usercode",
        json={"client_id": CLIENT_ID},
        also_fine=frozenset({404}),
        signed_in=False,
        timeout=30.0,
    )
    if reply.status == 404:
        raise AuthenticationError(
            "Sign-in with a device code is not enabled for this account or workspace.",
            hint="Enable it in ChatGPT's security settings (a workspace's administrator may have to), or sign in "
            'with login(method="browser").',
            reason="device_disabled",
        )
    if code := DeviceCode.read(reply):
        return code
    raise APIError("The sign-in service sent no device code.", hint="Try again in a few minutes.")


def _approval(code: DeviceCode, prompt: Prompt, url: str) -> Flow[Secret]:
    """Ask until somebody has typed the code, and count down meanwhile."""
    end = time.monotonic() + code.seconds
    ask_at = time.monotonic() + code.interval
    while (left := end - time.monotonic()) > 0:
        yield Blocking(lambda: prompt.code(code.shown, url, end - time.monotonic()))
        yield Pause(max(0.0, min(1.0, ask_at - time.monotonic(), left)))
        if time.monotonic() >= ask_at:
            if proof := (yield from _ask(code)):
                return proof
            ask_at = time.monotonic() + code.interval
    raise _too_late()


def _too_late() -> AuthenticationError:
    return AuthenticationError(
        "Nobody typed the code in time.",
        hint="Sign in again. If the page refuses codes, device sign-in may have to be enabled in ChatGPT's security "
        "settings.",
        reason="timeout",
    )


def _ask(code: DeviceCode) -> Flow[Secret | None]:
    try:
        reply: Reply = yield Call(
            "POST",
            "issuer/api/accounts/deviceauth/token",
            json=Secret(device_auth_id=code.id, user_code=code.shown),
            also_fine=frozenset({400, 401, 403, 404}),
            signed_in=False,
            timeout=30.0,
        )
    except APIConnectionError:  # a network that is away for a moment; the code's own end is the limit
        return None
    if reply.status in {403, 404}:
        return None
    if reply.status >= 400:
        over = "expired_token" in Failure.of(reply).names
        raise _too_late() if over else _denied(Answer(error="denied"))
    fields = as_object(reply.json())
    granted, verifier = as_text(fields.get("authorization_code")), as_text(fields.get("code_verifier"))
    if granted and verifier:
        return Secret(code=granted, code_verifier=verifier)
    raise APIError("The sign-in service sent no code.", hint="Sign in again.")
