"""``df.codex`` after ``%load_ext codex_nb``: what is behind it is imported when it is first touched.

Loading the extension must not import pandas, which may come before it, later, or never.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

__all__ = ["offer", "withdraw"]

NAME = "codex"


class _Door:
    """Stands on DataFrame and Series where `frames` will put its accessors."""

    def __get__(self, instance: Any, owner: type) -> Any:
        _take_away(sys.modules["pandas"])
        # It registers the real ones. Where it was just doing so and looks what is there, there is nothing.
        import_module("codex_nb.frames")
        return getattr(owner if instance is None else instance, NAME)


class _Finder(MetaPathFinder):
    """Waits for pandas to be imported, once."""

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        """Find nothing but pandas, as the others do, and put the door on it when it is there."""
        if fullname != "pandas":
            return None
        withdraw()
        spec = find_spec(fullname)
        if spec and spec.loader:
            loader: Any = spec.loader
            run = loader.exec_module

            def run_and_offer(module: ModuleType) -> None:
                run(module)
                _put_on(module)

            loader.exec_module = run_and_offer
        return spec


def offer() -> None:
    """Let frames and columns have ``.codex``, now or as soon as pandas is imported."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        sys.meta_path.insert(0, _Finder())
    elif "codex_nb.frames" not in sys.modules:
        _put_on(pandas)


def withdraw() -> None:
    """Wait no more, and take the door away unless it was gone through."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    if pandas := sys.modules.get("pandas"):
        _take_away(pandas)


def _put_on(pandas: ModuleType) -> None:
    for kind in (pandas.DataFrame, pandas.Series):
        if not hasattr(kind, NAME):
            setattr(kind, NAME, _Door())


def _take_away(pandas: ModuleType) -> None:
    for kind in (pandas.DataFrame, pandas.Series):
        if isinstance(kind.__dict__.get(NAME), _Door):
            delattr(kind, NAME)
