"""The one account of a local backend, and the small endpoints about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from codex_nb.local.identity import ACCOUNT_ID, EMAIL, PLAN, USER_ID
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request


async def usage(request: Request) -> JSONResponse:
    """Show the quota windows; they grow with every answer."""
    return JSONResponse(
        {
            "user_id": USER_ID,
            "account_id": ACCOUNT_ID,
            "email": EMAIL,
            "plan_type": PLAN,
            **state_of(request).quota.as_json(),
            "code_review_rate_limit": None,
            "additional_rate_limits": None,
            "credits": {"has_credits": False, "unlimited": False, "balance": "0"},
            "spend_control": None,
            "rate_limit_reset_credits": {"available_count": 0},
        }
    )


async def check(_: Request) -> JSONResponse:
    """List the account in the form that official clients route by: an array, with two routing fields."""
    entry = {
        "id": ACCOUNT_ID,
        "account_id": ACCOUNT_ID,
        "name": None,
        "profile_picture_url": None,
        "structure": "personal",
        "plan_type": PLAN,
        "workspace_backend_origin": "NO_CONSTRAINT",
        "account_routing_override": "NO_CONSTRAINT",
    }
    return JSONResponse({"accounts": [entry], "account_ordering": [ACCOUNT_ID], "default_account_id": ACCOUNT_ID})


async def settings(_: Request) -> JSONResponse:
    """Say that nothing is set."""
    return JSONResponse({})
