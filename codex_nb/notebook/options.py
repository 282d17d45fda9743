"""The options of the magics: declared once, for parsing, help and ``ask()`` alike."""

from __future__ import annotations

import argparse
import io
import keyword
import re
import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from codex_nb.chat.ask import SUMMARIES
from codex_nb.chat.formats import FORMATS
from codex_nb.errors import InvalidOption
from codex_nb.notebook.names import first_names
from codex_nb.serve.speech_options import add_speech_options

__all__ = [
    "OptionParser",
    "add_model_options",
    "ask_parser",
    "command_parser",
    "defaults",
    "split_options",
    "transcribe_parser",
    "variable",
    "words_of",
]


class OptionParser(argparse.ArgumentParser):
    """An argument parser that raises instead of leaving the program, and knows what was meant."""

    def error(self, message: str) -> NoReturn:
        """Raise `InvalidOption`."""
        raise InvalidOption(f"{self.prog}: {message}.", hint=f"{self.prog} -h shows the options.")

    def parse_line(self, words: list[str], defaults: Mapping[str, Any] | None = None) -> argparse.Namespace:
        """Return the options in ``words``; those that are not there are as in ``defaults``, where these name them.

        Raises:
            InvalidOption: an option that is not known, with the ones close to it, or a bad value.

        """
        usual = dict(defaults or {})
        usual["no_stream"] = not usual.pop("stream", True)
        usual.pop("effort", None)  # one that the model's name brings along comes before it
        self.set_defaults(**{action.dest: usual[action.dest] for action in self._actions if usual.get(action.dest)})
        options, unknown = self.parse_known_intermixed_args(words)  # options may stand between two paths
        if not unknown:
            return options
        if not unknown[0].startswith("-"):
            raise InvalidOption(
                f"{self.prog} takes nothing more, not {' '.join(unknown)[:40]!r}.", hint=f"{self.prog} -h shows what."
            )
        close = get_close_matches(unknown[0], self.option_names, n=2)
        raise InvalidOption(
            f"{self.prog} does not know {unknown[0]!r}.",
            hint=f"Did you mean {' or '.join(close)}?" if close else f"{self.prog} -h shows the options.",
        )

    def option(self, name: str) -> argparse.Action | None:
        """Return the option of that name, such as ``--model``."""
        return next((action for action in self._actions if name in action.option_strings), None)

    @property
    def bare(self) -> str:
        """What stands without an option, by the name that the help gives it; empty where nothing does."""
        named = (str(action.metavar or action.dest) for action in self._actions if not action.option_strings)
        return next(named, "")

    def repeats(self, name: str) -> bool:
        """Whether an option may be given several times."""
        return type(self.option(name)) is argparse._AppendAction  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    @property
    def option_names(self) -> list[str]:
        """Every name of every option, in the order of the help."""
        return [name for action in self._actions for name in action.option_strings]

    @property
    def takes_value(self) -> frozenset[str]:
        """The names of the options that a value follows."""
        valued = (action for action in self._actions if action.nargs != 0)
        return frozenset(name for action in valued for name in action.option_strings)


def ask_parser(prog: str, description: str, epilog: str = "") -> OptionParser:
    """Return the parser of the options of a question."""
    parser = OptionParser(
        prog=prog,
        description=description,
        epilog=epilog,
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add_model_options(parser)
    add("--summary", choices=SUMMARIES, help="how much of its thoughts the model sums up, folded above the answer")
    add("--verbosity", choices=["low", "medium", "high"], help="how much the model says")
    add("--tier", help="a speed that the model offers, such as priority")
    add("-i", "--instructions", metavar="TEXT", help="what the model should keep to; @name takes it from a variable")
    add("-c", "--chat", metavar="NAME", help="the conversation of this notebook to continue (default: default)")
    add("-n", "--new", action="store_true", help="begin the conversation anew")
    add("--at", type=int, metavar="N", help="go on from its turn N; -1 leaves out the last one, 0 all")
    add("--turns", type=int, metavar="N", help="send the last N turns at most; 0 sends none")
    add(
        "--with",
        action="append",
        metavar="NAME,…",
        help="what the model shall know of: variables and expressions, cell:-1 (the cell before), cell:3, error (the "
        "last exception), fig (the last figure)",
    )
    add("--image", action="append", metavar="X", help="a picture: path, address or variable; may be repeated")
    add("--file", action="append", metavar="PATH", help="a file to upload; may be repeated")
    add("-t", "--tool", action="append", metavar="NAME", help="a function that the model may call; may be repeated")
    add(
        "--approve",
        choices=["ask", "once", "always", "never"],
        default="ask",
        help="when to ask you before a call: each time, once in this cell, or not at all (default: ask)",
    )
    add("--web", action="store_true", help="let the model search the web")
    add(
        "-s",
        "--schema",
        metavar="X",
        help='what the answer shall be: "[name: str, year: int, price: float?]", or a variable that is a Pydantic '
        "model, a dataclass, a JSON schema or a DataFrame; the answer is .parsed, and .df for records",
    )
    add("-f", "--format", choices=FORMATS, default="markdown", help=f"how the answer is shown: {', '.join(FORMATS)}")
    add("-o", "--out", metavar="NAME", help="the variable that gets the answer; `name <<` in front does the same")
    add("-q", "--quiet", action="store_true", help="show nothing; the answer is in _codex and --out")
    add("--no-stream", action="store_true", help="show the answer once, when it is whole")
    add("--no-interpolate", action="store_true", help="send {{…}} as it stands")
    add("--dry-run", action="store_true", help="send nothing; show what would be sent, and about how many tokens")
    add(
        "--cache",
        metavar="MODE",
        help="record: keep the answer in a file beside the notebook; replay: take it from there and send nothing; off; "
        "a file may follow: replay:answers.jsonl (default: CODEX_NB_CACHE, else off)",
    )
    add("--timeout", type=_seconds, metavar="S", help="seconds to connect and of silence; the answer may take longer")
    add("-h", "--help", action="store_true", help="show this")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


_seconds.__name__ = "number of seconds"  # what argparse calls a value that is none


def transcribe_parser(prog: str) -> OptionParser:
    """Return the parser of ``%codex_transcribe``."""
    parser = OptionParser(
        prog=prog,
        description="Make text of recordings; without one, show a recorder.",
        epilog='examples:\n  %codex_transcribe talk.m4a -l en -o talk\n  %codex_transcribe "day 1/*.wav" --save texts\n'
        "  %codex_transcribe --mic --seconds 30\n  %codex_transcribe talk.wav -r codex,local --engine my_function",
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("sources", nargs="*", metavar="PATH", help="files, patterns such as talks/*.m4a, or variables")
    add_speech_options(parser)
    add("--mic", action="store_true", help="record with the kernel's own microphone, until stopped (extra mic)")
    add("--seconds", type=_seconds, metavar="S", help="with --mic: stop by itself after so long")
    add("--device", metavar="NAME", help="with --mic: which microphone, by a part of its name")
    add("--save", metavar="DIR", help="keep each transcript there, as a text file named after its recording")
    add("-o", "--out", metavar="NAME", help="the variable that gets the result; `name <<` in front does the same")
    add("-q", "--quiet", action="store_true", help="show nothing; the result is in _transcript and --out")
    add("-h", "--help", action="store_true", help="show this")
    return parser


def add_model_options(parser: OptionParser) -> None:
    """Give a parser the options that choose the model."""
    parser.add_argument("-m", "--model", help="the model, or model/effort such as gpt-5.4/high")
    parser.add_argument("-e", "--effort", help="how hard the model thinks: low, medium, high, …")


def command_parser(prog: str, description: str) -> OptionParser:
    """Return the parser of a subcommand, with ``-h`` alone as yet."""
    parser = OptionParser(
        prog=prog,
        description=description,
        add_help=False,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this")
    return parser


def words_of(line: str) -> list[str]:
    """Return the words of ``line``, quotes undone."""
    try:
        return shlex.split(line)
    except ValueError:
        raise InvalidOption("A quote is not closed.", hint="Close it, or leave the quotes out.") from None


# Options whose value are names and expressions, whose quotes are their own.
NAMES: Final = re.compile(r"(--with|--image)(?:=|(?=\s)|$)")


def split_options(line: str, parser: OptionParser) -> tuple[list[str], str]:
    """Return the options that ``line`` begins with, as words, and the rest of it just as it was written."""
    words: list[str] = []
    rest = line.lstrip()
    while rest.startswith("-"):
        if named := NAMES.match(rest):
            value, rest = first_names(rest[named.end() :].lstrip())
            words.append(f"{named[1]}={value}")
            continue
        word, rest = _first_word(rest)
        if word == "--":
            break
        words.append(word)
        if word in parser.takes_value and rest:
            value, rest = _first_word(rest)
            words.append(value)
    return words, rest


def _first_word(text: str) -> tuple[str, str]:
    """Return the first word of ``text``, quotes undone, and the rest."""
    source = io.StringIO(text)
    reader = shlex.shlex(source, posix=True)
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        word = reader.get_token() or ""
    except ValueError:
        raise InvalidOption("A quote is not closed.", hint="Close it, or leave the quotes out.") from None
    return word, text[source.tell() :].lstrip()


def defaults(shell: Any) -> dict[str, Any]:
    """Return what ``%config CodexMagics`` says, by option; nothing where the magics are not loaded."""
    magics = shell.magics_manager.registry.get("CodexMagics") if shell is not None else None
    return {name: getattr(magics, name) for name in magics.trait_names(config=True)} if magics else {}


def variable(text: str | None) -> str | None:
    """Return ``text`` if it can be the name of a user's variable; `InvalidOption` otherwise."""
    if text is None:
        return None
    pythons_own = keyword.iskeyword(text) or (text.startswith("__") and text.endswith("__"))
    if pythons_own or not text.isidentifier():
        why = "Python uses it itself." if pythons_own else "Use letters, digits and underscores."
        raise InvalidOption(f"{text!r} cannot be a variable's name.", hint=why)
    return text
