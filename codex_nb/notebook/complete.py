"""Tab on the line of a magic: options and their values, subcommands, and names of the notebook."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from IPython.core.completer import (
    SimpleCompletion,
    context_matcher,  # pyright: ignore[reportUnknownVariableType]
)

if TYPE_CHECKING:
    from codex_nb.notebook.options import OptionParser

__all__ = ["Line", "Offer", "complete", "register", "unregister"]

IDENTIFIER: Final = "codex_nb"
# Before every other matcher, so that no file or attribute stands between the options.
PRIORITY: Final = 1_000
MAGIC: Final = re.compile(r"(?:\s*|[^%!?#]*=\s*)(?P<magic>%%codex|%codex|%codex_transcribe)\s(?P<rest>.*)", re.DOTALL)
TARGET: Final = re.compile(r"\s*[^\W\d]\w*\s*<<")


class Offer(NamedTuple):
    """One completion: the text, and what kind of thing it is."""

    text: str
    kind: str


class Line(NamedTuple):
    """What stands before the cursor: words that are whole, and the beginning of one. ``shell`` knows the notebook."""

    shell: Any
    words: list[str]
    begun: str

    def value_of(self, *names: str) -> str:
        """Return the value that an option has on this line so far."""
        found = [value for name, value in zip(self.words, self.words[1:], strict=False) if name in names]
        return found[-1] if found else ""


def complete(shell: Any, before: str) -> tuple[str, list[Offer]]:
    """Return the fragment at the end of ``before`` (a line up to the cursor) and what it may become.

    Empty where the line is no magic's, or where prose is written.
    """
    match = MAGIC.fullmatch(before)
    if not match:
        return "", []
    rest = match["rest"]
    begun = "" if not rest or rest[-1].isspace() else rest.split()[-1]
    done = TARGET.sub("", rest[: len(rest) - len(begun)], count=1)
    line = Line(shell, _words(done), begun)
    if match["magic"] == "%codex":
        return _of_command(line)
    if match["magic"] == "%%codex":
        from codex_nb.notebook.asking import cell_parser

        return _of_parser(line, cell_parser(), prose=True)
    from codex_nb.notebook.options import transcribe_parser

    return _of_parser(line, transcribe_parser("%codex_transcribe"))


def _of_command(line: Line) -> tuple[str, list[Offer]]:
    from codex_nb.notebook.asking import line_parser
    from codex_nb.notebook.commands import COMMANDS

    if not line.words:
        return line.begun, _beginning(line.begun, (Offer(name, "command") for name in (*COMMANDS, "-h")))
    name, *words = line.words
    if name not in COMMANDS:
        return "", []
    line = line._replace(words=words)
    if name == "ask":
        return _of_parser(line, line_parser(), prose=True)
    return _of_parser(line, COMMANDS[name].parser(), prose=COMMANDS[name].prose)


def _of_parser(line: Line, parser: OptionParser, *, prose: bool = False) -> tuple[str, list[Offer]]:
    """Complete an option, its value, or what stands without one. Behind the first word of ``prose`` there is none."""
    valued = parser.takes_value
    awaited = ""
    bare = 0
    for word in line.words:
        bare += not awaited and not word.startswith("-")
        awaited = word if word in valued and not awaited else ""
    if prose and bare:
        return "", []
    name, equals, value = line.begun.partition("=")
    if not awaited and equals and name in valued:
        awaited, line = name, line._replace(begun=value)
    if awaited:
        return _values(line, parser, awaited)
    if line.begun.startswith("-") or not line.begun:
        options = _options(parser, line)
        if options and (line.begun or not parser.bare):
            return line.begun, options
    return _values(line, parser, parser.bare) if parser.bare and not bare else ("", [])


def _options(parser: OptionParser, line: Line) -> list[Offer]:
    """Return the options that may still come; the short names only once a dash is typed."""
    given = {id(parser.option(word)) for word in line.words if not parser.repeats(word)}
    names = (name for name in parser.option_names if id(parser.option(name)) not in given)
    return _beginning(line.begun, (Offer(name, "option") for name in names if line.begun or name.startswith("--")))


def _values(line: Line, parser: OptionParser, name: str) -> tuple[str, list[Offer]]:
    from codex_nb.notebook.values import LISTS, VALUES

    option = parser.option(name)
    if option is not None and option.choices:
        return line.begun, _beginning(line.begun, (Offer(str(choice), "value") for choice in option.choices))
    names = option.option_strings if option is not None else [name]
    key = next((each for each in names if each in VALUES), None)
    if key is None:
        return "", []
    if key in LISTS:
        line = line._replace(begun=line.begun.rpartition(",")[2])
    return line.begun, _beginning(line.begun, VALUES[key](line))


def _beginning(begun: str, offers: Iterable[Offer]) -> list[Offer]:
    found = [offer for offer in offers if offer.text.startswith(begun)]
    return list(dict.fromkeys(found))


def _words(text: str) -> list[str]:
    """Return the whole words; none of an open quote, in which nothing is known."""
    from codex_nb.errors import InvalidOption
    from codex_nb.notebook.options import words_of

    try:
        return words_of(text)
    except InvalidOption:
        return ["", "prose"]


def register(shell: Any) -> None:
    """Let the shell's completer ask here; once, however often it is called."""
    unregister(shell)

    @context_matcher(identifier=IDENTIFIER, priority=PRIORITY)  # pyright: ignore[reportUntypedFunctionDecorator]
    def match(context: Any) -> Any:
        try:
            fragment, offers = complete(shell, context.text_until_cursor)
        except Exception:  # noqa: BLE001 - a traceback in the middle of typing helps nobody
            fragment, offers = "", []
        if not offers:
            return {"completions": []}
        completions = [SimpleCompletion(offer.text, type=offer.kind) for offer in offers]
        return {"completions": completions, "matched_fragment": fragment, "ordered": True, "suppress": True}

    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(match)


def unregister(shell: Any) -> None:
    """Let the shell's completer forget it."""
    completer = shell.Completer
    if completer is not None:
        matchers = cast("list[Callable[..., Any]]", completer.custom_matchers)
        matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", None) != IDENTIFIER]
