"""The version, as the installed package says it."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("codex-nb")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "0"
