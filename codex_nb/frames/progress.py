"""How far a long fetch is: a bar in the notebook or on stderr, for what takes more than one request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from codex_nb.client._pages import Page

__all__ = ["bar", "paged"]

T = TypeVar("T")


def bar(total: int | None, unit: str, what: str, *, shown: bool = True) -> Any:
    """Return a bar that goes away when it is closed; it is a widget where the front end has them.

    One that is not to be ``shown`` does nothing.
    """
    from tqdm.auto import tqdm

    # A count of rows never changes often enough to need the thread that watches slow bars.
    tqdm.monitor_interval = 0
    return tqdm(total=total, unit=f" {unit}", desc=what, leave=False, dynamic_ncols=True, disable=not shown)


def paged(page: Page[T], limit: int | None, unit: str, what: str) -> Iterator[T]:
    """Give the items of ``page`` and of those that follow, at most ``limit``, with a bar if there are several pages."""
    if not page.has_more or (limit is not None and len(page) >= limit):
        yield from page.items[:limit]
        return
    with bar(limit, unit, what) as shown:
        current: Page[T] | None = page
        left = limit
        while current is not None:
            items = current.items[:left]
            yield from items
            shown.update(len(items))
            left = None if left is None else left - len(items)
            current = None if left == 0 else current.next_page()
