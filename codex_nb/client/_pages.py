"""Lists that come in pages: one page, the next one, or all items through all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

__all__ = ["AsyncPage", "Page", "PageContent"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageContent(Generic[T]):
    """What one request brought. ``passed`` are the cursors that led here: a service may send one twice."""

    items: list[T]
    cursor: str | None
    raw: dict[str, Any] = field(repr=False)
    passed: frozenset[str] = frozenset()

    @property
    def next_cursor(self) -> str | None:
        """The cursor that leads on; None where the list is over, or would go round in a circle."""
        return self.cursor if self.items and self.cursor and self.cursor not in self.passed else None


class _Page(Generic[T]):
    """What pages of both faces tell. Iterates, counts and indexes like a list of its own items."""

    def __init__(self, content: PageContent[T]) -> None:
        self._content = content

    @property
    def items(self) -> list[T]:
        """The items of this page."""
        return self._content.items

    @property
    def data(self) -> list[T]:
        """The items of this page, by openai-python's name."""
        return self._content.items

    @property
    def cursor(self) -> str | None:
        """What leads to the next page, as the service sent it."""
        return self._content.cursor

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self._content.next_cursor is not None

    @property
    def raw(self) -> dict[str, Any]:
        """The payload."""
        return self._content.raw

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> T:
        return self.items[index]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}{', more to come' if self.has_more else ''}>"


class Page(_Page[T]):
    """One page of a list."""

    def __init__(self, content: PageContent[T], fetch: Callable[[str, frozenset[str]], PageContent[T]]) -> None:
        super().__init__(content)
        self._fetch = fetch

    def next_page(self) -> Page[T] | None:
        """Fetch the page behind this one; None where there is none."""
        cursor = self._content.next_cursor
        if cursor is None:
            return None
        return Page(self._fetch(cursor, self._content.passed | {cursor}), self._fetch)

    def auto_paging(self) -> Iterator[T]:
        """Give the items of this page and of all behind it, fetched as they are needed."""
        page: Page[T] | None = self
        while page is not None:
            yield from page.items
            page = page.next_page()


class AsyncPage(_Page[T]):
    """One page of a list, on the asynchronous face."""

    def __init__(
        self, content: PageContent[T], fetch: Callable[[str, frozenset[str]], Coroutine[Any, Any, PageContent[T]]]
    ) -> None:
        super().__init__(content)
        self._fetch = fetch

    async def next_page(self) -> AsyncPage[T] | None:
        """Fetch the page behind this one; None where there is none."""
        cursor = self._content.next_cursor
        if cursor is None:
            return None
        return AsyncPage(await self._fetch(cursor, self._content.passed | {cursor}), self._fetch)

    async def auto_paging(self) -> AsyncIterator[T]:
        """Give the items of this page and of all behind it, fetched as they are needed."""
        page: AsyncPage[T] | None = self
        while page is not None:
            for item in page.items:
                yield item
            page = await page.next_page()
