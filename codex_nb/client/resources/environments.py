"""Where cloud tasks run (``session.codex.environments`` and ``.repositories``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._paths import segment
from codex_nb.client.resources._asking import read
from codex_nb.errors import InvalidOption
from codex_nb.types._record import Payload
from codex_nb.types.environments import Environments

if TYPE_CHECKING:
    from codex_nb.wire.call import Flow

__all__ = ["EnvironmentList", "Repositories"]


class EnvironmentList(Resource[F]):
    """``session.codex.environments``. What it returns can hold secrets in plain text; they show in no repr."""

    @endpoint
    def list(self) -> Flow[Environments]:
        """List the environments of this account.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.
            MalformedStream: what came is no list of environments.

        """
        return (yield from read(Environments, "account/wham/environments"))

    @endpoint
    def by_repo(self, provider: str, owner: str, repo: str) -> Flow[Environments]:
        """List the environments that check out a repository, such as ``by_repo("github", "acme", "widgets")``.

        Raises:
            BadRequestError: the account is not connected to GitHub.

        """
        names = "/".join(
            (segment(provider, "code host"), segment(owner, "repository's owner"), segment(repo, "repository"))
        )
        return (yield from read(Environments, f"account/wham/environments/by-repo/{names}"))

    @endpoint
    def retrieve(self, environment_id: str) -> Flow[Payload]:
        """Read an environment with its creator and machine. Their form is not on record: ``.raw`` is the payload.

        Raises:
            InvalidOption: ``environment_id`` is no id; nothing was sent.
            NotFoundError: there is no such environment.

        """
        path = f"account/wham/environments/{segment(environment_id, 'environment')}/with-creator-and-machine"
        return (yield from read(Payload, path))

    @endpoint
    def search(self, query: str = "", *, cursor: str | None = None, limit: int = 20) -> Flow[Payload]:
        """Search the environments. The answer's form is not on record: ``.raw`` is the payload."""
        return (yield from read(Payload, "account/wham/environments/search", query=query, cursor=cursor, limit=limit))

    @endpoint
    def machines(self) -> Flow[Payload]:
        """List the kinds of machine. The answer's form is not on record: ``.raw`` is the payload."""
        return (yield from read(Payload, "account/wham/machines"))


class Repositories(Resource[F]):
    """``session.codex.repositories``: what the account's GitHub connection can see. ``.raw`` is the payload."""

    @endpoint
    def search(self, query: str, *, connector_id: str, limit: int = 20) -> Flow[Payload]:
        """Search the repositories of a connector."""
        path = "account/wham/github/repositories/search/all-installations"
        return (yield from read(Payload, path, query=_said(query), limit=limit, connector_id=_said(connector_id)))

    @endpoint
    def branches(self, repo_id: str, query: str, *, page_size: int = 20, cursor: str | None = None) -> Flow[Payload]:
        """Search the branches of a repository; its id is a number, with or without ``github-`` before it."""
        name = f"github-{segment(repo_id, 'repository').removeprefix('github-')}"
        path = f"account/wham/github/branches/{name}/search"
        return (yield from read(Payload, path, query=_said(query), page_size=page_size, cursor=cursor))


def _said(text: str) -> str:
    if not text:
        raise InvalidOption("A search needs a text.", hint="Nothing was sent.")
    return text
