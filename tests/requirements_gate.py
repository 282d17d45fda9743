"""What some tests need beyond Python: skipped where it is missing, an error where it is required."""

import os

import pytest


def require(name: str, missing: str | None) -> None:
    """Skip with the reason, or fail when ``CODEX_NB_REQUIRE`` (names, separated by blanks) asks for ``name``."""
    if missing is None:
        return
    if name in os.environ.get("CODEX_NB_REQUIRE", "").split():
        pytest.fail(f"{name} is required here: {missing}", pytrace=False)
    pytest.skip(missing)


def missing_model() -> str | None:
    """Return why the real model cannot run here, None if it can."""
    from importlib.util import find_spec

    from codex_nb.errors import CodexError
    from codex_nb.local.engines.gguf import find_model

    if find_spec("xllamacpp") is None:
        return "the extra `local` is not installed"
    try:
        find_model()
    except CodexError as error:
        return f"no model file: {error.message} (group demo has one)"
    return None
