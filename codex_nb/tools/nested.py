"""A coroutine of the user's, run to its end from code that is not asynchronous.

In a kernel the loop is already running, and the coroutine may use objects of that loop, so it has to run on it:
nest-asyncio2 lets the loop be entered a second time. It is patched when the first such tool runs, never before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run_nested"]

T = TypeVar("T")


def run_nested(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of ``coroutine``, on the running loop if there is one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    _patch(loop)
    return loop.run_until_complete(coroutine)


def _patch(loop: asyncio.AbstractEventLoop) -> None:
    import sys
    from importlib.metadata import version

    major = int(version("ipykernel").split(".")[0]) if "ipykernel" in sys.modules else 0
    # Under ipykernel 7 the older package loses the cells that are queued, and on Python 3.14 it breaks anyio.
    if 0 < major < 7 and sys.version_info < (3, 14):
        import nest_asyncio as nesting  # pyright: ignore[reportMissingTypeStubs]
    else:
        import nest_asyncio2 as nesting  # pyright: ignore[reportMissingTypeStubs]
    nesting.apply(loop)  # pyright: ignore[reportUnknownMemberType]
