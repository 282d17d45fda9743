"""What the account has and has left (``session.codex``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client.resources.profile import AccountList, Config, EnvironmentList, MemoryStore, SystemMessages
from codex_nb.client.resources.tasks import Tasks
from codex_nb.types.account import Usage
from codex_nb.wire.call import Call, Flow

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["Codex"]


class Codex(Resource[F]):
    """``session.codex``: read-only data of the account."""

    @endpoint
    def usage(self) -> Flow[Usage]:
        """Read the quota: every limit of the plan with its windows, and the credits.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

        """
        reply: Reply = yield Call("GET", "account/wham/usage")
        return shaped(Usage, reply.json())

    @cached_property
    def tasks(self) -> Tasks[F]:
        """Tasks that Codex does in the cloud."""
        return Tasks(self._core, self._driver)

    @cached_property
    def environments(self) -> EnvironmentList[F]:
        """Where tasks run."""
        return EnvironmentList(self._core, self._driver)

    @cached_property
    def memories(self) -> MemoryStore[F]:
        """What ChatGPT remembers of its user."""
        return MemoryStore(self._core, self._driver)

    @cached_property
    def user_system_messages(self) -> SystemMessages[F]:
        """The user's own instructions for ChatGPT."""
        return SystemMessages(self._core, self._driver)

    @cached_property
    def config(self) -> Config[F]:
        """Rules that an organization sets."""
        return Config(self._core, self._driver)

    @cached_property
    def accounts(self) -> AccountList[F]:
        """The accounts that the login may use."""
        return AccountList(self._core, self._driver)
