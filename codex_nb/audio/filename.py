"""The name and content type that a recording is uploaded under: what was claimed, corrected by its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_nb.audio.containers import Container

__all__ = ["base_name", "repaired"]

UNNAMED = "audio"


def base_name(name: str | None) -> str:
    """Return a file name without folders, quotes and control characters; "audio" where nothing is left."""
    last = re.split(r"[/\\]", name or "")[-1]
    return re.sub(r"[\"'\x00-\x1f\x7f]", "", last).strip() or UNNAMED


def repaired(name: str | None, content_type: str | None, container: Container) -> tuple[str, str]:
    """Return the name and content type for bytes in this container.

    An extension that is right for the container stays, any other gives way to the container's own (codex-asr kept a
    wrong one, which the platform then refuses). The same holds for content types, without their parameters.
    """
    name = base_name(name)
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    right = {container.extension, *container.also}
    if extension.lower() not in right:
        # What stands behind the dot may be no extension at all: "talk v1.2", "Mr. Smith".
        keep = extension and not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,4}|[0-9][A-Za-z][A-Za-z0-9]{0,2}", extension)
        stem = name if keep else stem
        name = f"{stem if stem.strip('.') else UNNAMED}.{container.extension}"
    elif not stem:
        name = f"{UNNAMED}.{extension}"
    claimed = (content_type or "").partition(";")[0].strip().lower()
    kept = claimed if claimed.startswith(("audio/", "video/")) and claimed in _types(container) else ""
    return name, kept or container.mime_type


def _types(container: Container) -> set[str]:
    """Return the canonical types: an alias gives way to the type that it stands for."""
    return {container.mime_type, container.mime_type.replace("audio/", "video/", 1)}
