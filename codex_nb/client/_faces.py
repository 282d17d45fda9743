"""Two faces of one definition: `endpoint` turns a flow into a method, run by the driver of its face."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

if TYPE_CHECKING:
    from codex_nb.client._core import Core
    from codex_nb.client._drivers import AsyncDriver, SyncDriver
    from codex_nb.wire.call import Flow

__all__ = ["Async", "F", "Resource", "Sync", "endpoint", "shown_signature"]

P = ParamSpec("P")
T = TypeVar("T")


class Sync:
    """Marks the face whose methods return their result."""


class Async:
    """Marks the face whose methods return an awaitable of it."""


F = TypeVar("F", Sync, Async)


class Resource(Generic[F]):
    """A family of endpoints on one face of a session."""

    def __init__(self, core: Core, driver: SyncDriver | AsyncDriver) -> None:
        self._core = core
        self._driver = driver

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._core.settings.backend.name}>"


class endpoint(Generic[P, T]):  # noqa: N801 - a decorator
    """Make a method of a flow: it returns the result on the synchronous face, an awaitable on the other."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self.flow = flow
        shown = shown_signature(flow)
        self._signature = shown.replace(parameters=list(shown.parameters.values())[1:])
        functools.update_wrapper(cast("Callable[..., Any]", self), flow)

    @overload
    def __get__(self, resource: None, owner: type) -> Self: ...
    @overload
    def __get__(self, resource: Resource[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        """Bind to ``resource``, with the real parameters in the signature."""
        if resource is None:
            return self
        flow, driver = self.flow, resource._driver  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return driver.run(flow(resource, *args, **kwargs))

        functools.update_wrapper(call, flow)
        call.__signature__ = self._signature  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
        return call


def shown_signature(method: Callable[..., Any], fields: Iterable[str] = ()) -> inspect.Signature:
    """Return the signature for people and completers, with ``fields`` in place of ``**fields``."""
    whole = inspect.signature(method)
    named = [p for p in whole.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    spelt_out = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in fields]
    return whole.replace(parameters=[*named, *spelt_out], return_annotation=inspect.Signature.empty)
