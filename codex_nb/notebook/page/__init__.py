"""What the recorder is in a page: small scripts of one idea each, put together here, and its style."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "recorder_script"]

FOLDER: Final = Path(__file__).parent
# Each uses what stands before it.
PARTS: Final = ("dom", "sha256", "upload", "microphone", "tape", "cells", "player", "words", "view", "recorder")


def recorder_script() -> str:
    """Return the recorder's module; nothing in it comes from elsewhere."""
    return "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in PARTS)
