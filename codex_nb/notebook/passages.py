"""Where a long answer stands: in several outputs, of which only the last is painted again and again.

A front end draws an output anew each time it changes, and 80 kB of Markdown take it half a second. So where a text may
be cut, it goes on in an output of its own. The cuts are a matter of the text alone, not of when it came, so that the
same answer always leaves the same outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_nb.chat.views import View, Viewed
from codex_nb.markdown_parts import break_after
from codex_nb.notebook.output import NOTHING, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Passages"]

# Characters before a cut. Most answers are shorter, and stand in one output.
PASSAGE = 10_000
# A passage is also at least this part of what stands before it: JupyterLab folds outputs away beyond its fiftieth.
GROWTH = 1 / 8


class Passages:
    """The outputs of an answer, and the one below them.

    ``below`` moves down when a passage is full: the next one takes its place, and it is shown again under that.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._starts = [0]
        # One more than there are passages. An interrupt may come between any two steps: this list alone says who
        # stands where, and it changes in one.
        self._outputs = [Output(), Output()]
        self._full = 0

    @property
    def first(self) -> Output:
        """The output where the answer begins."""
        return self._outputs[0]

    @property
    def below(self) -> Output:
        """The output under the answer."""
        return self._outputs[-1]

    def paint(self, text: str) -> dict[str, Any]:
        """Show a text that is coming, and return what is shown of its last passage."""
        *full, last = self._cut(text)
        for number in range(self._full, len(full)):
            self._outputs[number].show(self._whole(full[number], text).data)
            self._full = number + 1
        shown = self._view.part(last, text) if self._view.part else self._view.coming(text)
        self._outputs[len(full)].show(shown)
        return shown

    def finish(self, text: str, metadata: Mapping[str, Any]) -> None:
        """Show a text that is whole; ``metadata`` stands with its last passage."""
        *full, last = self._cut(text)
        for output, passage in zip(self._outputs, full, strict=False):
            # Only where a link is defined further down it is something new.
            output.show(self._whole(passage, text).data)
        shown = self._whole(last, text) if text else Viewed(NOTHING)
        self._outputs[len(full)].show(shown.data, {**shown.metadata, **metadata})

    def _whole(self, passage: str, text: str) -> Viewed:
        if self._view.part:
            return Viewed({"text/plain": passage, **self._view.part(passage, text)})
        return self._view.whole(text)

    def _cut(self, text: str) -> list[str]:
        """Return the passages of a text that goes on from the one before."""
        while self._view.part:
            start = self._starts[-1]
            end = break_after(text[start:], max(PASSAGE, int(start * GROWTH)))
            if not end:
                break
            self._starts.append(start + end)
        while len(self._outputs) <= len(self._starts):
            self._outputs.append(Output())
        return [text[start:end] for start, end in zip(self._starts, [*self._starts[1:], None], strict=True)]
