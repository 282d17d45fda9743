"""What administrators and the user have set (``session.codex.config`` and the messages beside it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client.resources._asking import read
from codex_nb.types._record import Payload
from codex_nb.types.config import (
    ConfigBundle,
    Requirements,
    UserSettings,
    UserSystemMessages,
    WorkspaceMessages,
)
from codex_nb.wire.call import Call, Flow

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["Config", "SystemMessages", "WorkspaceMessageList"]

# What changes behind a cache's back.
FRESH = {"cache-control": "no-cache, no-store"}


class Config(Resource[F]):
    """``session.codex.config``."""

    @endpoint
    def requirements(self) -> Flow[Requirements]:
        """Read what the workspace requires of Codex clients: ``.contents`` is TOML, ``.parsed()`` a dict.

        Where nothing is required (the service says so by 404, or by an object without contents) ``.required`` is
        false and every field None.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

        """
        reply: Reply = yield Call("GET", "account/wham/config/requirements", also_fine=frozenset({404}))
        return shaped(Requirements, {} if reply.status == 404 else reply.json())

    @endpoint
    def bundle(self) -> Flow[ConfigBundle]:
        """Read all configuration that the workspace sets, in its layers.

        Raises:
            NotFoundError: the service has none for this account.

        """
        return (yield from read(ConfigBundle, "account/wham/config/bundle"))

    @endpoint
    def user_settings(self) -> Flow[UserSettings]:
        """Read what the user set for Codex in the cloud."""
        reply: Reply = yield Call("GET", "account/wham/settings/user", headers=FRESH)
        return shaped(UserSettings, reply.json())

    @endpoint
    def user_preferences_config(self) -> Flow[Payload]:
        """Read which preferences there are and what bounds them. Their form is not on record: see ``.raw``."""
        return (yield from read(Payload, "account/wham/settings/configs/user-preferences"))


class SystemMessages(Resource[F]):
    """``session.codex.user_system_messages``."""

    @endpoint
    def retrieve(self) -> Flow[UserSystemMessages]:
        """Read the user's custom instructions for ChatGPT.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

        """
        return (yield from read(UserSystemMessages, "account/user_system_messages"))


class WorkspaceMessageList(Resource[F]):
    """``session.codex.workspace_messages``."""

    @endpoint
    def list(self) -> Flow[WorkspaceMessages]:
        """List what the workspace tells its members."""
        reply: Reply = yield Call("GET", "account/wham/workspace-messages", headers={"cache-control": "no-store"})
        return shaped(WorkspaceMessages, reply.json())
