"""How far a long fetch is: a bar in the notebook or on stderr, for what takes more than one request."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from codex_nb.durations import span

if TYPE_CHECKING:
    from codex_nb.client._pages import Page

__all__ = ["bar", "paged"]

T = TypeVar("T")
NOTHING: Final = {"text/html": "", "text/plain": ""}
# Seconds between two looks of a bar in a notebook, where each is a message to the page.
OFTEN: Final = 0.2
FULL: Final = "width:180px;height:10px;border-radius:5px;background:rgba(128,128,128,.25);overflow:hidden;flex:none"


def bar(total: int | None, unit: str, what: str, *, shown: bool = True) -> Any:
    """Return a tqdm bar that goes away when it is closed, and leaves nothing in the notebook that is saved.

    One that is not to be ``shown`` does nothing. In a notebook it is HTML: tqdm's own widget would leave its first
    line, ``0/4 [00:00<?``, in the document.
    """
    from tqdm import tqdm

    # A count of rows never changes often enough to need the thread that watches slow bars.
    tqdm.monitor_interval = 0
    kind: Any = _output() if shown and _in_notebook() else tqdm
    return kind(total=total, unit=f" {unit}", desc=what, leave=False, dynamic_ncols=True, disable=not shown)


def _in_notebook() -> bool:
    ipython: Any = sys.modules.get("IPython")
    return bool(ipython and hasattr(ipython.get_ipython(), "kernel"))


def _output() -> type[Any]:
    """Return the bar that is one output of the running cell."""
    publish: Any = import_module("IPython.display").publish_display_data
    tqdm: Any = import_module("tqdm").tqdm

    class Output(tqdm):  # pyright: ignore[reportUntypedBaseClass]
        """Drawn by the page: tqdm itself writes nothing."""

        def __init__(self, **options: Any) -> None:
            inherited: Any = super()
            inherited.__init__(gui=True, mininterval=OFTEN, **options)
            self._id = uuid.uuid4().hex
            self._publish(update=False)

        def display(self, *_: Any, **__: Any) -> None:
            self._publish()

        def close(self) -> None:
            inherited: Any = super()
            is_open = not self.disable
            inherited.close()
            if is_open:
                self._publish(NOTHING)

        def clear(self, *_: Any, **__: Any) -> None:
            """Stay: what others print has outputs of its own."""

        def _publish(self, data: dict[str, str] | None = None, *, update: bool = True) -> None:
            facts: dict[str, Any] = self.format_dict
            data = data or {"text/html": _html(facts), "text/plain": self.format_meter(**facts)}
            publish(data, transient={"display_id": self._id}, update=update)

    return Output


def _html(facts: dict[str, Any]) -> str:
    done, total, elapsed = facts["n"], facts["total"], facts["elapsed"]
    part = min(100.0, 100 * done / total) if total else 0.0
    rate = facts["rate"] or (done / elapsed if elapsed else 0.0)
    words = [
        f"{done} of {total}{facts['unit']}" if total else f"{done}{facts['unit']}",
        span(elapsed),
        f"{span((total - done) / rate)} to go" if total and rate and done < total else "",
        facts["postfix"] or "",
    ]
    drawn = f"<div style='{FULL}'><div style='width:{part:g}%;height:100%;background:#2e9e6b'></div></div>"
    said = f"<span style='opacity:.75'>{escape(' · '.join(filter(None, words)))}</span>"
    return (
        "<div style='display:flex;align-items:center;gap:10px;white-space:nowrap'>"
        f"<span>{escape(facts['prefix'])}</span>{drawn if total else ''}{said}</div>"
    )


def paged(page: Page[T], limit: int | None, unit: str, what: str) -> Iterator[T]:
    """Give the items of ``page`` and of those that follow, at most ``limit``, with a bar if there are several pages."""
    if not page.has_more or (limit is not None and len(page) >= limit):
        yield from page.items[:limit]
        return
    with bar(limit, unit, what) as shown:
        current: Page[T] | None = page
        del page
        while current is not None:
            items, following = current.items[:limit], current.following
            yield from items
            shown.update(len(items))
            limit = None if limit is None else limit - len(items)
            del current, items  # they are gone when the next ones come
            current = None if limit == 0 else following()
