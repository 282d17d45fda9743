"""Lists that come in pages: each page is a list, and leads on to the next one."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

from codex_nb.client._drivers import SyncDriver
from codex_nb.types._record import shown_rows

if TYPE_CHECKING:
    from types import TracebackType

    from codex_nb.client._drivers import AsyncDriver
    from codex_nb.wire.call import Flow

__all__ = ["AsyncPage", "AsyncPaginator", "Fetch", "Page", "pages"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Listed(Protocol[T_co]):
    """A page as the service sends it."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on it."""
        ...

    @property
    def cursor(self) -> str | None:
        """The name of the next page."""
        ...

    @property
    def raw(self) -> Any:
        """The payload."""
        ...


def _none() -> None:
    """Stand for the page after the last one."""


# Asks for the page that a cursor names, None for the first.
Fetch: TypeAlias = Callable[[str | None], "Flow[Listed[T]]"]


class _Page(Sequence[T]):
    """What both kinds of page know.

    A list is over at a page without a cursor, at an empty page, and at a cursor that led here before: a service that
    repeats itself, in a circle of any length, ends the list instead of repeating it for ever.
    """

    def __init__(self, listed: Listed[T], passed: frozenset[str]) -> None:
        self.items = list(listed.items)
        self.cursor = listed.cursor or None
        self._listed, self._passed = listed, passed

    @property
    def data(self) -> list[T]:
        """The same as ``items``, by openai-python's name."""
        return self.items

    @property
    def raw(self) -> Any:
        """A copy of the payload."""
        return self._listed.raw

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index]

    def __repr__(self) -> str:
        more = ", more to come" if self.has_more else ""
        return shown_rows(f"{type(self).__name__} of {len(self)}{more}", self.items)

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self.cursor is not None and bool(self.items) and self.cursor not in self._passed


class Page(_Page[T]):
    """One page of a list: a list itself, that `auto_paging` goes on from."""

    def __init__(self, driver: SyncDriver, fetch: Fetch[T], listed: Listed[T], passed: frozenset[str]) -> None:
        super().__init__(listed, passed)
        self._driver, self._fetch = driver, fetch

    @classmethod
    def ask(
        cls, driver: SyncDriver, fetch: Fetch[T], cursor: str | None, passed: frozenset[str] = frozenset()
    ) -> Page[T]:
        """Ask for the page that ``cursor`` names."""
        listed = driver.run(fetch(cursor))
        return cls(driver, fetch, listed, passed | {cursor} if cursor else passed)

    @property
    def following(self) -> Callable[[], Page[T] | None]:
        """What asks for the next page and holds nothing of this one, which may then go before that one comes."""
        if not self.has_more:
            return _none
        return functools.partial(self.ask, self._driver, self._fetch, self.cursor, self._passed)

    def next_page(self) -> Page[T] | None:
        """Ask for the next page; None if this is the last one."""
        return self.following()

    def auto_paging(self) -> Iterator[T]:
        """Give the items of this page and of all that follow; each page is asked for when it is needed."""
        page: Page[T] | None = self
        while page is not None:
            yield from page.items
            page = page.next_page()


class AsyncPage(_Page[T]):
    """One page of a list: a list itself, that `auto_paging` goes on from."""

    def __init__(self, driver: AsyncDriver, fetch: Fetch[T], listed: Listed[T], passed: frozenset[str]) -> None:
        super().__init__(listed, passed)
        self._driver, self._fetch = driver, fetch

    @classmethod
    async def ask(
        cls, driver: AsyncDriver, fetch: Fetch[T], cursor: str | None, passed: frozenset[str] = frozenset()
    ) -> AsyncPage[T]:
        """Ask for the page that ``cursor`` names."""
        listed = await driver.run(fetch(cursor))
        return cls(driver, fetch, listed, passed | {cursor} if cursor else passed)

    async def next_page(self) -> AsyncPage[T] | None:
        """Ask for the next page; None if this is the last one."""
        if not self.has_more:
            return None
        return await self.ask(self._driver, self._fetch, self.cursor, self._passed)

    async def auto_paging(self) -> AsyncIterator[T]:
        """Give the items of this page and of all that follow; each page is asked for when it is needed."""
        page: AsyncPage[T] | None = self
        while page is not None:
            for item in page.items:
                yield item
            page = await page.next_page()


class AsyncPaginator(Coroutine[Any, Any, AsyncPage[T]]):
    """The first page when it is awaited; ``async for item in paginator.auto_paging()`` needs no await before it."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, AsyncPage[T]]]) -> None:
        self._ask = ask
        self._asked: Coroutine[Any, Any, AsyncPage[T]] | None = None

    async def auto_paging(self) -> AsyncIterator[T]:
        """Give the items of all pages; each page is asked for when it is needed."""
        async for item in (await self).auto_paging():
            yield item

    @property
    def _asking(self) -> Coroutine[Any, Any, AsyncPage[T]]:
        self._asked = self._asked or self._ask()
        return self._asked

    def __await__(self) -> Generator[Any, Any, AsyncPage[T]]:
        return self._asking.__await__()

    def send(self, value: Any) -> Any:
        """Go on, as coroutines do."""
        return self._asking.send(value)

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: BaseException | object = None,
        trace: TracebackType | None = None,
        /,
    ) -> Any:
        """Raise where it waits, as coroutines do."""
        error = kind if isinstance(kind, BaseException) else value if isinstance(value, BaseException) else kind()
        return self._asking.throw(error.with_traceback(trace) if trace else error)

    def close(self) -> None:
        """End it, as coroutines do."""
        if self._asked:
            self._asked.close()


def pages(driver: SyncDriver | AsyncDriver, fetch: Fetch[T], cursor: str | None) -> Page[T] | AsyncPaginator[T]:
    """Return the page that ``cursor`` names, on the driver's own face."""
    if isinstance(driver, SyncDriver):
        return Page[T].ask(driver, fetch, cursor)
    return AsyncPaginator(lambda: AsyncPage[T].ask(driver, fetch, cursor))
