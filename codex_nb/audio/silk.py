"""SILK v3, the format of voice messages: decoded in this process, or by a program that the user names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from codex_nb.audio.pcm import PcmFormat
from codex_nb.audio.source import scratch
from codex_nb.errors import InvalidOption

if TYPE_CHECKING:
    from codex_nb.audio.clip import Kept
    from codex_nb.audio.trouble import Trouble

__all__ = ["RATE", "RATES", "decoded_silk"]

RATE: Final = 24_000
RATES: Final = (8000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000)
PROGRAM: Final = "rust-silk"
ENVIRONMENT: Final = "CODEX_ASR_SILK_DECODER"
PATIENCE: Final = 300.0


def decoded_silk(kept: Kept, trouble: Trouble, decoder: str | None, rate: int) -> tuple[Path, PcmFormat | None]:
    """Return a temporary file of decoded sound, and its format (None: it is a WAV file, which says so itself).

    ``decoder`` goes before the program in ``CODEX_ASR_SILK_DECODER``, before ``rust-silk`` on the PATH, before the
    extra ``silk``, which decodes in this process.

    Raises:
        AudioError: it cannot be decoded, or there is nothing to decode it.
        InvalidOption: the rate is none of SILK's, or there is no such decoder.

    """
    if rate not in RATES:
        raise InvalidOption(
            f"SILK is not decoded at {rate} Hz.", hint=f"Rates are {', '.join(str(each) for each in RATES)}."
        )
    program = _program(decoder)
    if program is not None:
        return _by_program(program, kept, trouble, rate), None
    return _here(kept, trouble, rate), PcmFormat(rate)


def _program(decoder: str | None) -> str | None:
    for named, place in ((decoder, "The SILK decoder"), (os.environ.get(ENVIRONMENT, "").strip(), ENVIRONMENT)):
        if named:
            found = str(Path(named).expanduser())
            if not Path(found).is_file() and not (found := shutil.which(named) or ""):
                raise InvalidOption(f"{place} {named} does not exist.", hint="Name the program with its path.")
            return found
    return shutil.which(PROGRAM)


def _here(kept: Kept, trouble: Trouble, rate: int) -> Path:
    try:
        import pysilk  # pyright: ignore[reportMissingTypeStubs, reportMissingImports]
    except ImportError:
        raise trouble.needs("the package silk-python", "silk") from None
    path = scratch(".pcm")
    try:
        with kept.open() as source, path.open("wb") as target:
            pysilk.decode(source, target, rate)  # pyright: ignore[reportUnknownMemberType]
    except pysilk.SilkError as error:  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        path.unlink(missing_ok=True)
        raise trouble.broken(f"SILK says {str(cast('Exception', error)).lower()}") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _by_program(program: str, kept: Kept, trouble: Trouble, rate: int) -> Path:
    source, target = scratch(".silk"), scratch(".wav")
    try:
        with kept.open() as given, source.open("wb") as copy:
            shutil.copyfileobj(given, copy)
        options = ["decode", "-i", str(source), "-o", str(target), "--sample-rate", str(rate), "--quiet"]
        _run([program, *options], trouble)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        source.unlink(missing_ok=True)
    return target


def _run(command: list[str], trouble: Trouble) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603 - the user's own
    except (OSError, subprocess.TimeoutExpired) as error:
        why = getattr(error, "strerror", None) or "it did not end"
        raise trouble.error(f"The SILK decoder {command[0]} failed: {why}.", "Run it by hand to see why.") from None
    if done.returncode:
        said = b" ".join((done.stderr, done.stdout)).decode("utf-8", "replace")
        raise trouble.broken(f"{Path(command[0]).name} ended with {done.returncode}: {' '.join(said.split())[:300]}")
