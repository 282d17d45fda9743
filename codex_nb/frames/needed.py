"""The columns that a frame must still have, after its user has reshaped it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from pandas.api.types import is_hashable

from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_columns"]

HINT: Final = "Keep the columns that it came with. One that became the index is back after reset_index()."


def check_columns(frame: pd.DataFrame, needed: Iterable[Any], hint: str = HINT) -> None:
    """Let a frame pass that has each of the ``needed`` columns once.

    Raises:
        InvalidOption: one of them is missing, or there several times.

    """
    there: list[Any] = [*frame.columns]
    for name in needed:
        # What cannot be hashed is no name, and may not even be compared.
        if not is_hashable(name) or name not in there:
            raise InvalidOption(f"There is no column {name!r}.", hint=hint)
        if there.count(name) > 1:
            raise InvalidOption(f"There are several columns {name!r}.", hint="Give each a name of its own.")
