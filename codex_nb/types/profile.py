"""What else the account holds: environments, memories, instructions, rules of its owner, the account itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from pydantic import AliasChoices, Field, field_validator

from codex_nb.types._base import Shape
from codex_nb.types.tasks import moment

__all__ = [
    "Account",
    "Accounts",
    "Environment",
    "Memories",
    "Memory",
    "Requirements",
    "TraceSummaries",
    "TraceSummary",
    "UserSystemMessages",
]


class Environment(Shape):
    """Where tasks run. ``raw`` may hold variables and secrets in plain text; nothing else here shows them."""

    id: str
    label: str | None = None
    description: str | None = None
    machine_id: str | None = None
    repos: list[str] = Field(default_factory=list[str])
    is_pinned: bool | None = None
    task_count: int | None = None
    created_at: float | None = None

    @property
    def created(self) -> datetime | None:
        """When it was made."""
        return moment(self.created_at)

    @property
    def repositories(self) -> list[str]:
        """The full names of its repositories, such as ``acme/widgets``."""
        known = (self.model_extra or {}).get("repo_map")
        rows = list(cast("dict[str, Any]", known).values()) if isinstance(known, dict) else []
        names = [cast("dict[str, Any]", row).get("repository_full_name") for row in rows if isinstance(row, dict)]
        return [name for name in names if isinstance(name, str)]


class Memory(Shape):
    """Something that ChatGPT remembers of its user. Times are ISO 8601 texts."""

    id: str
    content: str = ""
    status: str | None = None
    updated_at: str | None = None
    created_timestamp: str | None = None


class Memories(Shape):
    """All memories, and how much room they take, in tokens. Iterates and counts like a list."""

    memories: list[Memory] = Field(default_factory=list[Memory])
    memory_max_tokens: int | None = None
    memory_num_tokens: int | None = None

    def __iter__(self) -> Iterator[Memory]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return iter(self.memories)

    def __len__(self) -> int:
        return len(self.memories)


class TraceSummary(Shape):
    """What one trace was about, and what of it is worth remembering (empty: nothing)."""

    trace_summary: str = Field(validation_alias=AliasChoices("trace_summary", "raw_memory"))
    memory_summary: str


class TraceSummaries(Shape):
    """One summary a trace, in the order of the traces."""

    output: list[TraceSummary] = Field(default_factory=list[TraceSummary])


class UserSystemMessages(Shape):
    """The user's own instructions for ChatGPT."""

    enabled: bool | None = None
    about_user_message: str | None = None
    about_model_message: str | None = None
    traits_model_message: str | None = None
    disabled_tools: list[str] = Field(default_factory=list[str])


class Requirements(Shape):
    """Rules that an organization sets for Codex. ``contents`` is TOML; None where there are no rules."""

    contents: str | None = None
    sha256: str | None = None
    updated_at: str | None = None
    updated_by_user_id: str | None = None


class Account(Shape):
    """One account (workspace) of the user. ``structure`` is ``personal`` or ``workspace``."""

    id: str = Field(validation_alias=AliasChoices("id", "account_id"))
    name: str | None = None
    structure: str | None = None
    plan_type: str | None = None
    workspace_backend_origin: str | None = None
    account_routing_override: str | None = None


class Accounts(Shape):
    """The accounts that the login may use."""

    accounts: list[Account] = Field(default_factory=list[Account])
    account_ordering: list[str] = Field(default_factory=list[str])
    default_account_id: str | None = None

    @field_validator("accounts", mode="before")
    @classmethod
    def _from_map(cls, value: Any) -> Any:
        """Take the older form too: accounts by id, each in an object of its own."""
        if not isinstance(value, dict):
            return value
        rows = cast("dict[str, Any]", value)
        return [_entry(name, row) for name, row in rows.items()]


def _entry(name: str, row: Any) -> dict[str, Any]:
    fields = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    inner = fields.get("account")
    return {"id": name, **(cast("dict[str, Any]", inner) if isinstance(inner, dict) else fields)}
