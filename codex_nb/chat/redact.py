"""Secrets in a text, put out of sight before it is sent, and put back into what is made of it."""

from __future__ import annotations

import re
from typing import Final

from codex_nb.privacy import CREDENTIALS, WRITTEN
from codex_nb.wire.failures import SECRETS

__all__ = ["Hidden"]

# Credentials by their looks, what is assigned to a telling name, and addresses of people.
PATTERNS: Final = (SECRETS, CREDENTIALS, WRITTEN, re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"))


class Hidden:
    """What was hidden so far: each secret has a name of its own, the same in every text."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Hidden, {len(self._names)} secrets>"

    def hide(self, text: str) -> str:
        """Return ``text`` with names in place of its secrets."""
        for secret, name in self._names.items():
            text = text.replace(secret, name)
        for pattern in PATTERNS:
            text = pattern.sub(self._named, text)
        return text

    def restore(self, text: str) -> str:
        """Return ``text`` with the secrets in place of their names."""
        for secret, name in self._names.items():
            text = text.replace(name, secret)
        return text

    def _named(self, match: re.Match[str]) -> str:
        found, secret = match[0], match.groupdict().get("secret") or match[0]
        if secret in self._names.values():
            return found
        name = self._names.setdefault(secret, f"[hidden-{len(self._names) + 1}]")
        return found.replace(secret, name)
