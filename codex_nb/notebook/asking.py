"""``%%codex`` and its twin in Python, `ask`."""

from __future__ import annotations

import os
import re
import sys
import warnings
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from codex_nb.chat.answer import Answer
from codex_nb.chat.ask import Ask
from codex_nb.chat.fences import joined
from codex_nb.chat.views import view_of
from codex_nb.client.default import session as shared_session
from codex_nb.client.tape import taped
from codex_nb.errors import CodexError, ContextWindowExceeded, InvalidOption
from codex_nb.notebook.chats import conversations, notebook_of
from codex_nb.notebook.context import Namespace
from codex_nb.notebook.live import Live, Painter, Printed, Silent, publish
from codex_nb.notebook.options import OptionParser, ask_parser, split_options
from codex_nb.notebook.prompt import evaluator, expand, split_target
from codex_nb.notebook.run import run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from codex_nb.chat.dry_run import DryRun
    from codex_nb.chat.schema import OutputSchema
    from codex_nb.chat.views import View
    from codex_nb.client.tape import Tape
    from codex_nb.notebook.magics import CodexMagics
    from codex_nb.tools.toolbox import Toolbox

__all__ = ["LAST", "ask", "ask_cell", "ask_line", "cell_parser", "defaults", "line_parser", "painter_for", "retry"]

LAST = "_codex"

EXAMPLES = """\
examples:
  %%codex -m gpt-5.4/high --out plan
  Which of {{list(sales.columns)}} would you plot first?

  %%codex idea << -q
  Name this project.
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The last question of a shell, without its history, and how its answer was shown."""

    question: Ask
    place: Any
    out: str | None
    cache: str | None
    quiet: bool
    stream: bool


_asked: WeakKeyDictionary[Any, _Asked] = WeakKeyDictionary()


def cell_parser() -> OptionParser:
    """Return the parser of ``%%codex``."""
    return ask_parser(
        "%%codex",
        "Ask the model; the answer streams into the cell.\n"
        "The cell's text is sent as it stands; {{expression}} puts a value in.",
        EXAMPLES,
    )


def line_parser() -> OptionParser:
    """Return the parser of ``%codex ask``."""
    return ask_parser("%codex ask", "Ask the model in one line: options, then the prompt.")


def ask_cell(magics: CodexMagics, line: str, cell: str) -> DryRun | None:
    """Run one ``%%codex`` cell. What it returns is shown by IPython: an answer is shown already, a dry run is not."""
    parser = cell_parser()
    target, line = split_target(line)
    words, rest = split_options(line, parser)
    options = parser.parse_line(words, defaults(magics.shell))
    if options.help:
        print(parser.format_help())
        return None
    if rest:
        raise InvalidOption(
            f"%%codex does not expect {rest[:40]!r} on its line.",
            hint="The prompt goes below it; options begin with -.",
        )
    return _ask_with(magics, options, cell, target)


def ask_line(magics: CodexMagics, line: str) -> DryRun | None:
    """Run ``%codex ask``: options first, the rest of the line is the prompt."""
    parser = line_parser()
    target, line = split_target(line)
    words, prompt = split_options(line, parser)
    options = parser.parse_line(words, defaults(magics.shell))
    if options.help:
        print(parser.format_help())
        return None
    return _ask_with(magics, options, prompt, target)


def _ask_with(magics: CodexMagics, options: argparse.Namespace, prompt: str, target: str | None) -> DryRun | None:
    shell: Any = magics.shell
    evaluate = evaluator(shell.user_ns)
    functions: list[str] = options.tool or []
    found = _perform(
        Ask.of(
            prompt if options.no_interpolate else expand(prompt, evaluate),
            model=options.model,
            effort=options.effort,
            usual_effort=magics.effort,
            instructions=_instructions(options.instructions, evaluate),
            summary=options.summary,
            timeout=options.timeout,
            format=options.format,
            verbosity=options.verbosity,
            tier=options.tier,
            web=options.web,
            schema=_schema(options.schema, evaluate),
            tools=_toolbox([evaluate(name) for name in functions], options.approve, shell),
            **_context(Namespace(shell), vars(options)["with"], options.image, options.file, magics.context_tokens),
        ),
        shell,
        out=_name(options.out or target),
        quiet=options.quiet,
        stream=not options.no_stream,
        chat={"chat": options.chat or None, "new": options.new, "at": options.at, "turns": options.turns},
        dry=options.dry_run,
        cache=options.cache,
    )
    return None if isinstance(found, Answer) or options.quiet else found


def ask(  # noqa: PLR0913 - the options of the magic
    prompt: str,
    *,
    model: str | None = None,
    effort: str | None = None,
    instructions: str | None = None,
    summary: str | None = None,
    verbosity: str | None = None,
    tier: str | None = None,
    web: bool = False,
    schema: Any = None,
    format: str | None = None,  # noqa: A002 - the option's name
    with_: Any = None,
    image: Any = None,
    file: Any = None,
    tools: Iterable[Any] = (),
    approve: str | None = None,
    chat: str | None = None,
    new: bool = False,
    at: int | None = None,
    turns: int | None = None,
    out: str | None = None,
    quiet: bool = False,
    stream: bool | None = None,
    timeout: float | None = None,
    dry_run: bool = False,
    cache: str | None = None,
) -> Answer:
    """Ask the model and return its answer: ``%%codex`` from Python, with the same options and the same defaults.

    In a notebook or in IPython the answer streams as it does under the magic, unless ``quiet``, and the conversation
    goes on; elsewhere nothing is shown, and each question stands alone. The prompt is sent as it stands. With
    ``dry_run`` nothing is sent, and a `DryRun` comes back instead of an answer.

    ``with_`` takes objects, a dict of objects by name, or names as ``--with`` does. ``image`` and ``file`` take one or
    a list: a path, an address, or for images also bytes, a PIL image, a matplotlib or altair figure, or an array.

    Raises:
        CodexError: what went wrong; text that had come is in ``_codex`` (in IPython) and in the error's ``partial``.
        Stopped: the user interrupted.

    """
    from IPython.core.getipython import get_ipython

    if schema is not None:
        from codex_nb.chat.schema import output_schema

        schema = output_schema(schema)
    shell = get_ipython()
    usual = defaults(shell)
    question = Ask.of(
        prompt,
        model=model or usual.get("model"),
        effort=effort,
        usual_effort=usual.get("effort"),
        instructions=instructions,
        summary=summary or usual.get("summary") or None,
        timeout=timeout or usual.get("timeout") or None,
        format=format or usual.get("format", "markdown"),
        verbosity=verbosity or usual.get("verbosity"),
        tier=tier or usual.get("tier"),
        web=web,
        schema=schema,
        tools=_toolbox(list(tools), approve or usual.get("approve", "ask"), shell),
        **_context(
            Namespace(shell),
            with_,
            image,
            file,
            usual.get("context_tokens"),
        ),
    )
    found: Any = _perform(
        question,
        shell,
        out=_name(out),
        quiet=quiet,
        stream=usual.get("stream", True) if stream is None else stream,
        chat={"chat": chat or usual.get("chat"), "new": new, "at": at, "turns": turns},
        dry=dry_run,
        cache=cache or usual.get("cache") or None,
    )
    return found


def _perform(
    question: Ask,
    shell: Any,
    *,
    out: str | None,
    quiet: bool,
    stream: bool,
    chat: dict[str, Any],
    dry: bool,
    cache: str | None,
) -> Answer | DryRun:
    record: Callable[[Answer], Answer] = lambda answer: answer  # noqa: E731 - outside of IPython nothing goes on
    if shell is not None:
        here, plain = conversations(shell), question
        question, record = here.join(question, **chat)
        if not dry:
            _asked[shell] = _Asked(plain, here.latest, out, cache, quiet=quiet, stream=stream)
    if dry:
        return _dry(question, shell, out)
    return _show(question, shell, record, out=out, quiet=quiet, stream=stream, cache=cache)


def retry(shell: Any, **changes: Any) -> None:
    """Ask the last question again, with ``changes`` of its options; its answer takes the place of the earlier one.

    Raises:
        InvalidOption: nothing was asked yet in this kernel.

    """
    last = _asked.get(shell)
    if last is None:
        raise InvalidOption("Nothing was asked yet in this kernel.", hint="Ask with %%codex.")
    out = changes.pop("out", None) or last.out
    options = _fields(last.question) | {name: value for name, value in changes.items() if value}
    if changes.get("model") and not changes.get("effort"):  # one that the new model's name brings along comes first
        options["usual_effort"] = options.pop("effort")
    question = Ask.of(**options)
    _asked[shell] = replace(last, question=question, out=out)
    question, record = conversations(shell).join_at(last.place, question)
    _show(question, shell, record, out=_name(out), quiet=last.quiet, stream=last.stream, cache=last.cache)


def _fields(question: Ask) -> dict[str, Any]:
    return {each.name: getattr(question, each.name) for each in fields(question)}


def _show(
    question: Ask,
    shell: Any,
    record: Callable[[Answer], Answer],
    *,
    out: str | None,
    quiet: bool,
    stream: bool,
    cache: str | None,
) -> Answer:
    def keep(answer: Answer) -> Answer:
        answer = record(answer)
        if shell is not None:
            shell.user_ns[LAST] = answer
            if out:
                shell.user_ns[out] = answer
        return answer

    shows = shell is not None and not quiet
    view = view_of(question.format, question.schema)
    thoughts = question.summary not in {None, "none"}
    paint: Callable[[str], Painter] = painter_for(shell, view, thoughts=thoughts) if shows else lambda _model: Silent()
    detail = defaults(shell).get("receipt", "short")
    with taped(_tape(question, shell, cache)):
        answer = _fitting(
            question,
            shell,
            cache,
            lambda fitted: run(fitted, shared_session(), paint, stream=stream, keep=keep, detail=detail),
        )
    if shell is not None and not quiet:
        _show_once(shell, answer)
    if shell is not None and question.format == "code" and answer.status == "completed":
        _offer(shell, answer.text)
    return answer


def _fitting(question: Ask, shell: Any, cache: str | None, perform: Callable[[Ask], Answer]) -> Answer:
    """Ask with a history that fits the model: made short before, where the limit nears, and once more if it was hit.

    Where the service cannot make it short, the question goes as it is.
    """
    last = _asked.get(shell) if shell is not None else None
    if last is None or not question.turns_sent or last.place.turns is not None or _tape(question, shell, cache):
        return perform(question)
    here = conversations(shell)

    def shorter() -> Ask:
        here.compact(last.place, question, shared_session())
        return here.join_at(last.place, question)[0]

    from codex_nb.notebook.compacting import near_limit

    if near_limit(question, last.place.after, shared_session()):
        try:
            question = shorter()
        except CodexError as error:
            warnings.warn(f"The conversation could not be made short: {error.message}", stacklevel=2)
    try:
        return perform(question)
    except ContextWindowExceeded as error:
        if last.place.compacted:
            raise
        try:
            question = shorter()
        except CodexError:
            raise error from None
    return perform(question)


def _tape(question: Ask, shell: Any, option: str | None) -> Tape | None:
    from codex_nb.chat.cache import cache_of

    notebook = notebook_of(shell) if shell is not None else None
    cache = cache_of(option, os.environ.get("CODEX_NB_CACHE"), notebook)
    return cache.of_cell(question.cell) if cache else None


def _dry(question: Ask, shell: Any, out: str | None) -> DryRun:
    from codex_nb.chat.dry_run import dry_run

    found = dry_run(question, shared_session())
    if shell is not None and out:
        shell.user_ns[out] = found
    return found


def defaults(shell: Any) -> dict[str, Any]:
    """Return what ``%config CodexMagics`` says, by option; nothing where the magics are not loaded."""
    magics = shell.magics_manager.registry.get("CodexMagics") if shell is not None else None
    return {name: getattr(magics, name) for name in magics.trait_names(config=True)} if magics else {}


def painter_for(shell: Any, view: View, *, thoughts: bool = False) -> Callable[[str], Painter]:
    """Return what makes the painter for this front end; ``view`` makes of the text what is shown of it."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return lambda _model: Printed()
    # A front end that takes no input has nobody to press a button: nbclient, nbconvert, papermill.
    return partial(Live, view=view, thoughts=thoughts, stop_button=bool(getattr(kernel, "_allow_stdin", False)))


# Languages whose code a cell takes, and what must stand above it.
CELLS = {"python": "", "": "", "bash": "%%bash\n"}


def _offer(shell: Any, text: str) -> None:
    """Put the answer's code into the next cell, where the front end does that, or on the next line of a terminal."""
    language, code = joined(text)
    if code and language in CELLS:
        shell.set_next_input(CELLS[language] + code)


def _show_once(shell: Any, answer: Answer) -> None:
    """Keep ``ask(…)`` on a cell's last line from showing its answer a second time."""
    printers: dict[type, Any] = shell.display_formatter.ipython_display_formatter.type_printers
    painted: list[Answer] = getattr(printers.get(Answer), "painted", [])
    painted.append(answer)
    if len(painted) > 1:
        return

    def show(other: Answer) -> None:
        if not any(other is one for one in painted):
            publish(*other._repr_mimebundle_())  # pyright: ignore[reportPrivateUsage]

    def forget(_result: Any) -> None:
        printers.pop(Answer, None)
        shell.events.unregister("post_run_cell", forget)

    vars(show)["painted"] = painted
    printers[Answer] = show
    shell.events.register("post_run_cell", forget)


def _instructions(text: str | None, evaluate: Callable[[str], Any]) -> str | None:
    return str(evaluate(text[1:])) if text and text.startswith("@") else text


# What begins like this, or holds one of these marks, is the little language; anything else is an expression.
SCHEMA_MARKS = re.compile(r"^\s*[\[{]|[:|]")


def _schema(text: str | None, evaluate: Callable[[str], Any]) -> OutputSchema | None:
    if not text:
        return None
    from codex_nb.chat.schema import WORDS, output_schema

    return output_schema(text if SCHEMA_MARKS.search(text) or text in WORDS else evaluate(text))


def _context(namespace: Namespace, objects: Any, images: Any, files: Any, tokens: int | None) -> dict[str, Any]:
    """Return what `Ask` is given of objects, images and files."""
    if objects is None and images is None and files is None:
        return {}
    from codex_nb.chat.context import BUDGET, context_parts

    parts = context_parts(namespace.objects(objects), namespace.images(images), tokens or BUDGET)
    return {"context": tuple(parts), "files": tuple(namespace.files(files))}


def _toolbox(functions: list[Any], approve: str, shell: Any) -> Toolbox | None:
    from codex_nb.tools.approve import Approval
    from codex_nb.tools.toolbox import Toolbox

    way = Toolbox.checked_way(approve)
    return Toolbox(functions, Approval(way, _prompt(shell))) if functions else None


def _prompt(shell: Any) -> Callable[[str], str] | None:
    """Return what asks the user, None where nobody can answer. Works in a cell that runs, where widgets do not."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return input if getattr(kernel, "_allow_stdin", False) else None
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    return lambda question: input(f"\n{question}")  # words of the model may stand on this line already


def _name(text: str | None) -> str | None:
    if text is not None and not text.isidentifier():
        raise InvalidOption(f"{text!r} cannot be a variable's name.", hint="Use letters, digits and underscores.")
    return text
