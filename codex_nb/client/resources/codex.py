"""What the account has and has left (``session.codex``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client.resources._asking import read
from codex_nb.types.account import Usage

if TYPE_CHECKING:
    from codex_nb.client.resources.accounts import AccountList, OwnProfile, ResetCreditList
    from codex_nb.client.resources.config import Config, SystemMessages, WorkspaceMessageList
    from codex_nb.client.resources.environments import EnvironmentList, Repositories
    from codex_nb.client.resources.memories import MemoryStore
    from codex_nb.client.resources.tasks import Tasks
    from codex_nb.client.resources.usage_details import UsageDetails
    from codex_nb.wire.call import Flow

__all__ = ["Codex"]


class Codex(Resource[F]):
    """``session.codex``: read-only data of the account. Each family is imported when it is first touched."""

    @endpoint
    def usage(self) -> Flow[Usage]:
        """Read the quota: every limit of the plan with its windows, and the credits.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

        """
        return (yield from read(Usage, "account/wham/usage"))

    @cached_property
    def usage_details(self) -> UsageDetails[F]:
        """Where the quota went."""
        from codex_nb.client.resources.usage_details import UsageDetails

        return UsageDetails(self._core, self._driver)

    @cached_property
    def tasks(self) -> Tasks[F]:
        """Cloud tasks and their turns."""
        from codex_nb.client.resources.tasks import Tasks

        return Tasks(self._core, self._driver)

    @cached_property
    def environments(self) -> EnvironmentList[F]:
        """Where cloud tasks run."""
        from codex_nb.client.resources.environments import EnvironmentList

        return EnvironmentList(self._core, self._driver)

    @cached_property
    def repositories(self) -> Repositories[F]:
        """What the account's GitHub connection can see."""
        from codex_nb.client.resources.environments import Repositories

        return Repositories(self._core, self._driver)

    @cached_property
    def memories(self) -> MemoryStore[F]:
        """What is remembered."""
        from codex_nb.client.resources.memories import MemoryStore

        return MemoryStore(self._core, self._driver)

    @cached_property
    def config(self) -> Config[F]:
        """What administrators and the user have set."""
        from codex_nb.client.resources.config import Config

        return Config(self._core, self._driver)

    @cached_property
    def user_system_messages(self) -> SystemMessages[F]:
        """The user's custom instructions for ChatGPT."""
        from codex_nb.client.resources.config import SystemMessages

        return SystemMessages(self._core, self._driver)

    @cached_property
    def workspace_messages(self) -> WorkspaceMessageList[F]:
        """What the workspace tells its members."""
        from codex_nb.client.resources.config import WorkspaceMessageList

        return WorkspaceMessageList(self._core, self._driver)

    @cached_property
    def accounts(self) -> AccountList[F]:
        """Which accounts the login can use."""
        from codex_nb.client.resources.accounts import AccountList

        return AccountList(self._core, self._driver)

    @cached_property
    def profile(self) -> OwnProfile[F]:
        """The user's profile in Codex."""
        from codex_nb.client.resources.accounts import OwnProfile

        return OwnProfile(self._core, self._driver)

    @cached_property
    def rate_limit_reset_credits(self) -> ResetCreditList[F]:
        """Resets of a quota window, kept for later."""
        from codex_nb.client.resources.accounts import ResetCreditList

        return ResetCreditList(self._core, self._driver)
