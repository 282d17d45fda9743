"""What ``%codex`` can do, one line each."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_nb.notebook.magics import CodexMagics

__all__ = ["run_command"]


def run_command(magics: CodexMagics, line: str) -> Any:
    """Run ``%codex NAME …`` and return what it makes.

    Raises:
        InvalidOption: there is no such command, with the ones close to it.

    """
    name, _, rest = line.strip().partition(" ")
    if name in {"", "-h", "--help"}:
        print(_help())
        return None
    if name not in COMMANDS:
        close = get_close_matches(name, COMMANDS)
        raise InvalidOption(
            f"%codex has no {name!r}.",
            hint=f"Did you mean {' or '.join(close)}?" if close else f"It has {', '.join(COMMANDS)}.",
        )
    usage, _text, command = COMMANDS[name]
    if rest.strip() in {"-h", "--help"} and name not in {"ask", "login", "logout"}:
        print(f"%codex {usage}\n\n{_text}")
        return None
    return command(magics, rest.strip())


def _help() -> str:
    width = max(len(usage) for usage, _, _ in COMMANDS.values())
    lines = (f"  %codex {usage:<{width}}  {text}" for usage, text, _ in COMMANDS.values())
    return "\n".join(["%codex does one thing at a time:", "", *lines, "", "%%codex -h is about asking in a cell."])


def _no_more(rest: str, name: str) -> None:
    if rest:
        raise InvalidOption(
            f"%codex {name} takes nothing more, not {rest[:40]!r}.", hint="%codex -h shows what there is."
        )


def _ask(magics: CodexMagics, rest: str) -> Any:
    from codex_nb.notebook.asking import ask_line

    return ask_line(magics, rest)


def _status(_magics: CodexMagics, rest: str) -> Any:
    from codex_nb.client.default import session
    from codex_nb.notebook.cards import status_card

    _no_more(rest, "status")
    return status_card(session())


def _login(magics: CodexMagics, rest: str) -> Any:
    from codex_nb.notebook.sign_in import login_line

    return login_line(magics.shell, rest)


def _logout(_magics: CodexMagics, rest: str) -> Any:
    from codex_nb.notebook.sign_in import logout_line

    return logout_line(rest)


def _use(_magics: CodexMagics, rest: str) -> Any:
    from codex_nb.client.default import use
    from codex_nb.notebook.cards import status_card

    if not rest:
        raise InvalidOption(
            "%codex use needs a backend.", hint="chatgpt, local, or an address such as http://127.0.0.1:8080/v1."
        )
    return status_card(use(rest))


def _models(_magics: CodexMagics, rest: str) -> Any:
    from codex_nb import frames

    _no_more(rest, "models")
    return frames.models()


def _usage(_magics: CodexMagics, rest: str) -> Any:
    from codex_nb import frames

    _no_more(rest, "usage")
    return frames.usage()


def _chats(magics: CodexMagics, rest: str) -> Any:
    from codex_nb.notebook.chats import conversations
    from codex_nb.notebook.chats_table import chats_table

    _no_more(rest, "chats")
    return chats_table(conversations(magics.shell).chats)


def _last(magics: CodexMagics, rest: str) -> Any:
    from codex_nb.notebook.asking import LAST

    _no_more(rest, "last")
    shell: Any = magics.shell
    if LAST not in shell.user_ns:
        raise InvalidOption("Nothing was asked yet in this kernel.", hint="Ask with %%codex.")
    return shell.user_ns[LAST]


# name -> how it is written, what it does, what does it
COMMANDS: Final[dict[str, tuple[str, str, Callable[[CodexMagics, str], Any]]]] = {
    "ask": ("ask PROMPT", "Ask in one line; options come first, as in %%codex.", _ask),
    "login": ("login", "Sign in to ChatGPT: in a browser, or with --device by a code; -h shows more.", _login),
    "logout": ("logout", "Remove the login from this machine; --revoke ends it at the service as well.", _logout),
    "status": ("status", "Where requests go, and as whom.", _status),
    "use": ("use BACKEND", "Go on with another backend: chatgpt, local, or an address.", _use),
    "models": ("models", "The models of this account, as a DataFrame.", _models),
    "usage": ("usage", "The quota, one row a window, as a DataFrame.", _usage),
    "chats": ("chats", "What was asked in this notebook, one row a turn, as a DataFrame.", _chats),
    "last": ("last", "The last answer, also when it was stopped or broke off.", _last),
}
