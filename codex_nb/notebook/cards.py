"""Small tables that show themselves: in a notebook, in a terminal, in a log."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from codex_nb.errors import NotSignedIn
from codex_nb.safe_markdown import printable

if TYPE_CHECKING:
    from codex_nb.client.session import Session
    from codex_nb.types.sign_in import SignedIn

__all__ = ["Card", "signed_in_card", "signed_out", "status_card"]


class Card:
    """A title and rows of (what, value)."""

    def __init__(self, title: str, rows: list[tuple[str, str]]) -> None:
        self.title = title
        self.rows = rows

    def __repr__(self) -> str:
        width = max((len(name) for name, _ in self.rows), default=0)
        return printable("\n".join([self.title, *(f"  {name:<{width}}  {value}" for name, value in self.rows)]))

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><th style="text-align: left">{html.escape(name)}</th>'
            f'<td style="text-align: left">{html.escape(value)}</td></tr>'
            for name, value in self.rows
        )
        caption = f'<caption style="text-align: left">{html.escape(self.title)}</caption>'
        return f"<table>{caption}<tbody>{cells}</tbody></table>"


def status_card(session: Session) -> Card:
    """Return where requests go and as whom; nothing is asked of the service, and no token is shown."""
    backend = session.backend
    rows = [("backend", backend.name)]
    address = backend.roots.get("codex", "")
    if address != backend.name:
        rows.append(("address", address))
    rows += _login_rows(session)
    rows.append(("model", session.model or "the service's first"))
    rows.append(("ledger", str(session.ledger)))
    return Card("codex_nb", rows)


def signed_in_card(found: SignedIn) -> Card:
    """Return who signed in."""
    return Card("Signed in", _who(found))


def signed_out(session: Session, *, revoke: bool) -> str:
    """Sign out, and return what came of it in one line."""
    if not revoke:
        return "Signed out." if session.logout() else "Nobody was signed in."
    found = session.revoke()
    if not found.removed:
        return "Nobody was signed in."
    return (
        "Signed out, here and at the service."
        if found.revoked
        else "Signed out here; the service did not confirm that the login has ended."
    )


def _login_rows(session: Session) -> list[tuple[str, str]]:
    from codex_nb.auth.bearer import LoginAuth

    if session.backend.login == "local":
        return [("signed in", "not needed: this backend runs on this machine")]
    if not isinstance(session.auth, LoginAuth):
        return [("signed in", "no login is sent" if session.auth is None else "with a login of your own")]
    try:
        found = session.account()
    except NotSignedIn as error:
        return [("signed in", f"no: {error.message}"), ("what to do", error.hint)]
    if found.method == "api_key":
        return [("signed in", "with a platform key alone; ChatGPT needs %codex login"), ("file", found.path or "")]
    return _who(found)


def _who(found: SignedIn) -> list[tuple[str, str]]:
    rows = [("signed in", found.email or "with a token"), ("plan", found.plan), ("account", found.account_id)]
    if found.expires:
        renewed = ", renewed by itself" if found.path else ""
        over = "" if found.expires > datetime.now(UTC) else " (over)"
        rows.append(("token ends", f"{found.expires:%Y-%m-%d %H:%M} UTC{over}{renewed}"))
    rows += [("platform key", "yes" if found.has_api_key else None), ("file", found.path)]
    return [(name, value) for name, value in rows if value]
