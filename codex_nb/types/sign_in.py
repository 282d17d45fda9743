"""Who is signed in."""

from __future__ import annotations

from datetime import datetime

from codex_nb.types._base import Shape

__all__ = ["SignedIn", "SignedOut"]


class SignedIn(Shape):
    """The login of a session. No token is in it.

    ``method`` is ``chatgpt`` (a login file), ``api_key`` (a login file that holds a platform key alone) or ``token``
    (a `Bearer`). ``expires`` is aware, UTC: when the access token ends, which is renewed by itself.
    """

    method: str
    email: str | None = None
    plan: str | None = None
    account_id: str | None = None
    expires: datetime | None = None
    path: str | None = None
    has_api_key: bool = False


class SignedOut(Shape):
    """The end of a login: whether the file is gone (``removed``), and the service has ended it (``revoked``)."""

    removed: bool = False
    revoked: bool = False
