"""The sphinx engine: it hears what is said, by PocketSphinx, and answers as a script without turns does."""

from __future__ import annotations

from codex_nb.local.engines.ears import Sphinx
from codex_nb.local.engines.scripted import ScriptedEngine

__all__ = ["SphinxEngine"]


class SphinxEngine(Sphinx, ScriptedEngine):
    """Real ears, scripted answers: what a test of dictation needs."""

    name = "sphinx"
