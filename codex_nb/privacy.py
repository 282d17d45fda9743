"""What stays on this machine: the columns that you call private, and secrets that stand in values."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = [
    "CREDENTIALS",
    "HIDDEN",
    "WRITTEN",
    "Private",
    "is_private",
    "is_secret_name",
    "placeholder",
    "private",
    "private_names",
    "redact",
]

HIDDEN: Final = "[hidden]"

# Credentials as they look: web tokens, keys of well-known services, header values, private keys.
CREDENTIALS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|eyJ[\w-]{8,}(?:\.[\w-]*)*|\bsk-[\w-]{8,}|\b[srp]k_(?:live|test)_\w{8,}"
    r"|\b(?:rt|at)[-_](?=[\w-]{0,99}\d)[\w-]{12,}|(?i:\bbearer)\s+[\w.~+/=-]{8,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
    r"|\bxox[abeoprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z]{20,}|(?<=://)[^\s/:@'\"]{1,99}:[^\s/@'\"]{1,99}(?=@)",
    re.DOTALL,
)
# What is written down under a telling name: `password = "…"`, `"api_key": "…"`.
TELLING: Final = (
    r"passwo?r?d|passphrase|secret|api_?key|(?:access|auth|refresh|id|session)_?token|(?:private|access)_?key"
)
WRITTEN: Final = re.compile(
    rf"""((?i:{TELLING})\w{{0,20}}["']?\]?\s{{0,9}}(?::\s{{0,9}}\w{{1,20}}\s{{0,9}})?[:=]\s{{0,9}})([bfru]?["'])(?P<secret>[^"'\n]{{3,}})(?=["'])"""
)
SECRET_NAME: Final = re.compile(rf"(?:{TELLING}|_token|credentials?|authorization|cookie)s?$", re.IGNORECASE)

_names: Counter[str] = Counter()


class Private:
    """Names that are private, until `undo` or the end of the ``with`` block."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._kept = [name.casefold() for name in names]
        _names.update(self._kept)

    def __repr__(self) -> str:
        if not self._kept:
            return f"<not private any more: {', '.join(self.names)}>"
        return f"<private: {', '.join(self.names)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()

    def undo(self) -> None:
        """Let them be sent again, unless they were called private another time."""
        for name in self._kept:
            _names[name] -= 1
        self._kept = []


def private(*names: str) -> Private:
    """Keep what these columns and keys hold on this machine, from now on, in the whole notebook.

    Wherever codex_nb describes an object to a model, a column, index level, key or field of that name (case does not
    matter) shows its type and how much is missing, and no value. Text that you make of them yourself is yours:
    ``{{sales.to_csv()}}`` sends all of it. ``with private("email"):`` ends with the block, ``.undo()`` takes it back.

    Raises:
        InvalidOption: no name, or what is no string.

    """
    if not names or not all(isinstance(name, str) and name for name in cast("tuple[Any, ...]", names)):
        raise InvalidOption("private needs the names of columns.", hint='Call it like this: private("email", "phone").')
    return Private(names)


def private_names() -> list[str]:
    """Return the names that are private, in lower case."""
    return sorted(name for name, count in _names.items() if count > 0)


def is_private(name: Any) -> bool:
    """Whether ``name`` is private; of the name of a column with several levels, each one counts."""
    if isinstance(name, tuple):
        return any(is_private(each) for each in cast("tuple[Any, ...]", name))
    return isinstance(name, str) and (_names[name.casefold()] > 0 or is_secret_name(name))


def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret by any standard: ``password``, ``OPENAI_API_KEY``."""
    return SECRET_NAME.search(name) is not None


def placeholder(kind: object) -> str:
    """Return what stands for a private value; it keeps the type."""
    return f"<private {kind}>"


def redact(text: str) -> str:
    """Return ``text`` with what looks like a credential hidden."""
    return WRITTEN.sub(rf"\1\2{HIDDEN}", CREDENTIALS.sub(HIDDEN, text))
