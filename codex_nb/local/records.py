"""The rest of what an account holds: settings, rules, memories, notices and a profile."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from codex_nb.local.pieces import Json

REQUIREMENTS: Final = """\
allowed_approval_policies = ["on-request", "never"]
allowed_sandbox_modes = ["read-only", "workspace-write"]
"""
MOST_MEMORY: Final = 12_000
DAILY: Final = (120_000, 98_000, 0, 310_000, 44_500, 910_000, 0, 12_000, 260_000, 187_500, 75_000, 5_000, 140_000)


def _settings() -> Json:
    return {"commit_attribution_enabled": False}


def _memories() -> list[Json]:
    return [
        _memory("mem_01", "Prefers short answers.", "2026-09-01T07:00:00.000000Z", "2026-10-10T07:00:00.000000Z"),
        _memory(
            "mem_02", "Works with pandas and Polars.", "2026-09-14T18:20:00.000000Z", "2026-09-14T18:20:00.000000Z"
        ),
        # As bare as some are.
        {"id": "mem_03", "content": "Speaks Polish: zażółć.", "updated_at": "2026-10-21T12:00:00Z", "status": "warm"},
    ]


def _memory(memory_id: str, content: str, created: str, updated: str) -> Json:
    return {
        "id": memory_id,
        "content": content,
        "updated_at": updated,
        "status": "warm",
        "conversation_id": None,
        "created_timestamp": created,
        "gizmo_id": None,
        "last_updated": updated,
        "labels": None,
    }


def _user_system_messages() -> Json:
    return {
        "object": "user_system_message_detail",
        "enabled": True,
        "about_user_message": "I write Python.",
        "about_model_message": "Be brief.",
        "name_user_message": "Ada",
        "role_user_message": "Engineer",
        "other_user_message": "",
        "traits_model_message": "direct",
        "disabled_tools": ["dalle"],
        "personality_type_selection": "default",
        "personality_traits": {},
    }


def _workspace_messages() -> list[Json]:
    return [
        {
            "message_id": "wm_1",
            "message_type": "headline",
            "message_body": "Maintenance tonight",
            "created_at": "2026-10-23T08:00:00Z",
            "archived_at": None,
        },
        {"message_id": "wm_2", "message_type": "announcement", "message_body": "New models are here."},
    ]


def _bundle() -> Json:
    managed = {"id": "cfg_1", "name": "defaults", "contents": 'model = "gpt-6.1-sol"\n'}
    return {
        "config_toml": {"enterprise_managed": [managed], "managed_layers": None},
        "requirements_toml": {"enterprise_managed": [], "managed_layers": None},
    }


@dataclass(slots=True)
class Records:
    """What the small endpoints answer with; every field may be replaced or changed while the backend runs.

    ``requirements`` is TOML text, None for an account without rules (404). ``usage`` is laid over the reply of the
    usage endpoint: ``{"credits": None}``, more limits, or what no client knows.
    """

    settings: Json = field(default_factory=_settings)
    requirements: str | None = REQUIREMENTS
    bundle: Json = field(default_factory=_bundle)
    memories: list[Json] = field(default_factory=_memories)
    user_system_messages: Json = field(default_factory=_user_system_messages)
    workspace_messages: list[Json] = field(default_factory=_workspace_messages)
    usage: Json = field(default_factory=dict[str, Any])
    daily_tokens: list[int] = field(default_factory=lambda: list(DAILY))

    def requirements_json(self, user_id: str) -> Json | None:
        """Return the rules with their digest, None when there are none."""
        if self.requirements is None:
            return None
        return {
            "contents": self.requirements,
            "sha256": hashlib.sha256(self.requirements.encode()).hexdigest(),
            "updated_at": "2026-10-20T09:15:00Z",
            "updated_by_user_id": user_id,
        }

    def memories_json(self) -> Json:
        """Return the memories with the room they take, about four letters a token."""
        tokens = sum(-(-len(str(each.get("content", ""))) // 4) for each in self.memories)
        return {"memories": self.memories, "memory_max_tokens": MOST_MEMORY, "memory_num_tokens": tokens}

    def profile_json(self, spent: int) -> Json:
        """Return the profile; ``spent`` are today's tokens, beside those of the days before (`daily_tokens`)."""
        days = [*self.daily_tokens, spent]
        today = datetime.now(UTC).date()
        buckets = [
            {"start_date": (today - timedelta(days=len(days) - 1 - at)).isoformat(), "tokens": tokens}
            for at, tokens in enumerate(days)
        ]
        current, longest = _streaks(days)
        stats = {
            "lifetime_tokens": sum(days),
            "peak_daily_tokens": max(days),
            "longest_running_turn_sec": 1830,
            "current_streak_days": current,
            "longest_streak_days": longest,
            "daily_usage_buckets": buckets,
        }
        return {"profile": {"username": "ada"}, "metadata": {}, "stats": stats}


def _streaks(days: list[int]) -> tuple[int, int]:
    """Return the length of the run of days with use that reaches today or yesterday, and of the longest one."""
    runs = [0]
    for tokens in days:
        runs.append(runs[-1] + 1 if tokens else 0)
    return runs[-1] or (runs[-2] if len(runs) > 1 else 0), max(runs)
