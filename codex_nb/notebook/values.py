"""What may stand behind an option: models, efforts, chats, and the notebook's own names. Nothing here waits long."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from codex_nb.notebook.complete import Line, Offer

if TYPE_CHECKING:
    from codex_nb.types.models import ModelInfo

__all__ = ["LISTS", "VALUES"]

# Seconds that Tab may wait for the service's list of models.
PATIENCE: Final = 0.15
# Seconds after which a list that could not be read is asked for again.
PAUSE: Final = 30.0
MOST_FILES: Final = 200
# IPython's own names in a notebook.
HIDDEN: Final = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open", "display"})

_asking = threading.Lock()
_asked = -PAUSE


def _models() -> list[ModelInfo]:
    """Return the models as they are known; where they are not, they are asked for beside the typing."""
    found = _known()
    if found is None and time.monotonic() - _asked > PAUSE and not _asking.locked():
        reader = threading.Thread(target=_ask, name="codex_nb models", daemon=True)
        reader.start()
        reader.join(PATIENCE)
        found = _known()
    return [model for model in found or () if model.listed]


def _known() -> list[ModelInfo] | None:
    default = sys.modules.get("codex_nb.client.default")
    session = default.opened() if default else None
    page = session.models.known if session else None
    return None if page is None else list(page)


def _ask() -> None:
    global _asked  # noqa: PLW0603 - one question a process is enough
    # Of backends only the usual one is opened by Tab: another may have to load a model first.
    usual = os.environ.get("CODEX_NB_BACKEND", "chatgpt") in {"", "chatgpt"}
    with _asking:
        try:
            from codex_nb.client.default import opened, session

            if known := opened() or (session() if usual else None):
                known.models.list()
        except Exception:  # noqa: BLE001 - no login, no network: then there is nothing to offer, and nothing to say
            _asked = time.monotonic()


def _model_names(line: Line) -> Iterator[Offer]:
    models = _models()
    name, slash, _ = line.begun.rpartition("/")
    if slash:
        for model in models:
            if model.id == name:
                yield from (Offer(f"{name}/{level.effort}", "effort") for level in model.supported_reasoning_levels)
    yield from (Offer(model.id, "model") for model in models)


def _efforts(line: Line) -> Iterator[Offer]:
    """Give the efforts of the model that this line or the configuration names, else those of all models."""
    wanted = line.value_of("-m", "--model").partition("/")[0] or _configured(line.shell, "model")
    models = _models()
    chosen = [model for model in models if model.id == wanted] or models
    levels = (level.effort for model in chosen for level in model.supported_reasoning_levels)
    return (Offer(str(level), "effort") for level in dict.fromkeys([*levels] or ["low", "medium", "high", "xhigh"]))


def _tiers(_line: Line) -> Iterator[Offer]:
    return (Offer(tier.id, "tier") for model in _models() for tier in model.service_tiers)


def _configured(shell: Any, name: str) -> str:
    from codex_nb.notebook.options import defaults

    return str(defaults(shell).get(name) or "")


def _chats(line: Line) -> Iterator[Offer]:
    from codex_nb.notebook.chats import conversations

    return (Offer(chat.name, "chat") for chat in conversations(line.shell).chats)


def _backends(_line: Line) -> Iterator[Offer]:
    return (Offer(name, "backend") for name in ("chatgpt", "local", "http://127.0.0.1:"))


def _variables(line: Line, fits: Callable[[Any], bool] = lambda _value: True) -> Iterator[Offer]:
    shell = line.shell
    for name, value in sorted(shell.user_ns.items()):
        own = not name.startswith("_") and name not in HIDDEN and name not in shell.user_ns_hidden
        if own and not isinstance(value, type(sys)) and fits(value):
            yield Offer(name, "instance")


def _targets(line: Line) -> Iterator[Offer]:
    return _variables(line)


def _context(line: Line) -> Iterator[Offer]:
    yield from _variables(line)
    yield from (Offer(name, "context") for name in ("error", "cell:-1"))


def _functions(line: Line) -> Iterator[Offer]:
    return _variables(line, lambda value: callable(value) and not isinstance(value, type))


def _schemas(line: Line) -> Iterator[Offer]:
    return _variables(line, _is_schema)


def _is_schema(value: object) -> bool:
    """Whether it is a type, a JSON schema or a frame, which its type tells."""
    return isinstance(value, (type, dict)) or "dtypes" in dir(type(value))  # pyright: ignore[reportUnknownArgumentType]


def _texts(line: Line) -> Iterator[Offer]:
    return (Offer(f"@{name}", kind) for name, kind in _variables(line, lambda value: isinstance(value, str)))


def _images(line: Line) -> Iterator[Offer]:
    yield from _variables(line, _is_image)
    yield from _files(line)


def _is_image(value: object) -> bool:
    """Whether it is a figure, an array or a picture; its type tells, so that no library has to be imported."""
    kind = type(value)
    return any(hasattr(kind, name) for name in ("savefig", "__array_interface__", "thumbnail"))


def _files(line: Line) -> Iterator[Offer]:
    folder, _, begun = line.begun.rpartition("/")
    root = folder or ("/" if line.begun.startswith("/") else ".")
    try:
        with os.scandir(os.path.expanduser(root)) as entries:  # noqa: PTH111 - what is typed stays as it is typed
            names = sorted((entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(begun))
    except OSError:
        return
    prefix = line.begun[: len(line.begun) - len(begun)]
    for name, is_folder in names[:MOST_FILES]:
        if " " not in name and (begun or not name.startswith(".")):
            yield Offer(f"{prefix}{name}{'/' if is_folder else ''}", "path")


def _routes(_line: Line) -> Iterator[Offer]:
    from codex_nb.client.resources._routes import ROUTES

    return (Offer(name, "route") for name in ROUTES)


def _engines(line: Line) -> Iterator[Offer]:
    yield from (Offer(name, "engine") for name in ("sphinx", "http://127.0.0.1:"))
    yield from _functions(line)


# Option (or the name of what stands without one) -> what may be there.
VALUES: Final[dict[str, Callable[[Line], Iterator[Offer]]]] = {
    "--model": _model_names,
    "--effort": _efforts,
    "--tier": _tiers,
    "--chat": _chats,
    "--with": _context,
    "--tool": _functions,
    "--schema": _schemas,
    "--out": _targets,
    "--instructions": _texts,
    "--image": _images,
    "--file": _files,
    "--route": _routes,
    "--engine": _engines,
    "--save": _files,
    "PATH": _files,
    "BACKEND": _backends,
    "CHAT": _chats,
}
# Those that take several names, with commas between them.
LISTS: Final = frozenset({"--with", "--route"})
