"""``%codex fix``: the last error and its cell go to the model; a patched cell comes back, as a diff."""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakKeyDictionary

from codex_nb.chat.failure import described
from codex_nb.chat.redact import Hidden
from codex_nb.errors import InvalidOption
from codex_nb.notebook.failed import FailedCell, last_failed
from codex_nb.notebook.options import OptionParser, add_model_options
from codex_nb.safe_markdown import printable
from codex_nb.wire.json import as_object, as_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from codex_nb.chat.answer import Answer
    from codex_nb.chat.ask import Ask
    from codex_nb.chat.dry_run import DryRun
    from codex_nb.notebook.live import Painter
    from codex_nb.notebook.magics import CodexMagics

__all__ = ["Proposal", "add_fix_options", "fix"]

CHAT: Final = "fix"
INSTRUCTIONS: Final = (
    "You mend one failing cell of a Jupyter notebook. Give the whole cell as it should be, ready to run, and change as "
    "little as you can. Do not hide the error: no bare except, no made-up data. Words such as [hidden-1] stand for "
    "secrets; keep them as they are. If the cause is outside of the cell, say so in the explanation and leave the cell "
    "as it is. What was tried before did not help: find another way. Explain in at most four sentences."
)
FENCED: Final = re.compile(r"\s*```\w*\n(.*?)\n?```\s*", re.DOTALL)
# Half transparent colours suit light and dark pages alike.
COLOURS: Final = {"-": "rgba(248,81,73,.18)", "+": "rgba(46,160,67,.18)", "@": "rgba(128,128,128,.14)"}
ANSI: Final = {"-": 31, "+": 32, "@": 36}
PRE: Final = (
    "margin:0;padding:0 6px;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.45;"
    "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);color:inherit"
)


@dataclass(frozen=True, slots=True, repr=False)
class Proposal:
    """A patched cell. ``code`` is the whole of it, ``original`` what failed, ``answer`` all that the model said.

    ``confidence`` is the model's own: ``low``, ``medium`` or ``high``.
    """

    explanation: str
    code: str
    confidence: str
    original: str
    answer: Answer

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty where nothing changes."""
        before, after = self.original.strip("\n").splitlines(), self.code.splitlines()
        return "\n".join(unified_diff(before, after, "the cell", "proposed", lineterm=""))

    def __repr__(self) -> str:
        return self._told(printable(self.diff))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        diff = printable(self.diff)
        printer.text(self._told(_coloured(diff) if sys.stdout.isatty() else diff))

    def _told(self, diff: str) -> str:
        if not diff:
            return "The cell stays as it is: see the explanation."
        return f"{diff}\n\nThe whole cell ({self.confidence} confidence):\n\n{printable(self.code)}"

    def _repr_html_(self) -> str:
        if not self.diff:
            return f"<div>{html.escape(repr(self))}</div>"
        lines = "".join(
            f'<pre style="{PRE};background:{COLOURS.get(line[:1], "none")}">{html.escape(line) or " "}</pre>'
            for line in self.diff.splitlines()[2:]
        )
        summary = f"The whole cell ({html.escape(self.confidence)} confidence)"
        whole = f'<pre style="{PRE}">{html.escape(self.code)}</pre>'
        return f"<div>{lines}</div><details open><summary>{summary}</summary>{whole}</details>"


@dataclass
class _Tried:
    """What was proposed for the present trouble."""

    source: str = ""
    code: str = ""
    hidden: Hidden = field(default_factory=Hidden)

    def follows(self, failed: FailedCell) -> bool:
        """Whether the cell that failed now is the one of before, or what was proposed for it."""
        return bool(self.source) and failed.source.strip() in {self.source.strip(), self.code.strip()}


_tried: WeakKeyDictionary[Any, _Tried] = WeakKeyDictionary()


def add_fix_options(parser: OptionParser) -> None:
    """Give ``%codex fix`` its options."""
    add_model_options(parser)
    add = parser.add_argument
    add("--locals", action="store_true", help="send the values of the names around the error, too; secrets are hidden")
    add("--dry-run", action="store_true", help="show what would be sent, and send nothing")


def fix(magics: CodexMagics, options: argparse.Namespace) -> Proposal | DryRun:
    """Ask for a patch of the last cell that failed; what follows the options is a hint for the model.

    Raises:
        InvalidOption: no cell has failed.
        CodexError: the model gave no patch.

    """
    from codex_nb.chat.views import view_of
    from codex_nb.client.default import session
    from codex_nb.client.tape import taped
    from codex_nb.notebook.chats import conversations
    from codex_nb.notebook.exchange import LAST, tape_of
    from codex_nb.notebook.front import painter_for
    from codex_nb.notebook.options import defaults
    from codex_nb.notebook.run import run

    shell: Any = magics.shell
    failed = last_failed(shell)
    if failed is None:
        raise InvalidOption("No cell has failed.", hint="%codex fix is for the last error of this notebook.")
    tried = _tried.get(shell, _Tried())
    again = tried.follows(failed)
    if not again:
        tried = _Tried()
    question = _question(magics, options, failed, tried, again=again)
    # The cell that says %codex fix may run again; its earlier proposal was tried, and must not be forgotten.
    question, record = conversations(shell).join(question, chat=CHAT, new=not again, by_cell=False)
    if options.dry_run:
        from codex_nb.chat.dry_run import dry_run

        return dry_run(question, session())

    def keep(answer: Answer) -> Answer:
        answer = record(answer)
        shell.user_ns[LAST] = answer
        return answer

    paint = painter_for(shell, view_of("markdown"))
    detail = defaults(shell).get("receipt", "short")
    with taped(tape_of(question, shell, magics.cache or None)):
        answer = run(
            question, session(), lambda model: _explaining(paint(model)), stream=True, keep=keep, detail=detail
        )
    proposal = _proposal(answer, failed, tried.hidden)
    _tried[shell] = _Tried(failed.source, proposal.code, tried.hidden)
    if proposal.diff:
        shell.set_next_input(proposal.code)
    return proposal


def _question(
    magics: CodexMagics, options: argparse.Namespace, failed: FailedCell, tried: _Tried, *, again: bool
) -> Ask:
    from codex_nb.chat.ask import Ask

    shell: Any = magics.shell
    parts = [described(failed.source, failed.error, shell.user_ns, values=options.locals)]
    if again:
        ran = failed.source.strip() == tried.code.strip() != tried.source.strip()
        parts.insert(0, "Your proposal was run, and fails:" if ran else "The last proposal did not help.")
    if options.text:
        parts.append(f"## A hint of the user\n{options.text}")
    return Ask.of(
        tried.hidden.hide("\n\n".join(parts)),
        model=options.model or magics.model or None,
        effort=options.effort,
        usual_effort=magics.effort,
        instructions=INSTRUCTIONS,
        schema=_schema(),
    )


def _schema() -> Any:
    from pydantic import BaseModel, Field

    from codex_nb.chat.schema import output_schema

    class Fix(BaseModel):
        explanation: str = Field(description="What went wrong, and what the change does; at most four sentences.")
        code: str = Field(description="The whole cell as it should be, without a fence.")
        confidence: Literal["low", "medium", "high"] = Field(description="How sure it is that the cell runs now.")

    return output_schema(Fix)


def _proposal(answer: Answer, failed: FailedCell, hidden: Hidden) -> Proposal:
    found = answer.parsed
    if found is None:
        raise InvalidOption(
            "The model gave no patch.", hint=answer.refusal or "Ask again, or with a hint: %codex fix TEXT."
        )
    code = hidden.restore(found.code)
    if fenced := FENCED.fullmatch(code):
        code = fenced[1]
    return Proposal(hidden.restore(found.explanation), code.strip("\n"), found.confidence, failed.source, answer)


def _coloured(diff: str) -> str:
    """Return a diff with the colours that a terminal understands."""
    return "\n".join(f"\x1b[{ANSI.get(line[:1], 0)}m{line}\x1b[0m" for line in diff.splitlines())


class _Explanation:
    """Passes on of an answer in JSON the explanation alone, while it comes."""

    def __init__(self, add: Callable[[str], None]) -> None:
        self._add = add
        self._json = ""
        self._shown = ""

    def __call__(self, delta: str) -> None:
        import pydantic_core

        self._json += delta
        try:
            found: Any = pydantic_core.from_json(self._json, allow_partial="trailing-strings")
        except ValueError:
            return
        text = as_text(as_object(found).get("explanation"))
        if text and text.startswith(self._shown) and text != self._shown:
            self._add(text[len(self._shown) :])
            self._shown = text


def _explaining(painter: Painter) -> Painter:
    """Return ``painter`` as one that shows of an answer its explanation."""
    vars(painter)["add"] = _Explanation(painter.add)
    return painter
