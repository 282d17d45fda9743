"""Writing the login file: whole or not at all, for its owner alone, and with everything in it that others put there."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from codex_nb.errors import AuthenticationError
from codex_nb.wire.json import JSONObject, as_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "Content",
    "cannot_write",
    "content_of",
    "make_folder",
    "merged",
    "moment",
    "read",
    "remove",
    "replace",
    "try_out",
]

PREFIX: Final = ".auth-"
# Seconds after which a temporary file can only be what a killed program left.
LEFT_BEHIND: Final = 600.0


class Content(bytes):
    """What is in a login file; it does not show in a repr, because tracebacks may print variables."""

    def __repr__(self) -> str:
        return "b'[hidden]'"


def read(path: Path) -> Content:
    """Return what is in the file.

    Raises:
        AuthenticationError: ``reason`` is ``unwritable``: it went away, or may not be read any more.

    """
    try:
        return Content(path.read_bytes())
    except OSError as error:
        raise cannot_write(path, error) from error


def merged(content: Content, tokens: Mapping[str, str], at: float) -> Content:
    """Return the file ``content`` with ``tokens`` in place of the old ones; everything else stays.

    ``at`` is the time of the change in epoch seconds.
    """
    top = as_object(json.loads(content))
    changed = {"tokens": {**as_object(top.get("tokens")), **tokens}, "last_refresh": moment(at)}
    return content_of({**top, **changed})


def content_of(fields: JSONObject) -> Content:
    """Return ``fields`` in the Codex CLI's own form: two blanks, no line end."""
    return Content(json.dumps(fields, indent=2).encode())


def moment(at: float) -> str:
    """Return a time (epoch seconds) as the file has it: RFC 3339, UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def make_folder(folder: Path) -> None:
    """Make the folder of a login file, for its owner alone, if it is not there.

    Raises:
        AuthenticationError: ``reason`` is ``unwritable``.

    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder / "auth.json", error) from error


def replace(path: Path, content: Content) -> None:
    """Put ``content`` in place of the file, which readers see whole at every moment. A link is followed.

    Raises:
        AuthenticationError: ``reason`` is ``unwritable``; the file is as it was.

    """
    try:
        target = path.resolve()
        temporary = _written(target.parent, content)
        try:
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
        _sweep(target.parent)
    except (OSError, RuntimeError) as error:  # a RuntimeError is a loop of links
        raise cannot_write(path, error) from error


def try_out(path: Path, content: Content) -> None:
    """Write as much as `replace` would and take it away again: better to know before tokens are used up.

    Raises:
        AuthenticationError: ``reason`` is ``unwritable``.

    """
    try:
        _written(path.resolve().parent, content).unlink()
    except (OSError, RuntimeError) as error:
        raise cannot_write(path, error) from error


def remove(path: Path) -> bool:
    """Remove the file (of a link, what it points to); return whether there was one.

    Raises:
        AuthenticationError: ``reason`` is ``unwritable``.

    """
    try:
        target = path.resolve()
        target.unlink()
        _sync_folder(target.parent)
    except FileNotFoundError:
        return False
    except (OSError, RuntimeError) as error:
        raise cannot_write(path, error) from error
    return True


def cannot_write(path: Path, error: Exception) -> AuthenticationError:
    """Return the error for a login file that cannot be written."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return AuthenticationError(
        f"The login file {path} cannot be written ({why}).",
        hint="Make its folder writable, or name another one in CODEX_HOME.",
        reason="unwritable",
    )


def _written(folder: Path, content: Content) -> Path:
    temporary = folder / f"{PREFIX}{secrets.token_hex(4)}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    # Some systems cannot open a folder, and some file systems cannot sync one; the file itself is safe by then.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what killed programs left: it holds tokens."""
    with contextlib.suppress(OSError):
        for left in folder.glob(f"{PREFIX}*"):
            if time.time() - left.lstat().st_mtime > LEFT_BEHIND:
                left.unlink()
