"""Small tables that show themselves: in a notebook, in a terminal, in a log."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from codex_nb.errors import NotSignedIn
from codex_nb.safe_markdown import printable

if TYPE_CHECKING:
    from codex_nb.client.session import Session

__all__ = ["Card", "status_card"]


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


def _login_rows(session: Session) -> list[tuple[str, str]]:
    from codex_nb.auth.bearer import LoginAuth

    if session.backend.login == "local":
        return [("signed in", "not needed: this backend runs on this machine")]
    if not isinstance(session.auth, LoginAuth):
        return [("signed in", "no login is sent" if session.auth is None else "with a login of your own")]
    try:
        claims = session.auth.login().claims
    except NotSignedIn as error:
        return [("signed in", f"no: {error.message}"), ("what to do", error.hint)]
    rows = [("signed in", claims.email or "with a token"), ("plan", claims.plan), ("account", claims.account_id)]
    if claims.expires:
        rows.append(("token ends", _moment(claims.expires)))
    return [(name, value) for name, value in rows if value]


def _moment(epoch: float) -> str:
    try:
        moment = datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, OSError, ValueError):
        return "at no readable time"
    return f"{moment:%Y-%m-%d %H:%M} UTC{'' if moment > datetime.now(UTC) else ' (over)'}"
