"""The kernel's shared session: magics, frames and widgets all use it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from codex_nb.client.session import Session
from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    import httpx

    from codex_nb.settings import Backend

__all__ = ["allow", "connect", "opened", "session", "session_of", "use"]

_lock = threading.Lock()
_shared: Session | None = None
_allowed: float | None = None


def session() -> Session:
    """Return the shared session; the first call opens it on the default backend."""
    global _shared  # noqa: PLW0603 - there is one a process, by contract
    with _lock:
        if _shared is None:
            _shared = _held(Session())
        return _shared


def session_of(given: Session | None) -> Session:
    """Return the session that was given; the shared one where none was.

    Raises:
        InvalidOption: something else was given.

    """
    if given is None:
        return session()
    if not isinstance(given, Session):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidOption(
            f"{type(given).__name__} is no session.",
            hint='Name other options: limit=50. Open a backend: Session("local"). Of a session leave out .aio.',
        )
    return given


def opened() -> Session | None:
    """Return the shared session if there is one already."""
    return _shared


def use(replacement: Session | Backend | str) -> Session:
    """Make ``replacement`` the shared session and return it; a backend, or its text form, is opened first.

    The session that was shared stays open for those who hold it.
    """
    global _shared  # noqa: PLW0603
    chosen = replacement if isinstance(replacement, Session) else Session(replacement)
    with _lock:
        _shared = _held(chosen)
    return chosen


def allow(percent: float | None) -> None:
    """Let the shared session, whichever it is, use so many percent of any one window of the quota from now on.

    It is a `budget` that holds until another one, or None, is set. Nothing is sent.

    Raises:
        InvalidOption: ``percent`` is no percentage above 0.

    """
    global _allowed  # noqa: PLW0603
    with _lock:
        _allowed = percent
        if _shared is not None:
            _held(_shared)


def _held(session: Session) -> Session:
    """Return the session, with the budget that is set and no other of the kind."""
    from codex_nb.client.budget import StandingBudget

    budgets = session._core.budgets  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    if _allowed is None:
        budgets[:] = [one for one in budgets if not isinstance(one, StandingBudget)]
    else:
        StandingBudget(_allowed, session).hold(budgets)
    return session


def connect(
    backend: Backend | str | None = None,
    *,
    auth: httpx.Auth | None = None,
    model: str | None = None,
    timeout: float | tuple[float, float] | None = None,
    max_retries: int = 2,
    proxy: str | None = None,
) -> Session:
    """Open a session on ``backend`` (the parameters are those of `Session`) and make it the shared one."""
    return use(Session(backend, auth=auth, model=model, timeout=timeout, max_retries=max_retries, proxy=proxy))
