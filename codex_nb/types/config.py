"""What a workspace's administrators set, and what the user set: configuration files, instructions, messages."""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from codex_nb.errors import MalformedStream
from codex_nb.types._record import NULL_IS_EMPTY, Record, Rows, moment

__all__ = [
    "ConfigBundle",
    "ConfigFragment",
    "ConfigLayers",
    "ManagedLayers",
    "Requirements",
    "UserSettings",
    "UserSystemMessages",
    "WorkspaceMessage",
    "WorkspaceMessages",
]


def _toml(contents: str | None, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(contents or "")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MalformedStream(
            f"The {name} are no TOML.", hint="Read .contents, and tell your workspace's administrator."
        ) from error


class Requirements(Record):
    """What a workspace requires of Codex clients: ``contents`` is TOML. Where nothing is required all is None."""

    contents: str | None = None
    sha256: str | None = None
    updated_at: str | float | None = None
    updated_by_user_id: str | None = None

    @property
    def required(self) -> bool:
        """Whether anything is required."""
        return bool(self.contents)

    @property
    def updated(self) -> datetime | None:
        """When it was last changed: aware, UTC."""
        return moment(self.updated_at)

    def parsed(self) -> dict[str, Any]:
        """Return ``contents`` as a dict, empty where nothing is required.

        Raises:
            MalformedStream: they are no TOML.

        """
        return _toml(self.contents, "requirements")


class ConfigFragment(Record):
    """One piece of configuration, as TOML in ``contents``."""

    id: str | None = None
    name: str | None = None
    contents: str | None = None

    def parsed(self) -> dict[str, Any]:
        """Return ``contents`` as a dict.

        Raises:
            MalformedStream: they are no TOML.

        """
        return _toml(self.contents, "contents of this piece of configuration")


class ManagedLayers(Record):
    """Pieces below and above the user's own configuration."""

    baseline: list[ConfigFragment] = Field(default_factory=list[ConfigFragment])
    system_overlay: list[ConfigFragment] = Field(default_factory=list[ConfigFragment])


class ConfigLayers(Record):
    """What a workspace lays around its users' configuration."""

    enterprise_managed: list[ConfigFragment] = Field(default_factory=list[ConfigFragment])
    managed_layers: ManagedLayers | None = None


class ConfigBundle(Record):
    """All configuration that a workspace sets."""

    config_toml: ConfigLayers | None = None
    requirements_toml: ConfigLayers | None = None


class UserSettings(Record):
    """What the user set for Codex in the cloud."""

    commit_attribution_enabled: bool | None = None


class UserSystemMessages(Record):
    """The user's custom instructions for ChatGPT."""

    enabled: bool | None = None
    about_user_message: str | None = None
    about_model_message: str | None = None
    name_user_message: str | None = None
    role_user_message: str | None = None
    other_user_message: str | None = None
    traits_model_message: str | None = None
    disabled_tools: list[str] = Field(default_factory=list[str])


class WorkspaceMessage(Record):
    """Something that a workspace tells its members."""

    message_id: str | None = None
    message_type: str | None = None
    message_body: str | None = None
    created_at: str | float | None = None
    archived_at: str | float | None = None

    shown: ClassVar[tuple[str, ...]] = ("message_type", "message_body", "created")

    @property
    def created(self) -> datetime | None:
        """When it was sent: aware, UTC."""
        return moment(self.created_at)

    @property
    def archived(self) -> datetime | None:
        """When it was put away: aware, UTC."""
        return moment(self.archived_at)


class WorkspaceMessages(Rows[WorkspaceMessage]):
    """What a workspace tells its members. A list of `WorkspaceMessage`."""

    messages: Annotated[list[WorkspaceMessage], NULL_IS_EMPTY]

    @property
    def items(self) -> list[WorkspaceMessage]:
        """The same as ``messages``."""
        return self.messages
