"""Where answers come from. An engine is opened by name, and only then are its libraries imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.errors import CodexError
from codex_nb.local.script import Script

if TYPE_CHECKING:
    from pathlib import Path

    from codex_nb.local.pieces import Engine

__all__ = ["open_engine"]


def open_engine(engine: str | Script | Engine | None, *, model: str | Path | None = None) -> Engine:
    """Return the engine that is named, scripted or given; None means llama.

    Raises:
        CodexError: there is no such engine, or it lacks its library or model file.

    """
    if engine is None or engine == "llama":
        from codex_nb.local.engines.llama import LlamaEngine

        return LlamaEngine.open(model)
    if engine == "sphinx":
        from codex_nb.local.engines.sphinx import SphinxEngine

        return SphinxEngine(Script())
    if isinstance(engine, str) and engine != "scripted":
        raise CodexError(f"There is no engine called {engine!r}.", hint='Engines are "llama", "sphinx" and "scripted".')
    from codex_nb.local.engines.scripted import ScriptedEngine

    if isinstance(engine, str):
        return ScriptedEngine(Script())
    return ScriptedEngine(engine) if isinstance(engine, Script) else engine
