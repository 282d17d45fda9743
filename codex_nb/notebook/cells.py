"""What ran in this notebook: cells with their output, and the last figure."""

from __future__ import annotations

import base64
import re
import sys
from dataclasses import dataclass
from typing import Any, Final, cast

from codex_nb.chat.describe import describe
from codex_nb.chat.describe.text import clip, fenced
from codex_nb.errors import InvalidOption
from codex_nb.privacy import private_names

__all__ = ["Cell", "cell_of", "last_figure"]

# Tokens of one cell's output.
MOST_OUTPUT: Final = 1_500
ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that ran: its source and what came of it."""

    number: int
    source: str
    output: str

    def _repr_llm_(self) -> str:
        said = f"\n\nIts output:\n{fenced(self.output)}" if self.output else "\n\nIt has no output."
        return f"Cell {self.number}:\n{fenced(self.source, 'python')}{said}"


def cell_of(shell: Any, number: int) -> Cell:
    """Return the cell ``In[number]``; a negative number counts back from the cell that runs.

    Raises:
        InvalidOption: no such cell ran.

    """
    sources: list[str] = shell.history_manager.input_hist_raw
    # Not by `execution_count`, which some versions of IPython raise before a cell runs and others behind it.
    running = len(sources) - 1
    at = running + number if number < 0 else number
    if not 0 < at < running:
        ran = f"cells 1 to {running - 1} ran" if running > 1 else "no cell ran yet"
        raise InvalidOption(f"There is no cell:{number}: {ran}.", hint="cell:-1 is the cell before this one.")
    return Cell(at, sources[at].rstrip(), _output(shell, at))


def _output(shell: Any, at: int) -> str:
    """Return what a cell printed and showed. IPython keeps it since version 9; before, the result alone."""
    texts = [_text(each) for each in getattr(shell.history_manager, "outputs", {}).get(at, ())]
    failed = getattr(shell.history_manager, "exceptions", {}).get(at)
    if failed:
        texts.append(f"{failed.get('ename')}: {failed.get('evalue')}")
    results: dict[int, Any] = shell.user_ns.get("Out", {})
    if at in results:
        # The result itself, not its repr: so private columns stay private.
        texts.append(f"Out[{at}]: {_result(results[at])}")
    return clip("\n".join(text.rstrip() for text in texts if text.strip()), MOST_OUTPUT, tail=0.5)


def _result(value: Any) -> str:
    description = describe(value)
    return f"{description.kind}\n{description.text(MOST_OUTPUT)}"


def _text(output: Any) -> str:
    """Return one output as text: what was printed, or shown. A text that names a private column is not repeated."""
    if output.output_type == "execute_result":
        return ""
    found = output.bundle.get("stream") or output.bundle.get("text/markdown") or output.bundle.get("text/plain") or ""
    text = ANSI.sub("", "".join(cast("list[str]", found)) if isinstance(found, list) else str(found))
    named = sorted(name for name in private_names() if name in text.casefold())
    return f"(Not shown: it names {', '.join(named)}, which is private.)" if named else text


def last_figure(shell: Any) -> Any:
    """Return the figure that matplotlib is drawing, or else the picture that a cell showed last.

    Raises:
        InvalidOption: there is none.

    """
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.get_fignums():
        return pyplot.gcf()
    outputs: dict[int, list[Any]] = getattr(shell.history_manager, "outputs", {})
    for at in sorted(outputs, reverse=True):
        for output in reversed(outputs[at]):
            if picture := output.bundle.get("image/png"):
                from IPython.display import Image

                return Image(base64.b64decode(picture) if isinstance(picture, str) else picture)
    raise InvalidOption("There is no figure.", hint="Keep it in the cell that draws it: fig = plt.gcf().")
