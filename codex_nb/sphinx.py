"""PocketSphinx, which hears English on this machine (extra ``local``): samples in, text out."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from codex_nb.errors import CodexError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RATE", "recognise"]

# Samples a second, 16 bits each, one channel: what its model was made of.
RATE: Final = 16_000

_lock = threading.Lock()
_decoder: Any = None


def recognise(blocks: Iterable[bytes]) -> str:
    """Return what is said in bare samples (16-bit little-endian mono, 16 kHz), an empty text for nothing.

    One recording at a time: there is one decoder a process, which takes a second to load.

    Raises:
        CodexError: the package is not installed.

    """
    with _lock:
        decoder = _loaded()
        decoder.start_utt()
        try:
            for block in blocks:
                decoder.process_raw(block, False, False)
        finally:
            decoder.end_utt()
        found = decoder.hyp()
        return str(found.hypstr) if found else ""


def _loaded() -> Any:
    global _decoder  # noqa: PLW0603 - loading it costs a second
    if _decoder is None:
        try:
            package: Any = import_module("pocketsphinx")
        except ImportError as error:
            raise CodexError(
                "Recognition on this machine needs PocketSphinx.",
                hint='Install it with: pip install "codex-nb[local]".',
            ) from error
        _decoder = package.Decoder(samprate=RATE, loglevel="FATAL")
    return _decoder
