"""The embedded backend: the Codex wire on loopback, with real or scripted answers.

It shares nothing with the client but the errors, so that a mistake of the client is not mirrored here. Importing this
package is light; the web server is imported when a backend starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.local.faults import Fault
from codex_nb.local.script import CustomCall, FunctionCall, Script, Turn
from codex_nb.local.server import LocalBackend, shared_url

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.applications import Starlette

    from codex_nb.local.pieces import Engine

__all__ = [
    "CustomCall",
    "Fault",
    "FunctionCall",
    "LocalBackend",
    "Script",
    "Turn",
    "create_app",
    "shared_url",
]


def create_app(engine: str | Script | Engine | None = None, *, model: str | Path | None = None) -> Starlette:
    """Build the backend as an ASGI application, for people who host it themselves.

    Faults that cut the connection need the server of `LocalBackend`; elsewhere they raise, and the host closes.
    """
    from codex_nb.local.app import build
    from codex_nb.local.engines import open_engine
    from codex_nb.local.state import State

    return build(State(open_engine(engine, model=model)))
