"""Codex in Jupyter: streamed answers in a cell, and pandas tables of models and quota, on one session client.

``%load_ext codex_nb`` gives ``%%codex`` and ``%codex``. Everything else is a name of this package; nothing heavy is
imported before one is touched.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from codex_nb import errors, frames, serve
    from codex_nb._version import __version__
    from codex_nb.auth.bearer import Bearer, CodexAuth
    from codex_nb.chat.answer import Answer
    from codex_nb.client._tools import pydantic_function_tool
    from codex_nb.client.budget import budget
    from codex_nb.client.default import connect, session, use
    from codex_nb.client.session import Session
    from codex_nb.errors import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        AudioError,
        AuthenticationError,
        BadRequestError,
        BudgetReached,
        CacheMiss,
        CloudflareChallenge,
        CodexError,
        ContextWindowExceeded,
        FileError,
        InternalServerError,
        InvalidAnswer,
        InvalidOption,
        MalformedStream,
        ModelAtCapacity,
        NotFoundError,
        NotSignedIn,
        PermissionDeniedError,
        RateLimitError,
        ResponseFailed,
        SignInExpired,
        Stopped,
        StreamInterrupted,
        ToolError,
        UnsupportedByBackend,
        UnsupportedParameter,
        UsageLimitInStream,
        UsageLimitReached,
    )
    from codex_nb.notebook.asking import ask
    from codex_nb.notebook.doctor import doctor
    from codex_nb.notebook.recorder import Recorder
    from codex_nb.notebook.transcribing import transcribe
    from codex_nb.privacy import private
    from codex_nb.settings import Backend
    from codex_nb.tools.function import tool

# Public name -> the module that has it; a module of the same name is the name itself.
_HOME = {
    "Answer": "codex_nb.chat.answer",
    "Backend": "codex_nb.settings",
    "Bearer": "codex_nb.auth.bearer",
    "CodexAuth": "codex_nb.auth.bearer",
    "Recorder": "codex_nb.notebook.recorder",
    "Session": "codex_nb.client.session",
    "__version__": "codex_nb._version",
    "ask": "codex_nb.notebook.asking",
    "budget": "codex_nb.client.budget",
    "connect": "codex_nb.client.default",
    "doctor": "codex_nb.notebook.doctor",
    "errors": "codex_nb.errors",
    "frames": "codex_nb.frames",
    "private": "codex_nb.privacy",
    "pydantic_function_tool": "codex_nb.client._tools",
    "serve": "codex_nb.serve",
    "session": "codex_nb.client.default",
    "tool": "codex_nb.tools.function",
    "transcribe": "codex_nb.notebook.transcribing",
    "use": "codex_nb.client.default",
}

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "Answer",
    "AudioError",
    "AuthenticationError",
    "Backend",
    "BadRequestError",
    "Bearer",
    "BudgetReached",
    "CacheMiss",
    "CloudflareChallenge",
    "CodexAuth",
    "CodexError",
    "ContextWindowExceeded",
    "FileError",
    "InternalServerError",
    "InvalidAnswer",
    "InvalidOption",
    "MalformedStream",
    "ModelAtCapacity",
    "NotFoundError",
    "NotSignedIn",
    "PermissionDeniedError",
    "RateLimitError",
    "Recorder",
    "ResponseFailed",
    "Session",
    "SignInExpired",
    "Stopped",
    "StreamInterrupted",
    "ToolError",
    "UnsupportedByBackend",
    "UnsupportedParameter",
    "UsageLimitInStream",
    "UsageLimitReached",
    "__version__",
    "ask",
    "budget",
    "connect",
    "doctor",
    "errors",
    "frames",
    "private",
    "pydantic_function_tool",
    "serve",
    "session",
    "tool",
    "transcribe",
    "use",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first touched. What has no home of its own is an error class."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    module = import_module(_HOME.get(name, "codex_nb.errors"))
    value = module if module.__name__ == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Load the magics: what ``%load_ext codex_nb`` calls."""
    from codex_nb.notebook.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away: what ``%unload_ext codex_nb`` calls."""
    from codex_nb.notebook.magics import unload

    unload(shell)
