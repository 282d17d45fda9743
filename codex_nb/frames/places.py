"""Where cloud tasks run, and what is remembered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from codex_nb.client.default import session_of
from codex_nb.columns import FLAG, NUMBER, TEXT, TIME, Column, table
from codex_nb.frames.payload import with_payload

if TYPE_CHECKING:
    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.types.environments import Environment
    from codex_nb.types.memories import Memory

__all__ = ["environments", "memories"]


def _seconds(when: datetime | None) -> float | None:
    return when and when.timestamp()


def _names(values: object) -> int | None:
    return len(values) if isinstance(values, dict) else None  # pyright: ignore[reportUnknownArgumentType]


ENVIRONMENTS: list[Column[Environment]] = [
    Column("id", TEXT),
    Column("label", TEXT),
    Column("description", TEXT),
    Column("repositories", TEXT, lambda place: ", ".join(place.repositories) or None),
    Column("tasks", NUMBER, "task_count"),
    Column("pinned", FLAG, "is_pinned"),
    Column("created", TIME, lambda place: _seconds(place.created)),
    Column("network", TEXT, "agent_network_access.mode"),
    Column("variables", NUMBER, lambda place: _names(place.env_vars)),
    Column("secrets", NUMBER, lambda place: _names(place.secrets)),
    Column("machine", TEXT, "machine_id"),
]


def environments(session: Session | None = None, *, raw: bool = False) -> pd.DataFrame:
    """Return the environments that cloud tasks run in, one row each. No value of a variable or secret is in it.

    Columns: ``id``, ``label``, ``description``, ``repositories`` (text, joined by commas), ``tasks`` (Int64, how many
    ran there), ``pinned`` (boolean), ``created`` (datetime64[us, UTC]), ``network`` (text), ``variables``, ``secrets``
    (Int64, how many there are), ``machine`` (text); with ``raw`` the payload (object), which **does** hold secrets: it
    shows the names of its fields, and gives a value when it is asked for by name.

    Raises:
        UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

    """
    found = session_of(session).codex.environments.list()
    return table(with_payload(ENVIRONMENTS, raw, sealed=True), found, source="wham/environments")


MEMORIES: list[Column[Memory]] = [
    Column("id", TEXT),
    Column("content", TEXT),
    Column("status", TEXT),
    Column("created", TIME, lambda memory: _seconds(memory.created)),
    Column("updated", TIME, lambda memory: _seconds(memory.updated)),
    Column("conversation", TEXT, "conversation_id"),
]


def memories(session: Session | None = None, *, raw: bool = False) -> pd.DataFrame:
    """Return what ChatGPT remembers of its user, one row each.

    Columns: ``id``, ``content``, ``status``, ``conversation`` (text), ``created``, ``updated`` (datetime64[us, UTC]);
    with ``raw`` the payload (object). ``attrs["codex_nb"]`` says how much room they take: ``tokens`` of ``max_tokens``.

    Raises:
        UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

    """
    found = session_of(session).codex.memories.list()
    frame = table(with_payload(MEMORIES, raw), found, source="memories")
    frame.attrs["codex_nb"] |= {"tokens": found.memory_num_tokens, "max_tokens": found.memory_max_tokens}
    return frame
