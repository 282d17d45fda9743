"""The route ``local``: PocketSphinx in this process, a callable of the user's, or a server that the user names."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb import sphinx
from codex_nb.audio.prepare import bare
from codex_nb.client.resources._route import TIMED_MODEL, Heard, text_of
from codex_nb.errors import AuthenticationError, CodexError, InvalidOption, PermissionDeniedError
from codex_nb.settings import Backend
from codex_nb.wire.call import Blocking, Call, Tell
from codex_nb.wire.failures import clean
from codex_nb.wire.multipart import Form

if TYPE_CHECKING:
    from codex_nb.audio.clip import Clip
    from codex_nb.client._core import Core
    from codex_nb.client.resources._route import Asked
    from codex_nb.wire.call import Flow, Reply
    from codex_nb.wire.json import JSONObject

__all__ = ["ENGINE", "engine_of", "local"]

ENGINE: Final = "sphinx"
# What an engine that has no times of its own may be told besides the sound.
TOLD: Final = ("language", "prompt")


def engine_of(given: Any) -> Any:
    """Return an engine: ``sphinx``, an address, or a callable; without one, what ``CODEX_NB_ENGINE`` names.

    Raises:
        InvalidOption: it is none of these.

    """
    given = given or os.environ.get("CODEX_NB_ENGINE", "").strip() or ENGINE
    if callable(given) or given == ENGINE:
        return given
    if isinstance(given, str) and "://" in given:
        return Backend.openai(given)
    module, colon, name = given.partition(":") if isinstance(given, str) else ("", "", "")
    try:
        found: Any = getattr(import_module(module), name) if colon else None
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidOption(f"The engine {given} is not there: {error}.", hint="Write module:function.") from None
    if not callable(found):
        raise InvalidOption(
            f"{str(given)[:60]!r} is no engine.",
            hint='An engine is "sphinx", the address of an OpenAI-compatible server, "module:function" or a callable.',
        )
    return found


def local(core: Core, clip: Clip, asked: Asked) -> Flow[JSONObject]:  # noqa: ARG001 - as all routes
    """Let the engine hear one piece."""
    if isinstance(asked.engine, Backend):
        return (yield from _server(asked.engine, clip, asked))
    hear: Callable[[], Any] = partial(_sphinx, clip, asked) if asked.engine == ENGINE else partial(_own, clip, asked)
    found = yield Blocking(hear)
    if isinstance(found, Iterator):
        found = yield from _growing(cast("Iterator[Any]", found))
    return _answer(found)


def _server(server: Backend, clip: Clip, asked: Asked) -> Flow[JSONObject]:
    """Ask the user's own server. The session's login does not go there; ``CODEX_NB_ENGINE_KEY`` does."""
    wanted = "verbose_json" if asked.timed else "json"
    form = Form(clip, asked.fields(model=asked.model or TIMED_MODEL, response_format=wanted))
    key = os.environ.get("CODEX_NB_ENGINE_KEY", "").strip()
    own = {"authorization": f"Bearer {key}"} if key else {}
    address = server.url("platform/audio/transcriptions")
    try:
        reply: Reply = yield Call("POST", address, content=form, headers={**form.headers, **own}, signed_in=False)
    except AuthenticationError as error:  # it is not about the session's login
        raise PermissionDeniedError(
            f"The server at {server.name} wants a key, or another one (HTTP 401).",
            hint="Put its key into CODEX_NB_ENGINE_KEY.",
            status_code=401,
            body=error.body,
            url=error.url,
        ) from None
    return text_of(reply)


def _sphinx(clip: Clip, asked: Asked) -> Generator[str, None, str]:
    if asked.language and asked.language.partition("-")[0].lower() not in {"en", "english"}:
        raise InvalidOption(
            f"PocketSphinx hears English, not {asked.language!r}.",
            hint="Pass engine=: a callable of yours, or the address of an OpenAI-compatible server.",
        )
    return sphinx.growing(bare(clip, sphinx.RATE))


def _own(clip: Clip, asked: Asked) -> Any:
    """Call the user's engine with float32 samples at 16 kHz, and with what else it takes."""
    import numpy as np

    sound = np.frombuffer(b"".join(bare(clip, sphinx.RATE)), "<i2").astype(np.float32) / 32768
    with _failures(asked.engine):
        found = asked.engine(sound, **_taken(asked.engine, {name: getattr(asked, name) for name in TOLD}))
        if inspect.isawaitable(found):
            cast("Any", found).close()
            raise InvalidOption("The engine is asynchronous.", hint="Pass one that returns the text itself.")
        return found


def _taken(engine: Any, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the options that the engine has a parameter for."""
    try:
        parameters = inspect.signature(engine).parameters.values()
    except (TypeError, ValueError):  # a builtin
        return {}
    everything = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    names = {each.name for each in parameters}
    return {name: value for name, value in told.items() if value is not None and (everything or name in names)}


def _growing(parts: Iterator[Any]) -> Flow[Any]:
    """Take the parts of a text, telling them; what the engine returns at the end is the whole."""
    text = ""
    while True:
        part, over, whole = yield Blocking(partial(_next, parts))
        if over:
            return text if whole is None else whole
        text += str(part)
        yield Tell(Heard(text))


def _next(parts: Iterator[Any]) -> tuple[Any, bool, Any]:
    with _failures(parts):
        try:
            return next(parts), False, None
        except StopIteration as end:
            return None, True, end.value


def _answer(found: Any) -> JSONObject:
    """Return what an engine said, as the services say it: a text, or a mapping with ``text`` in it."""
    if isinstance(found, Mapping):
        said = dict(cast("Mapping[str, Any]", found))
    else:
        said = {"text": found if isinstance(found, str) else getattr(found, "text", None)}
    if not isinstance(said.get("text"), str):
        raise InvalidOption(
            f"The engine returned {type(cast('object', found)).__name__}, not a text.",
            hint="It shall return a str, an iterator of them, or a dict with text and, if it knows them, segments.",
        )
    return said


@contextmanager
def _failures(engine: Any) -> Generator[None]:
    """Tell an error of the user's engine as what it is."""
    try:
        yield
    except CodexError:
        raise
    except Exception as error:
        raise CodexError(
            f"The engine {getattr(engine, '__name__', type(engine).__name__)} raised {type(error).__name__}: "
            f"{clean(str(error))}.",
            hint="Its own traceback is in .__cause__.",
        ) from error
