"""Where requests go and what is assumed: arguments first, then the environment, then a default."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from codex_nb.errors import InvalidOption, UnsupportedByBackend

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Backend", "Settings", "cache_folder", "chosen_file", "codex_home", "data_folder", "oauth_path"]

# The official client's number: the model list is filtered by it, so a stale value hides models.
CLIENT_VERSION = "0.169.0"
CONNECT_SECONDS = 15.0
# The official client's limit for silence on a stream.
SILENCE_SECONDS = 300.0
# More does not fit the clocks of all systems.
LONGEST_SECONDS = 1e9
OFF = frozenset({"off", "0", "no", "none", "false"})


def codex_home() -> Path:
    """Return the folder that the Codex CLI keeps its login in: ``$CODEX_HOME``, else ``~/.codex``."""
    return Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")


def data_folder() -> Path:
    """Return the folder for what this package keeps for its user."""
    from platformdirs import user_data_path

    return user_data_path("codex_nb", appauthor=False)


def chosen_file(variable: str, name: str) -> Path | None:
    """Return where the file ``name`` is kept: the environment's ``variable`` is ``off`` (None), a file or a folder.

    Without it the file is in the user's data folder.
    """
    said = os.environ.get(variable, "").strip()
    if said.lower() in OFF:
        return None
    path = Path(os.path.abspath(Path(said).expanduser())) if said else data_folder()  # noqa: PTH100 - links stay
    return path / name if not said or path.is_dir() else path


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``$CODEX_NB_CACHE_FOLDER``, else the user's cache folder."""
    from platformdirs import user_cache_path

    said = os.environ.get("CODEX_NB_CACHE_FOLDER", "").strip()
    return Path(said).expanduser() if said else user_cache_path("codex_nb", appauthor=False)


def oauth_path(name: str) -> str:
    """Return the path of the issuer's ``token`` or ``revoke`` endpoint; the Codex CLI's variables may put it elsewhere.

    They are ``CODEX_REFRESH_TOKEN_URL_OVERRIDE`` and ``CODEX_REVOKE_TOKEN_URL_OVERRIDE``, each a full address.
    """
    variable = {"token": "CODEX_REFRESH_TOKEN_URL_OVERRIDE", "revoke": "CODEX_REVOKE_TOKEN_URL_OVERRIDE"}[name]
    elsewhere = os.environ.get(variable, "").strip()
    return _root(elsewhere) if elsewhere else f"issuer/oauth/{name}"


def _root(url: str) -> str:
    """Return ``url`` without query, fragment and closing slash; refuse what is no http(s) address."""
    try:
        parts = urlsplit(url.strip())
        named = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and " " not in parts.netloc
    except ValueError:  # brackets that do not match, a port that is no number
        parts = named = None
    if not parts or not named:
        raise InvalidOption(
            "A backend's address begins with http:// or https:// and names a host.",
            hint='Example: Backend.openai("http://127.0.0.1:8080/v1").',
        )
    if parts.username or parts.password:
        raise InvalidOption(
            "A backend's address may not hold a user name or password.",
            hint="Pass the key as auth=Bearer(...).",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


@dataclass(frozen=True, slots=True)
class Backend:
    """A server: where each part of the wire is found. Build one by `chatgpt`, `at`, `openai` or `parse`.

    A call's path begins with the part it belongs to, ``codex/responses`` or ``account/wham/usage``;
    ``roots`` maps the part to its address, and a part that is not there is an `UnsupportedByBackend`.
    """

    name: str
    roots: Mapping[str, str] = field(hash=False)
    # Which login is used when none is given: "codex" (auth.json), "none", or "local" (any bearer will do).
    login: str = "codex"

    @classmethod
    def chatgpt(cls) -> Backend:
        """Return the service behind a ChatGPT subscription."""
        return cls(
            "chatgpt",
            {
                "codex": "https://chatgpt.com/backend-api/codex",
                "account": "https://chatgpt.com/backend-api",
                "platform": "https://api.openai.com/v1",
                "issuer": "https://auth.openai.com",
            },
        )

    @classmethod
    def at(cls, url: str, *, name: str = "", login: str = "codex") -> Backend:
        """Return a server that speaks the whole Codex wire under one root address."""
        root = _root(url)
        roots = {
            "codex": f"{root}/backend-api/codex",
            "account": f"{root}/backend-api",
            "platform": f"{root}/v1",
            "issuer": root,
        }
        return cls(name or root, roots, login)

    @classmethod
    def openai(cls, url: str) -> Backend:
        """Return an OpenAI-compatible server; ``url`` is what others call its base URL, mostly ending in ``/v1``."""
        root = _root(url)
        return cls(root, {"codex": root, "platform": root}, login="none")

    @classmethod
    def parse(cls, text: str | Backend | None = None) -> Backend:
        """Return the backend that ``text`` names: ``chatgpt``, ``local``, or an address.

        None asks the environment (``CODEX_NB_BACKEND``) and then means ``chatgpt``. ``local`` starts the embedded
        backend, once a process.
        """
        if isinstance(text, Backend):
            return text
        text = (text or os.environ.get("CODEX_NB_BACKEND") or "chatgpt").strip()
        if text == "chatgpt":
            return cls.chatgpt()
        if "://" not in text:
            return cls.at(_open_plugin(text), name=text, login="local")
        return cls.openai(text) if urlsplit(_root(text)).path.endswith("/v1") else cls.at(text)

    @property
    def speaks_codex(self) -> bool:
        """Whether this is the Codex wire, not a plain OpenAI-compatible server."""
        return "account" in self.roots

    def url(self, path: str) -> str:
        """Return the address of ``path``, such as ``codex/models``. A full address comes back as it is.

        Raises:
            UnsupportedByBackend: this server has no such part.

        """
        if "://" in path:
            return path
        part, slash, rest = path.partition("/")
        if part not in self.roots:
            raise UnsupportedByBackend(
                f"The backend {self.name} has no {part} data ({rest}).",
                hint="It is an OpenAI-compatible server: it answers, lists models and embeds. "
                'Account data needs use("chatgpt").',
            )
        return f"{self.roots[part]}{slash}{rest}"


def _open_plugin(name: str) -> str:
    """Start the backend that a package registered under ``name``, and return its address."""
    found = entry_points(group="codex_nb.backends", name=name)
    if not found:
        known = sorted({"chatgpt", *entry_points(group="codex_nb.backends").names})
        raise InvalidOption(
            f"There is no backend called {name!r}.",
            hint=f"Known are {', '.join(known)}, or an address such as http://127.0.0.1:8080/v1.",
        )
    return next(iter(found)).load()()


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not 0 < value <= LONGEST_SECONDS:
        raise InvalidOption(f"{variable} is {text!r}.", hint="It must be a number of seconds, above 0.")
    return value


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session assumes. ``connect`` and ``silence`` are seconds; neither limits the length of an answer."""

    backend: Backend
    model: str | None
    connect: float
    silence: float
    max_retries: int
    originator: str
    client_version: str = CLIENT_VERSION

    @classmethod
    def read(
        cls,
        backend: Backend | str | None = None,
        *,
        model: str | None = None,
        timeout: float | tuple[float, float] | None = None,
        max_retries: int = 2,
    ) -> Settings:
        """Return the settings: the arguments, then ``CODEX_NB_*`` from the environment, then the defaults."""
        usual = _number("CODEX_NB_TIMEOUT", SILENCE_SECONDS) if timeout is None else timeout
        pair = usual if isinstance(usual, tuple) else (CONNECT_SECONDS, usual)
        numbers = len(pair) == 2 and all(isinstance(each, Real) for each in (*pair, max_retries))
        if not numbers or not 0 < pair[1] <= LONGEST_SECONDS or not pair[0] > 0 or max_retries < 0:
            raise InvalidOption(
                "The time-out must be a number of seconds above 0, or a pair of them, and max_retries at least 0.",
                hint="Leave them out for 300 seconds of silence and 2 retries.",
            )
        connect, silence = pair
        return cls(
            backend=Backend.parse(backend),
            model=model or os.environ.get("CODEX_NB_MODEL") or None,
            connect=min(silence, connect),
            silence=silence,
            max_retries=max_retries,
            originator=os.environ.get("CODEX_INTERNAL_ORIGINATOR_OVERRIDE") or "codex_cli_rs",
        )
