"""The last cell that failed, as the shell tells it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, TypeGuard
from weakref import WeakKeyDictionary

from codex_nb.errors import CodexError

__all__ = ["FailedCell", "last_failed", "unwatch", "watch"]


@dataclass(frozen=True, slots=True)
class FailedCell:
    """``source`` is the cell as it was written, ``error`` what it raised."""

    source: str
    error: BaseException


_last: WeakKeyDictionary[Any, FailedCell] = WeakKeyDictionary()
_hooks: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def watch(shell: Any) -> None:
    """Take note of each cell that fails from now on."""
    unwatch(shell)

    def ended(result: Any) -> None:
        source = getattr(result.info, "raw_cell", None) or ""
        error = result.error_before_exec or result.error_in_exec
        if _is_users(error):
            _last[shell] = FailedCell(source, error)
        elif error is None and shell in _last and _last[shell].source.strip() == source.strip():
            del _last[shell]  # it is mended

    _hooks[shell] = ended
    shell.events.register("post_run_cell", ended)


def unwatch(shell: Any) -> None:
    """Take no note any more."""
    if shell in _hooks:
        shell.events.unregister("post_run_cell", _hooks.pop(shell))
    _last.pop(shell, None)


def last_failed(shell: Any) -> FailedCell | None:
    """Return the last cell that failed; one from before the extension was loaded, too, if Python remembers it."""
    return _last.get(shell) or _remembered(shell)


def _is_users(error: BaseException | None) -> TypeGuard[Exception]:
    """Whether it is the notebook's own mistake: not an interrupt, nor a word of ours."""
    return isinstance(error, Exception) and not isinstance(error, CodexError)


def _remembered(shell: Any) -> FailedCell | None:
    error: Any = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    if not _is_users(error):
        return None
    names: dict[str, int] = getattr(shell.compile, "_filename_map", {})
    sources: list[str] = shell.user_ns.get("In", [])
    traceback = error.__traceback__
    files = [str(getattr(error, "filename", ""))]
    while traceback:
        files.append(traceback.tb_frame.f_code.co_filename)
        traceback = traceback.tb_next
    number = next((names[file] for file in files if file in names), None)
    return FailedCell(sources[number], error) if number is not None and number < len(sources) else None
