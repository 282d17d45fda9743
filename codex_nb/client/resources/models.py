"""Which models the account can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.errors import NotFoundError
from codex_nb.types.models import ModelInfo, ModelPage
from codex_nb.wire.call import Call, Flow
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from codex_nb.client._core import Core
    from codex_nb.wire.call import Reply

__all__ = ["Models", "default_model", "list_models"]

NOT_MODIFIED = 304


def list_models(core: Core, *, refresh: bool = False) -> Flow[ModelPage]:
    """Ask for the list; with the tag of the last one, so that an unchanged list is not sent again."""
    known = None if refresh else core.models
    reply: Reply = yield Call(
        "GET",
        "codex/models",
        params={"client_version": core.settings.client_version} if core.settings.backend.speaks_codex else None,
        headers={"if-none-match": known.etag} if known and known.etag else {},
        also_fine=frozenset({NOT_MODIFIED}) if known else frozenset(),
    )
    if reply.status == NOT_MODIFIED and known:
        return known
    payload = as_object(reply.json())
    # Servers that speak several dialects send both; `data` is then the OpenAI one.
    found: Any = payload.get("data") or payload.get("models") or []
    rows = cast("list[Any]", found if isinstance(found, list) else [found])
    core.models = ModelPage((shaped(ModelInfo, row) for row in rows), reply.headers.get("etag"))
    return core.models


def default_model(core: Core) -> Flow[str]:
    """Return the model that is meant when none is named: the session's, else the first that the service lists."""
    if core.settings.model:
        return core.settings.model
    page = core.models or (yield from list_models(core))
    listed = [model.id for model in page if model.listed] or [model.id for model in page]
    if not listed:
        raise NotFoundError(
            f"{core.settings.backend.name} lists no model.",
            hint="Name one: model=..., or -m in a cell.",
            status_code=404,
        )
    return listed[0]


class Models(Resource[F]):
    """``session.models``."""

    @property
    def known(self) -> ModelPage | None:
        """The list as it was last read; None before. Nothing is asked of the service."""
        return self._core.models

    @endpoint
    def list(self, *, refresh: bool = False) -> Flow[ModelPage]:
        """List the models of this account, best first.

        A list that did not change is not sent again (ETag); ``refresh`` asks for all of it.

        Raises:
            AuthenticationError: no usable login.
            APIError: the service could not be reached, or failed.

        """
        return (yield from list_models(self._core, refresh=refresh))

    @endpoint
    def default(self) -> Flow[str]:
        """Return the model that is used where none is named: the session's, else the first that the service lists.

        Raises:
            NotFoundError: the service lists none.

        """
        return (yield from default_model(self._core))

    @endpoint
    def retrieve(self, model: str) -> Flow[ModelInfo]:
        """Return what is known of ``model``.

        Raises:
            NotFoundError: the account has no such model; the hint lists close names.

        """
        page = yield from list_models(self._core)
        for info in page:
            if info.id == model:
                return info
        raise NotFoundError(f"This account has no model {model!r}.", hint=_close(model, page), status_code=404)


def _close(name: str, page: ModelPage) -> str:
    from difflib import get_close_matches

    names = [model.id for model in page]
    return f"Close to it: {', '.join(get_close_matches(name, names) or names[:5])}." if names else ""
