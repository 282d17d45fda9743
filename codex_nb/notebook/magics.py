"""``%%codex`` and ``%codex``: options are read here, the work is done elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    cell_magic,  # pyright: ignore[reportUnknownVariableType]
    line_magic,  # pyright: ignore[reportUnknownVariableType]
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from traitlets import Bool, Enum, Float, Int, TraitError, Unicode, observe, validate

from codex_nb.chat.ask import EFFORT, SUMMARIES
from codex_nb.notebook import accessor
from codex_nb.notebook.complete import register, unregister
from codex_nb.notebook.failed import unwatch, watch
from codex_nb.notebook.questions import Question, with_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["CodexMagics", "load", "unload"]


@magics_class
class CodexMagics(Magics):
    """Codex in a cell. ``%%codex -h`` and ``%codex -h`` tell what there is."""

    model = Unicode("", help="The model of cells that name none; empty is the session's.").tag(config=True)
    effort = Unicode("", help="The effort of cells that name none; empty is the model's own.").tag(config=True)
    verbosity = Enum(
        ["", "low", "medium", "high"], "", help="How much the model says; empty is the model's own measure."
    ).tag(config=True)
    tier = Unicode("", help="The speed of cells that name none, such as priority; empty is the usual one.").tag(
        config=True
    )
    chat = Unicode("", help="The conversation of cells that name none; empty is the default one.").tag(config=True)
    approve = Enum(["ask", "once", "always", "never"], "ask", help="When you are asked before a tool is called.").tag(
        config=True
    )
    stream = Bool(True, help="Show an answer while it comes; otherwise once, when it is whole.").tag(config=True)
    summary = Enum(["", *SUMMARIES], "", help="How much of its thoughts the model sums up.").tag(config=True)
    format = Enum(["markdown", "text", "json", "html", "code"], "markdown", help="How an answer is shown.").tag(
        config=True
    )
    cache = Unicode("", help="record, replay or off, as --cache; empty is CODEX_NB_CACHE.").tag(config=True)
    timeout = Float(0.0, min=0.0, help="Seconds to connect and of silence; 0 is the session's.").tag(config=True)
    context_tokens = Int(8_000, min=200, help="How many tokens all that --with describes may take.").tag(config=True)
    receipt = Enum(
        ["short", "full", "off"],
        "short",
        help="The line under an answer: short names one window of the quota, full all of them; off shows none.",
    ).tag(config=True)

    budget = Float(
        0.0,
        min=0.0,
        max=100.0,
        help="How many percent of any window of the quota may be used from now on, before asking stops; 0 is no limit.",
    ).tag(config=True)

    @observe("budget")
    def _hold_budget(self, change: Any) -> None:
        from codex_nb.client.default import allow

        allow(change["new"] or None)

    @validate("effort")
    def _known_effort(self, proposal: Any) -> str:
        effort: str = proposal["value"]
        if effort and not EFFORT.fullmatch(effort):
            raise TraitError(f"{effort!r} is no effort; efforts are words such as low, medium, high.")
        return effort

    @no_var_expand  # pyright: ignore[reportUntypedFunctionDecorator]
    @cell_magic("codex")  # pyright: ignore[reportUntypedFunctionDecorator]
    def codex_cell(self, line: str, cell: str) -> Any:
        """Ask the model; the answer streams into the cell. ``%%codex -h`` shows the options."""
        from codex_nb.notebook.asking import ask_cell

        return ask_cell(self, line, cell)

    @needs_local_scope  # pyright: ignore[reportUntypedFunctionDecorator]
    @no_var_expand  # pyright: ignore[reportUntypedFunctionDecorator]
    @line_magic("codex")  # pyright: ignore[reportUntypedFunctionDecorator]
    def codex_line(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Do one thing: status, use, models, usage, ask, last. ``%codex -h`` shows them."""
        from codex_nb.notebook.commands import run_command

        return run_command(self, line, local_ns or {})

    @no_var_expand  # pyright: ignore[reportUntypedFunctionDecorator]
    @line_magic("codex_transcribe")  # pyright: ignore[reportUntypedFunctionDecorator]
    def codex_transcribe(self, line: str) -> Any:
        """Make text of recordings, or record one. ``%codex_transcribe -h`` shows the options."""
        from codex_nb.notebook.transcribing import transcribe_line

        return transcribe_line(self, line)


def load(shell: InteractiveShell) -> None:
    """Register the magics, and take away what an earlier load left."""
    unload(shell)
    try:
        magics = CodexMagics(shell)
    except TraitError:
        # A bad value of an earlier %config stays in the configuration and would keep the extension from loading.
        shell.config.pop("CodexMagics", None)  # pyright: ignore[reportUnknownMemberType]
        unload(shell)
        magics = CodexMagics(shell)
    shell.register_magics(magics)
    register(shell)
    watch(shell)
    accessor.offer()
    shell.input_transformer_manager.token_transformers.append(Question)
    # First of those that come after IPython has asked whether a cell is complete, in a terminal by an empty line.
    shell.input_transformer_manager.line_transforms.insert(0, with_body)


def unload(shell: InteractiveShell) -> None:
    """Take the magics, their configuration and their completion away."""
    unregister(shell)
    unwatch(shell)
    accessor.withdraw()
    manager: Any = shell.input_transformer_manager
    for transformers, own in ((manager.token_transformers, Question), (manager.line_transforms, with_body)):
        transformers[:] = [one for one in transformers if getattr(one, "__name__", "") != own.__name__]
    for one in [one for one in shell.configurables if type(one).__name__ == CodexMagics.__name__]:
        # The guard goes with it: nothing would be left to lift it by.
        one.budget = 0.0  # pyright: ignore[reportAttributeAccessIssue]
        shell.configurables.remove(one)
    manager = shell.magics_manager
    for kind in ("line", "cell"):
        for name in ("codex", "codex_transcribe"):
            manager.magics[kind].pop(name, None)
    manager.registry.pop(CodexMagics.__name__, None)
