"""Who the account of a local backend is: made up, and the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT_ID = "7b1e0a52-5c1d-4a0e-9a44-0c9d5a6f0001"
USER_ID = "user-local"
EMAIL = "ada@example.com"
PLAN = "plus"
ORGANIZATION = "org-local"
CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"


@dataclass(slots=True)
class Identity:
    """What tests may change about the account; each change holds from the next reply or token on.

    ``plan`` may be any word, known to clients or not. An ``organization`` of None is a personal account without one,
    which gets no API key. ``fedramp`` is a claim of its tokens.
    """

    plan: str = PLAN
    organization: str | None = ORGANIZATION
    fedramp: bool = False
    id: str = ACCOUNT_ID
    user_id: str = USER_ID
    email: str = EMAIL

    def claims(self) -> dict[str, object]:
        """Return what tokens say under the service's own claim."""
        return {
            "chatgpt_account_id": self.id,
            "chatgpt_plan_type": self.plan,
            "chatgpt_user_id": self.user_id,
            "user_id": self.user_id,
            "chatgpt_account_is_fedramp": self.fedramp,
        }

    def organization_claims(self) -> dict[str, object]:
        """Return what an id token says besides; nothing for an account without an organization."""
        if self.organization is None:
            return {"completed_platform_onboarding": False, "is_org_owner": False}
        return {
            "organization_id": self.organization,
            "project_id": None,
            "completed_platform_onboarding": True,
            "is_org_owner": True,
        }
