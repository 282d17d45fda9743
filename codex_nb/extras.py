"""Packages that are imported only where they are used: one that is missing is named, with the way to install it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from codex_nb.errors import CodexError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["extra"]


@contextmanager
def extra(name: str, user: str, *, otherwise: str = "") -> Generator[None]:
    """Import in here what the extra ``name`` brings for ``user`` (the subject of a sentence).

    Raises:
        CodexError: it is not installed; ``otherwise`` is what one can do instead.

    """
    try:
        yield
    except ImportError as error:
        raise CodexError(
            f"{user} needs the package {(error.name or name).partition('.')[0]}, which is not installed.",
            hint=f'Install it with: pip install "codex-nb[{name}]". {otherwise}'.rstrip(),
        ) from error
