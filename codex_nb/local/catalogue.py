"""The models a backend lists, as rows of the Codex wire, with their ETag."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_nb.local.pieces import Json

EFFORTS = {
    "low": "Short thinking, short wait",
    "medium": "A balance of both",
    "high": "Thinks longer about hard questions",
    "xhigh": "Thinks as long as it takes",
}
PLANS = ["business", "edu", "enterprise", "free", "go", "plus", "pro", "prolite", "team"]


def row(slug: str, name: str, description: str, **changes: Any) -> Json:
    """Return one row of the model list with every field that official clients need, some of them changed."""
    return {
        "slug": slug,
        "display_name": name,
        "description": description,
        "default_reasoning_level": "medium",
        "supported_reasoning_levels": [{"effort": key, "description": text} for key, text in EFFORTS.items()],
        "shell_type": "shell_command",
        "visibility": "list",
        "supported_in_api": True,
        "priority": 1,
        "minimal_client_version": "0.98.0",
        "available_in_plans": PLANS,
        "prefer_websockets": False,
        "additional_speed_tiers": [],
        "service_tiers": [],
        "default_service_tier": None,
        "availability_nux": None,
        "upgrade": None,
        "base_instructions": "You are a helpful assistant.",
        "model_messages": {"instructions_template": "You are a helpful assistant."},
        "supports_reasoning_summary_parameter": True,
        "supports_reasoning_summaries": True,
        "default_reasoning_summary": "auto",
        "support_verbosity": True,
        "default_verbosity": "low",
        "apply_patch_tool_type": None,
        "web_search_tool_type": "text",
        "truncation_policy": {"mode": "tokens", "limit": 10000},
        "supports_parallel_tool_calls": True,
        "supports_image_detail_original": False,
        "context_window": 272000,
        "max_context_window": 272000,
        "effective_context_window_percent": 95,
        "auto_compact_token_limit": None,
        "comp_hash": None,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"],
        "supports_search_tool": False,
        "use_responses_lite": False,
        "tool_mode": None,
        "multi_agent_version": None,
    } | changes


def scripted_rows() -> list[Json]:
    """Return the small catalogue of the scripted engine."""
    fast = [{"id": "priority", "name": "Fast", "description": "Answers sooner and uses the quota faster"}]
    deeper = [
        {"effort": key, "description": text} for key, text in (EFFORTS | {"max": "The most thinking there is"}).items()
    ]
    return [
        row(
            "gpt-6.1-sol",
            "GPT-6.1-Sol",
            "For everyday work.",
            default_reasoning_level="low",
            supported_reasoning_levels=deeper,
            minimal_client_version="0.153.0",
            service_tiers=fast,
            additional_speed_tiers=["fast"],
            max_context_window=872000,
        ),
        row(
            "gpt-5.5",
            "GPT-5.5",
            "The generation before.",
            priority=13,
            minimal_client_version="0.124.0",
            service_tiers=fast,
            additional_speed_tiers=["fast"],
            upgrade={"model": "gpt-6.1-sol", "migration_markdown": "A newer model is there.", "retirement_at": None},
        ),
        row("gpt-5.4", "GPT-5.4", "Older, still served.", priority=20),
        row("codex-auto-review", "Auto review", "Reviews what others did.", priority=43, visibility="hide"),
    ]


def etag(rows: Sequence[Json]) -> str:
    """Return the entity tag of a catalogue: it changes when any row does."""
    return f'W/"{hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:32]}"'


def for_client(rows: Sequence[Json], version: str) -> list[Json]:
    """Return the rows that a client of this version may see; an unreadable version sees all."""
    mine = _numbers(version)
    return [each for each in rows if not mine or _numbers(str(each.get("minimal_client_version", ""))) <= mine]


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
