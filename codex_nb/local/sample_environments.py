"""Three made-up environments. One is as bare as old ones are, one holds a secret that no client may show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from codex_nb.local.pieces import Json

WIDGETS: Final = "690000000000819199999999abcdef01"
BARE: Final = "690000000000819199999999abcdef02"
ATLAS: Final = "690000000000819199999999abcdef03"
SECRET: Final = "made-up-environment-secret-71c2"  # noqa: S105


def sample_environments() -> list[Json]:
    """Return the environments, without the count of their tasks."""
    return [
        _environment(WIDGETS, "acme/widgets", 123456789, 1_788_000_000, pinned=True),
        {"id": BARE, "label": None},
        _environment(ATLAS, "acme/atlas", 987654321, 1_791_979_200, setup="pip install -e .[test]"),
    ]


def _environment(
    environment_id: str, name: str, repository: int, created_at: int, *, pinned: bool = False, setup: str = ""
) -> Json:
    key = f"github-{repository}"
    network: dict[str, Any] = {"mode": "on", "preset_allowlist": "codex", "allowlist_domains": ""}
    return {
        "id": environment_id,
        "label": name,
        "description": "",
        "machine_id": "wham-public/wham-universal",
        "workspace_dir": "/workspace",
        "repos": [key],
        "repo_map": {
            key: {
                "id": key,
                "repository_full_name": name,
                "clone_url": f"https://github.com/{name}.git",
                "default_branch": "main",
                "visibility": "private",
            }
        },
        "github_connector_id": "connector_1",
        # Both forms are on record.
        "setup": setup or [""],
        "maintenance_setup": [""],
        "env_vars": {"CODEX_ENV_PYTHON_VERSION": "3.12"},
        "secrets": {"API_TOKEN": SECRET if pinned else "<REDACTED>"},
        "secrets_with_domains": [],
        "agent_network_access": network
        | {"allowlist_rules": None, "denylist_domains": None, "safe_methods_only": None},
        "auto_setup_settings": {"use_auto_setup": not setup},
        "cache_settings": {"post_setup_cache_enabled": True, "cache_invalidation_key": ""},
        "permissions": {"can_write": True, "can_delete": pinned},
        "is_pinned": pinned,
        "etag": 'W/"1"',
        "created_at": created_at,
        "enable_docker_in_docker": False,
        "enable_authtranslator": False,
        "share_settings": "private",
        "share_targets": [],
    }
