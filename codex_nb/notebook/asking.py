"""``%%codex`` and its twin in Python, `ask`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from codex_nb.chat.answer import Answer
from codex_nb.chat.ask import Ask
from codex_nb.chat.expand import evaluator, expand, inserted
from codex_nb.errors import InvalidOption
from codex_nb.notebook.context import Namespace
from codex_nb.notebook.exchange import perform
from codex_nb.notebook.front import prompt_of
from codex_nb.notebook.options import OptionParser, ask_parser, defaults, split_options, variable
from codex_nb.notebook.prompt import split_target

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from codex_nb.chat.dry_run import DryRun
    from codex_nb.chat.schema import OutputSchema
    from codex_nb.notebook.magics import CodexMagics
    from codex_nb.tools.toolbox import Toolbox

__all__ = ["ask", "ask_cell", "ask_line", "cell_parser", "line_parser"]

EXAMPLES = """\
examples:
  %%codex -m gpt-5.4/high --out plan
  Which of {{list(sales.columns)}} would you plot first?

  %%codex idea << -q
  Name this project.
"""


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
    return _ask_with(magics, options, cell, target, {})


def ask_line(magics: CodexMagics, line: str, own: Mapping[str, Any]) -> DryRun | None:
    """Run ``%codex ask``: options first, the rest of the line is the prompt. ``own`` are the names where it stands."""
    parser = line_parser()
    target, line = split_target(line)
    words, prompt = split_options(line, parser)
    options = parser.parse_line(words, defaults(magics.shell))
    if options.help:
        print(parser.format_help())
        return None
    return _ask_with(magics, options, prompt, target, own)


def _ask_with(
    magics: CodexMagics, options: argparse.Namespace, prompt: str, target: str | None, own: Mapping[str, Any]
) -> DryRun | None:
    shell: Any = magics.shell
    namespace = Namespace(shell, own)
    names = namespace.names
    functions: list[str] = options.tool or []
    found = perform(
        Ask.of(
            prompt if options.no_interpolate else expand(prompt, evaluator(names)),
            model=options.model,
            effort=options.effort,
            usual_effort=magics.effort,
            instructions=_instructions(options.instructions, names),
            summary=options.summary,
            timeout=options.timeout,
            format=options.format,
            verbosity=options.verbosity,
            tier=options.tier,
            web=options.web,
            schema=_schema(options.schema, names),
            tools=_toolbox([*map(evaluator(names, "-t {}"), functions)], options.approve, shell),
            **_context(namespace, vars(options)["with"], options.image, options.file, magics.context_tokens),
        ),
        shell,
        out=variable(options.out or target),
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
        timeout=(usual.get("timeout") or None) if timeout is None else timeout,
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
    found: Any = perform(
        question,
        shell,
        out=variable(out),
        quiet=quiet,
        stream=usual.get("stream", True) if stream is None else stream,
        chat={"chat": chat or usual.get("chat"), "new": new, "at": at, "turns": turns},
        dry=dry_run,
        cache=cache or usual.get("cache") or None,
    )
    return found


def _instructions(text: str | None, names: Mapping[str, Any]) -> str | None:
    return inserted(evaluator(names, "-i @{}")(text[1:])) if text and text.startswith("@") else text


# What begins like this, or holds one of these marks, is the little language; anything else is an expression.
SCHEMA_MARKS = re.compile(r"^\s*[\[{]|[:|]")


def _schema(text: str | None, names: Mapping[str, Any]) -> OutputSchema | None:
    if not text:
        return None
    from codex_nb.chat.schema import WORDS, output_schema

    return output_schema(text if SCHEMA_MARKS.search(text) or text in WORDS else evaluator(names, "-s {}")(text))


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
    return Toolbox(functions, Approval(way, prompt_of(shell))) if functions else None
