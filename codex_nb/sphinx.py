"""PocketSphinx, which hears English on this machine (extra ``local``): samples in, text out."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from codex_nb.extras import extra

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

__all__ = ["RATE", "growing", "recognise"]

# Samples a second, 16 bits each, one channel: what its model was made of.
RATE: Final = 16_000
# The last words of what is heard so far still change.
UNSETTLED: Final = 3
WITHOUT_WHEEL: Final = "On Python 3.14: pip install pocketsphinx, which builds it with a C compiler."

_lock = threading.Lock()
# Loading one takes a second.
_idle: list[Any] = []


def recognise(blocks: Iterable[bytes], tell: Callable[[str], None] | None = None) -> str:
    """Return what is said in bare samples (16-bit little-endian mono, 16 kHz), an empty text for nothing.

    ``tell`` is called with each part of the text once it is settled. One recording at a time.

    Raises:
        CodexError: the package is not installed.

    """
    with _lock:
        parts = growing(blocks)
        while True:
            try:
                part = next(parts)
            except StopIteration as end:
                return str(end.value)
            if tell:
                tell(part)


def growing(blocks: Iterable[bytes]) -> Generator[str, None, str]:
    """Give the text of bare samples as it settles, and return the whole, which may differ in a word or two.

    Raises:
        CodexError: the package is not installed.

    """
    decoder = _idle.pop() if _idle else _loaded()
    told = ""
    try:
        decoder.start_utt()
        try:
            for block in blocks:
                decoder.process_raw(block, False, False)
                settled = " ".join(_heard(decoder).split()[:-UNSETTLED])
                if settled.startswith(told) and len(settled) > len(told):
                    yield settled[len(told) :]
                    told = settled
        finally:
            decoder.end_utt()
        text = _heard(decoder)
        if text.startswith(told) and len(text) > len(told):
            yield text[len(told) :]
        return text
    finally:
        _idle.append(decoder)


def _heard(decoder: Any) -> str:
    found = decoder.hyp()
    return str(found.hypstr) if found else ""


def _loaded() -> Any:
    with extra("local", "Recognition on this machine", otherwise=WITHOUT_WHEEL):
        package: Any = import_module("pocketsphinx")
    return package.Decoder(samprate=RATE, loglevel="FATAL")
