"""``%codex login`` and ``%codex logout``: a sign-in shown in the cell."""

from __future__ import annotations

import html
import os
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from codex_nb.auth.prompt import Terminal, ask_once
from codex_nb.client.default import session
from codex_nb.notebook.cards import Card, signed_in_card, signed_out
from codex_nb.notebook.output import NOTHING, publish

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from codex_nb.notebook.options import OptionParser
    from codex_nb.types.sign_in import SignedIn

__all__ = ["InCell", "add_login_options", "add_logout_options", "is_remote", "login_line", "logout_line"]

# What tells that the browser runs on another machine than the kernel.
REMOTE: Final = ("JUPYTERHUB_USER", "SSH_CONNECTION", "COLAB_RELEASE_TAG", "KUBERNETES_SERVICE_HOST", "CODESPACES")
STYLE: Final = "line-height: 1.6; max-width: 44em"


def login_line(shell: Any, options: argparse.Namespace) -> Card:
    """Sign in as ``%codex login`` says; return who it is."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return signed_in_card(_login(options, Terminal(), paste=ask_once() if options.paste else None))
    takes_input = bool(getattr(kernel, "_allow_stdin", False))
    paste = ask_once() if takes_input and (options.paste or is_remote()) else None
    with InCell() as cell:
        return signed_in_card(_login(options, cell, paste=paste))


def logout_line(options: argparse.Namespace) -> Card:
    """Sign out as ``%codex logout`` says; return what came of it."""
    return Card(signed_out(session(), revoke=options.revoke), [])


def is_remote() -> bool:
    """Whether the browser is probably not on the machine of this program."""
    return any(os.environ.get(name) for name in REMOTE)


def _login(options: Any, prompt: Any, *, paste: Callable[[], str | None] | None) -> SignedIn:
    method = "device" if options.device else "browser"
    show_browser = not (options.no_browser or is_remote())
    return session().login(method, browser=show_browser, paste=paste or False, prompt=prompt)


def add_login_options(parser: OptionParser) -> None:
    """Give ``%codex login`` its options."""
    parser.add_argument("--device", action="store_true", help="show a code to type on any device")
    parser.add_argument("--no-browser", action="store_true", help="show the address, and open no browser")
    parser.add_argument("--paste", action="store_true", help="ask for the address that the browser ends at")


def add_logout_options(parser: OptionParser) -> None:
    """Give ``%codex logout`` its option."""
    parser.add_argument("--revoke", action="store_true", help="end it at the service as well")


class InCell:
    """A sign-in in one output of the cell: the link, or the code with the time that is left. Empty once it is over."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._show(NOTHING)

    def link(self, url: str, *, opened: bool) -> None:
        """Show the address."""
        first = "Your browser opens the sign-in page. If it does not, open it here:" if opened else "Sign in here:"
        remote = (
            "If the browser ends at a page that cannot be reached, stop this cell and run "
            "%codex login --paste or %codex login --device."
        )
        page = (
            f'<div style="{STYLE}">{first} <a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">'
            f"the sign-in page</a><br><small>{remote}</small></div>"
        )
        self._show({"text/html": page, "text/plain": f"{first}\n\n  {url}\n\n{remote}"})

    def code(self, code: str, url: str, seconds: float) -> None:
        """Show the code and the time that is left."""
        left = max(0, round(seconds))
        left_text = f"{left // 60}:{left % 60:02d}"
        link = f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">{html.escape(url)}</a>'
        page = (
            f'<div style="{STYLE}">Open {link} and type this code:'
            f'<div style="font: 1.6em monospace; letter-spacing: .08em; margin: .3em 0">{html.escape(code)}</div>'
            f"<small>It is good for {left_text} more. Never give it to anybody.</small></div>"
        )
        self._show({"text/html": page, "text/plain": f"Open {url} and type {code} ({left_text} left)"})

    def pasted(self) -> str | None:
        """Return nothing: a cell that runs takes no input but by its own prompt."""
        return None

    def _show(self, data: dict[str, str]) -> None:
        show = partial(publish, data, transient={"display_id": self._id})
        show(update=self._shown)
        self._shown = True
