"""What ChatGPT remembers of its user, and the summaries that the Codex CLI makes of its own sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, Field

from codex_nb.types._record import NULL_IS_EMPTY, Record, Rows, moment

__all__ = ["Memories", "Memory", "TraceSummaries", "TraceSummary"]


class Memory(Record):
    """One thing that is remembered. Times are texts (ISO 8601); ``created`` and ``updated`` are datetimes."""

    id: str
    content: str | None = None
    status: str | None = None
    updated_at: str | float | None = None
    last_updated: str | float | None = None
    created_timestamp: str | float | None = None
    conversation_id: str | None = None
    gizmo_id: str | None = None
    labels: list[Any] | None = None

    shown: ClassVar[tuple[str, ...]] = ("id", "content", "status", "updated")

    @property
    def created(self) -> datetime | None:
        """When it was first noted: aware, UTC."""
        return moment(self.created_timestamp)

    @property
    def updated(self) -> datetime | None:
        """When it was last changed: aware, UTC."""
        return moment(self.updated_at) or moment(self.last_updated)


class Memories(Rows[Memory]):
    """Everything that is remembered, and how much room it takes, in tokens. A list of `Memory`."""

    memories: Annotated[list[Memory], NULL_IS_EMPTY]
    memory_max_tokens: int | None = None
    memory_num_tokens: int | None = None

    @property
    def items(self) -> list[Memory]:
        """The same as ``memories``."""
        return self.memories


class TraceSummary(Record):
    """What was learnt of one trace."""

    trace_summary: str = Field(validation_alias=AliasChoices("trace_summary", "raw_memory"))
    memory_summary: str

    @property
    def raw_memory(self) -> str:
        """The same as ``trace_summary``: the older word."""
        return self.trace_summary


class TraceSummaries(Record):
    """One output for each trace, in the same order."""

    output: list[TraceSummary]
