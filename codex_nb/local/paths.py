"""The two styles in which the same resources are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

STYLES: Final = ("/backend-api/wham", "/api/codex")


def wham(path: str, endpoint: Callable[..., Any], method: str = "GET") -> list[Route]:
    """Return the routes of a resource: under the ChatGPT address, and as clients ask any other host."""
    return [Route(style + path, endpoint, methods=[method]) for style in STYLES]
