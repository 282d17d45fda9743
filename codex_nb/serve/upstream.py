"""Where recordings are sent from the command line: codex-asr's options and environment, made a session.

A flag comes first, then the environment (``CODEX_NB_*``, then ``CODEX_ASR_*``), then the default. An empty variable
counts as none.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from codex_nb.errors import InvalidOption
from codex_nb.settings import Backend

if TYPE_CHECKING:
    import argparse

    import httpx

    from codex_nb.client.session import Session

__all__ = ["add_arguments", "number", "open_session", "request_seconds", "variable"]

REQUEST_SECONDS, CONNECT_SECONDS = 300, 15
PREFIXES = ("CODEX_NB_", "CODEX_ASR_")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what says where requests go, as whom, and for how long."""
    add = parser.add_argument_group("the service").add_argument
    add("-b", "--backend", help="chatgpt, local, or an address (default: CODEX_NB_BACKEND, then chatgpt)")
    add("--endpoint", metavar="URL", help="the dictation endpoint itself (default: the backend's)")
    add("--bearer", metavar="TOKEN", help="the access token (default: CODEX_NB_BEARER, then the login file)")
    add("--account-id", metavar="ID", help="the account to act for (default: the login's)")
    add("--auth-file", metavar="PATH", help="the login file (default: $CODEX_HOME/auth.json)")
    add("--proxy", metavar="URL", help="an HTTP proxy (default: CODEX_NB_PROXY, then HTTPS_PROXY)")
    add(
        "--request-timeout-seconds",
        type=int,
        metavar="S",
        help=f"how long the service may be silent (default: {REQUEST_SECONDS})",
    )
    add(
        "--connect-timeout-seconds",
        type=int,
        metavar="S",
        help=f"how long connecting may take (default: {CONNECT_SECONDS})",
    )


def open_session(options: argparse.Namespace, **more: Any) -> Session:
    """Return the session that the options describe.

    Raises:
        InvalidOption: a number is none, or an address is none.
        NotSignedIn: the token given cannot stand in a header.

    """
    from codex_nb.client.session import Session

    silence = request_seconds(options)
    connect = number(
        "--connect-timeout-seconds", options.connect_timeout_seconds, CONNECT_SECONDS, "CONNECT_TIMEOUT_SECONDS"
    )
    return Session(_backend(options), auth=_login(options), timeout=(connect, silence), proxy=_proxy(options), **more)


def request_seconds(options: argparse.Namespace) -> int:
    """Return how long the service may be silent.

    Raises:
        InvalidOption: it is no number.

    """
    return number(
        "--request-timeout-seconds",
        options.request_timeout_seconds,
        REQUEST_SECONDS,
        "REQUEST_TIMEOUT_SECONDS",
        "TIMEOUT_SECONDS",
    )


def variable(*names: str) -> str | None:
    """Return the first variable of the environment that says something, under either prefix."""
    for name in names:
        for prefix in PREFIXES:
            if text := os.environ.get(prefix + name, "").strip():
                return text
    return None


def number(flag: str, given: int | None, default: int, *names: str) -> int:
    """Return a whole number above 0: the flag's, the environment's, or the default.

    Raises:
        InvalidOption: it is none.

    """
    if given is not None:
        if given <= 0:
            raise InvalidOption(f"{flag} must be a positive integer.", hint=f"Leave it out for {default}.")
        return given
    for name in (prefix + name for name in names for prefix in PREFIXES):
        if text := os.environ.get(name, "").strip():
            if not text.isascii() or not text.isdecimal() or not int(text):
                raise InvalidOption(f"{name} must be a positive integer.", hint=f"Leave it out for {default}.")
            return int(text)
    return default


def _backend(options: argparse.Namespace) -> Backend:
    backend = Backend.parse(options.backend)
    if not options.endpoint:
        return backend
    return replace(backend, roots={**backend.roots, "dictation": Backend.openai(options.endpoint).roots["codex"]})


def _login(options: argparse.Namespace) -> httpx.Auth | None:
    """Return the login that was named; None for the backend's usual one."""
    from codex_nb.auth.bearer import Bearer, CodexAuth
    from codex_nb.serve.account_auth import AccountAuth

    bearer: str | None = options.bearer or variable("BEARER")
    if bearer:
        return Bearer(bearer.removeprefix("Bearer ").removeprefix("bearer "), options.account_id)
    if options.account_id:
        return AccountAuth(options.auth_file, options.account_id)
    return CodexAuth(options.auth_file) if options.auth_file else None


def _proxy(options: argparse.Namespace) -> str | None:
    """Return the proxy that was named; those of HTTPS_PROXY and ALL_PROXY are found by the client."""
    return options.proxy or variable("PROXY") or os.environ.get("CODEX_VOICE_PROXY", "").strip() or None
