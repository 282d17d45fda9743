"""What ``%codex`` can do, one line each."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from codex_nb.errors import InvalidOption
from codex_nb.notebook.options import OptionParser, add_model_options, command_parser, split_options, words_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from codex_nb.notebook.magics import CodexMagics

__all__ = ["COMMANDS", "Command", "run_command"]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that ``%codex`` does: how it is written, what it does, its options, and what does it.

    ``run`` gets the options, read; what follows them, as it was written, is their ``text`` where the command takes
    ``prose``. That of a command that is ``free`` gets its whole line, and the names where it stands.
    """

    usage: str
    text: str
    run: Callable[..., Any]
    add_options: Callable[[OptionParser], None] | None = None
    prose: bool = False
    free: bool = False

    def parser(self) -> OptionParser:
        """Return the parser of its line."""
        parser = command_parser(f"%codex {self.usage.partition(' ')[0]}", self.text)
        if self.add_options:
            self.add_options(parser)
        return parser


def run_command(magics: CodexMagics, line: str, own: Mapping[str, Any]) -> Any:
    """Run ``%codex NAME …`` and return what it makes.

    Raises:
        InvalidOption: there is no such command, or it has no such option, with the ones close to it.

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
    command = COMMANDS[name]
    if command.free:
        return command.run(magics, rest.strip(), own)
    parser = command.parser()
    words, text = split_options(rest, parser) if command.prose else (words_of(rest), "")
    options = parser.parse_line(words)
    options.text = text.strip()
    if options.help:
        print(parser.format_help().rstrip())
        return None
    return command.run(magics, options)


def _help() -> str:
    width = max(len(command.usage) for command in COMMANDS.values())
    lines = (f"  %codex {command.usage:<{width}}  {command.text}" for command in COMMANDS.values())
    more = "%codex NAME -h shows the options of one, and %%codex -h is about asking in a cell."
    return "\n".join(["%codex does one thing at a time:", "", *lines, "", more])


def _ask(magics: CodexMagics, line: str, own: Mapping[str, Any]) -> Any:
    from codex_nb.notebook.asking import ask_line

    return ask_line(magics, line, own)


def _status(_magics: CodexMagics, _options: argparse.Namespace) -> Any:
    from codex_nb.client.default import session
    from codex_nb.notebook.cards import status_card

    return status_card(session())


def _login(magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb.notebook.sign_in import login_line

    return login_line(magics.shell, options)


def _login_options(parser: OptionParser) -> None:
    from codex_nb.notebook.sign_in import add_login_options

    add_login_options(parser)


def _logout(_magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb.notebook.sign_in import logout_line

    return logout_line(options)


def _logout_options(parser: OptionParser) -> None:
    from codex_nb.notebook.sign_in import add_logout_options

    add_logout_options(parser)


def _use(_magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb.client.default import use
    from codex_nb.notebook.cards import status_card

    if not options.backend:
        raise InvalidOption(
            "%codex use needs a backend.", hint="chatgpt, local, or an address such as http://127.0.0.1:8080/v1."
        )
    return status_card(use(options.backend))


def _use_options(parser: OptionParser) -> None:
    parser.add_argument("backend", nargs="?", metavar="BACKEND", help="chatgpt, local, or an address")


def _models(_magics: CodexMagics, _options: argparse.Namespace) -> Any:
    from codex_nb import frames

    return frames.models()


def _usage(_magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb import frames

    return frames.forecast().codex.plot() if options.plot else frames.usage()


def _usage_options(parser: OptionParser) -> None:
    parser.add_argument("--plot", action="store_true", help="draw what was used, and when it will run out, instead")


def _chats(magics: CodexMagics, _options: argparse.Namespace) -> Any:
    from codex_nb.notebook.chats import conversations
    from codex_nb.notebook.chats_table import chats_table

    return chats_table(conversations(magics.shell).chats)


def _calls(_magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb import frames

    return frames.calls(limit=options.limit)


def _tasks(_magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb import frames

    found = frames.tasks(limit=options.limit)
    return found.codex.plot() if options.plot else found


def _tasks_options(parser: OptionParser) -> None:
    _limit_option(parser)
    parser.add_argument("--plot", action="store_true", help="draw when each began, how long it took and how it ended")


def _limit_option(parser: OptionParser) -> None:
    parser.add_argument("-n", "--limit", type=int, metavar="N", default=20, help="the latest N at most (default: 20)")


def _retry(magics: CodexMagics, options: argparse.Namespace) -> None:
    from codex_nb.notebook.exchange import retry

    retry(magics.shell, model=options.model, effort=options.effort, out=options.out)


def _retry_options(parser: OptionParser) -> None:
    add_model_options(parser)
    parser.add_argument("-o", "--out", metavar="NAME", help="the variable that gets the answer")


def _doctor(_magics: CodexMagics, _options: argparse.Namespace) -> Any:
    from codex_nb.notebook.doctor import doctor

    return doctor()


def _compact(magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb.chat.chat import DEFAULT_CHAT
    from codex_nb.notebook.compacting import compact_command

    return compact_command(magics.shell, options.chat or magics.chat or DEFAULT_CHAT)


def _compact_options(parser: OptionParser) -> None:
    parser.add_argument("chat", nargs="?", metavar="CHAT", help="the conversation (default: default)")


def _fix(magics: CodexMagics, options: argparse.Namespace) -> Any:
    from codex_nb.notebook.fix import fix

    return fix(magics, options)


def _fix_options(parser: OptionParser) -> None:
    from codex_nb.notebook.fix import add_fix_options

    add_fix_options(parser)


def _last(magics: CodexMagics, _options: argparse.Namespace) -> Any:
    from codex_nb.notebook.exchange import LAST

    shell: Any = magics.shell
    if LAST not in shell.user_ns:
        raise InvalidOption("Nothing was asked yet in this kernel.", hint="Ask with %%codex.")
    return shell.user_ns[LAST]


COMMANDS: Final[dict[str, Command]] = {
    "ask": Command("ask PROMPT", "Ask in one line; options come first, as in %%codex.", _ask, free=True),
    "login": Command("login", "Sign in to ChatGPT: in a browser, or with --device by a code.", _login, _login_options),
    "logout": Command("logout", "Remove the login from this machine.", _logout, _logout_options),
    "status": Command("status", "Where requests go, and as whom.", _status),
    "use": Command("use BACKEND", "Go on with another backend: chatgpt, local, or an address.", _use, _use_options),
    "models": Command("models", "The models of this account, as a DataFrame.", _models),
    "usage": Command("usage", "The quota, one row a window, as a DataFrame.", _usage, _usage_options),
    "chats": Command("chats", "What was asked in this notebook, one row a turn, as a DataFrame.", _chats),
    "last": Command("last", "The last answer, also when it was stopped or broke off.", _last),
    "retry": Command(
        "retry", "Ask the last question again; its answer takes the place of the earlier one.", _retry, _retry_options
    ),
    "calls": Command("calls", "What each call used: tokens, time, outcome, as a DataFrame.", _calls, _limit_option),
    "tasks": Command("tasks", "The tasks in the cloud, latest first, as a DataFrame.", _tasks, _tasks_options),
    "doctor": Command("doctor", "What works here and what does not, and what to do about it.", _doctor),
    "compact": Command("compact [CHAT]", "Make a conversation short: its sense stays.", _compact, _compact_options),
    "fix": Command(
        "fix [HINT]", "Propose a patch of the last cell that failed, as a diff.", _fix, _fix_options, prose=True
    ),
}
