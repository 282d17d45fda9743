"""The environments that cloud tasks run in. They can hold variables and secrets in plain text: these never show."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, cast

from pydantic import AfterValidator, Field, field_validator

from codex_nb.types._record import Record, Rows, moment

__all__ = ["AgentNetworkAccess", "Environment", "Environments", "Hidden", "Repository"]


class Hidden(dict[str, Any]):
    """A dict whose repr shows the names, not the values; ``value["NAME"]`` gives one."""

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: …' for name in self)}}}"


def _hidden(value: Any) -> Any:
    return Hidden(cast("dict[str, Any]", value)) if isinstance(value, dict) else value


class Repository(Record):
    """A repository that an environment checks out."""

    id: str | None = None
    repository_full_name: str | None = None
    default_branch: str | None = None
    visibility: str | None = None
    # It may hold a password.
    clone_url: str | None = Field(default=None, repr=False)

    shown: ClassVar[tuple[str, ...]] = ("id", "repository_full_name", "default_branch", "visibility")


class AgentNetworkAccess(Record):
    """Where the agent may connect to while it works."""

    mode: str | None = None
    preset_allowlist: str | None = None
    allowlist_domains: Any = None
    denylist_domains: Any = None


class Environment(Record):
    """An environment of cloud tasks. Only ``id`` is always there.

    ``env_vars`` and ``secrets`` are dicts by name. They, the set-up scripts and whatever else is not listed in the
    repr can hold secrets in plain text; so does ``raw``.
    """

    id: str
    label: str | None = None
    description: str | None = None
    is_pinned: bool | None = None
    task_count: int | None = None
    created_at: float | str | None = None
    machine_id: str | None = None
    workspace_dir: str | None = None
    repos: list[str] = Field(default_factory=list[str])
    repo_map: dict[str, Repository | None] = Field(default_factory=dict[str, Repository | None])
    # One script, or a list of them.
    setup: list[str] = Field(default_factory=list[str])
    maintenance_setup: list[str] = Field(default_factory=list[str])
    env_vars: Annotated[Any, AfterValidator(_hidden)] = None
    secrets: Annotated[Any, AfterValidator(_hidden)] = None
    agent_network_access: AgentNetworkAccess | None = None

    shown: ClassVar[tuple[str, ...]] = ("id", "label", "is_pinned", "task_count")

    @field_validator("setup", "maintenance_setup", mode="before")
    @classmethod
    def _one_script(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def name(self) -> str:
        """What to call it: its label, else its id."""
        return self.label or self.id

    @property
    def created(self) -> datetime | None:
        """When it was set up: aware, UTC."""
        return moment(self.created_at)

    @property
    def repositories(self) -> list[str]:
        """The full names of its repositories, such as ``acme/widgets``."""
        return [one.repository_full_name for one in self.repo_map.values() if one and one.repository_full_name]


class Environments(Rows[Environment]):
    """The environments of an account: a bare array on the wire. A list of `Environment`."""

    environments: list[Environment]

    @classmethod
    def _fields(cls, value: Any) -> Any:
        return {"environments": cast("list[Any]", value)} if isinstance(value, list) else value

    @property
    def items(self) -> list[Environment]:
        """The same as ``environments``."""
        return self.environments
