"""``codex-nb``: the command line. Each command is one function that returns the exit status."""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING

from codex_nb.errors import CodexError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Errors are two lines on standard error, never a traceback."""
    _prepare_streams()
    try:
        return _run(arguments)
    except CodexError as error:
        return _failed(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        _give_up_output()
        # Who closed a pipe has read enough.
        return FAILED if isinstance(error, BrokenPipeError) else _failed(_unusable(error))


def _prepare_streams() -> None:
    """Let the standard streams take any text, and put empty ones in the place of those that are closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - it outlives this
        elif isinstance(stream, io.TextIOWrapper) and name != "stderr":
            # An answer with a few question marks is better than one that is paid for and lost.
            stream.reconfigure(errors="replace")


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = _parsed(arguments)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    finally:
        sys.stdout.flush()


def _failed(error: CodexError) -> int:
    print(f"codex-nb: {error.message}", *([f"  {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
    return FAILED


def _give_up_output() -> None:
    """Let what is left for standard output go nowhere: Python would try, and fail, once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _unusable(error: OSError) -> CodexError:
    why = error.strerror or type(error).__name__
    if error.filename:
        return CodexError(f"{error.filename} cannot be used ({why}).", hint="Check the path, and who may use it.")
    return CodexError(f"The output cannot be written ({why}).", hint="Send it to another place.")


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; a path may stand behind an option too, which subcommands do not take by themselves."""
    parser = _parser()
    options, left = parser.parse_known_args(arguments)
    behind: list[str] | None = getattr(options, "audio", None)
    if left and (behind is None or any(word.startswith("-") and word != "-" for word in left)):
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    if behind is not None:
        behind += left
    return options


def _parser() -> argparse.ArgumentParser:
    from codex_nb._version import __version__
    from codex_nb.local import command as local
    from codex_nb.notebook import record_command as record
    from codex_nb.serve import command as serve
    from codex_nb.serve import transcribe

    parser = argparse.ArgumentParser(prog="codex-nb", description="Codex for notebooks, from the command line.")
    parser.add_argument("--version", action="version", version=f"codex-nb {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=run)
        return sub

    ask = add("ask", _ask, "Ask the model; the answer streams to the terminal.")
    ask.add_argument("prompt", nargs="*", help="the prompt; without it, or with -, it is read from standard input")
    ask.add_argument("-m", "--model", help="the model, or model/effort")
    ask.add_argument("-e", "--effort", help="how hard the model thinks")
    ask.add_argument("-i", "--instructions", metavar="TEXT", help="what the model should keep to")
    _add_backend(ask)

    login = add("login", _login, "Sign in to ChatGPT; the Codex CLI uses the same login.")
    login.add_argument("--device", action="store_true", help="show a code to type on any device")
    login.add_argument("--no-browser", action="store_true", help="show the address, and open no browser")
    _add_backend(login)

    logout = add("logout", _logout, "Remove the login from this machine.")
    logout.add_argument("--revoke", action="store_true", help="end it at the service as well")
    _add_backend(logout)

    _add_backend(add("doctor", _doctor, "Show what works here and what does not, and what to do about it."))
    _add_backend(add("status", _status, "Show where requests go, and as whom."))

    transcribe.add_arguments(add("transcribe", transcribe.run, "Make text of recordings."))
    record.add_arguments(add("record", record.run, "Record speech on a page of this machine, and make text of it."))
    serve.add_arguments(add("serve", serve.run, "Serve speech recognition to other programs, as Whisper's API does."))

    local.add_arguments(add("local", local.run, "Run the embedded backend: the Codex wire on loopback."))

    demo = add("demo", _demo, "Run the tour notebook on the embedded backend with a real small model, and open it.")
    demo.add_argument("--no-browser", action="store_true", help="do not open JupyterLab")
    demo.add_argument("--folder", metavar="DIR", default="codex-nb-demo", help="where the results go (%(default)s)")
    return parser


def _add_backend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-b", "--backend", help="chatgpt, local, or an address (default: CODEX_NB_BACKEND, then chatgpt)"
    )


def _ask(options: argparse.Namespace) -> int:
    from codex_nb.chat.ask import Ask
    from codex_nb.client.session import Session
    from codex_nb.notebook.live import Printed
    from codex_nb.notebook.run import run

    words: list[str] = options.prompt
    prompt = sys.stdin.read() if words in ([], ["-"]) else " ".join(words)
    question = Ask.of(prompt, model=options.model, effort=options.effort, instructions=options.instructions)
    with Session(options.backend) as session:
        run(question, session, lambda _model: Printed(sys.stderr), stream=True, keep=lambda answer: answer)
    return 0


def _login(options: argparse.Namespace) -> int:
    from codex_nb.auth.prompt import Terminal
    from codex_nb.client.session import Session
    from codex_nb.notebook.cards import signed_in_card

    method = "device" if options.device else "browser"
    with Session(options.backend) as session:
        found = session.login(method, browser=not options.no_browser, prompt=Terminal())
    print(f"\n{signed_in_card(found)}")
    return 0


def _logout(options: argparse.Namespace) -> int:
    from codex_nb.client.session import Session
    from codex_nb.notebook.cards import signed_out

    with Session(options.backend) as session:
        print(signed_out(session, revoke=options.revoke))
    return 0


def _status(options: argparse.Namespace) -> int:
    from codex_nb.client.session import Session
    from codex_nb.notebook.cards import status_card

    with Session(options.backend) as session:
        print(status_card(session))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from codex_nb.client.default import use
    from codex_nb.notebook.doctor import doctor

    if options.backend:
        use(options.backend)
    report = doctor()
    print(report)
    return FAILED if report.problems else 0


def _demo(options: argparse.Namespace) -> int:
    from codex_nb.demo import demo

    return demo(options.folder, browser=not options.no_browser)


if __name__ == "__main__":
    sys.exit(main())
