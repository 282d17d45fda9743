"""The one account of a local backend, and the small endpoints about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from codex_nb.local.bodies import json_body
from codex_nb.local.checks import Refusal, error
from codex_nb.local.paths import wham
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.pieces import Json

NO_STORE: Final = {"cache-control": "no-store"}


async def usage(request: Request) -> JSONResponse:
    """Show the quota windows; they grow with every answer."""
    state = state_of(request)
    credit: Json = {"has_credits": False, "unlimited": False, "overage_limit_reached": False, "balance": "0"}
    return JSONResponse(
        {
            "user_id": state.account.user_id,
            "account_id": state.account.id,
            "email": state.account.email,
            "plan_type": state.account.plan,
            **state.quota.as_json(),
            "code_review_rate_limit": None,
            "additional_rate_limits": None,
            "credits": credit | {"approx_local_messages": [0, 0], "approx_cloud_messages": [0, 0]},
            "spend_control": {"reached": False, "individual_limit": None},
            "rate_limit_reset_credits": {"available_count": state.reset_credits.available},
            "promo": None,
            "referral_beacon": None,
        }
        | state.records.usage
    )


async def check(request: Request) -> JSONResponse:
    """List the account in the form that official clients route by: an array, with two routing fields."""
    account = state_of(request).account
    entry = {
        "id": account.id,
        "account_id": account.id,
        "name": None,
        "profile_picture_url": None,
        "structure": "personal",
        "plan_type": account.plan,
        "workspace_backend_origin": "NO_CONSTRAINT",
        "account_routing_override": "NO_CONSTRAINT",
    }
    return JSONResponse({"accounts": [entry], "account_ordering": [account.id], "default_account_id": account.id})


async def settings(request: Request) -> JSONResponse:
    """Serve ``GET wham/settings/user``."""
    return JSONResponse(state_of(request).records.settings, headers=NO_STORE)


async def requirements(request: Request) -> JSONResponse:
    """Serve ``GET wham/config/requirements``; 404 means that there are none."""
    state = state_of(request)
    found = state.records.requirements_json(state.account.user_id)
    return JSONResponse({"detail": "Not Found"}, 404) if found is None else JSONResponse(found)


async def bundle(request: Request) -> JSONResponse:
    """Serve ``GET wham/config/bundle``."""
    return JSONResponse(state_of(request).records.bundle)


async def profile(request: Request) -> JSONResponse:
    """Serve ``GET wham/profiles/me``; today's tokens are those really spent here."""
    state = state_of(request)
    return JSONResponse(state.records.profile_json(state.quota.spent))


async def workspace_messages(request: Request) -> JSONResponse:
    """Serve ``GET wham/workspace-messages``."""
    return JSONResponse({"messages": state_of(request).records.workspace_messages}, headers=NO_STORE)


async def memories(request: Request) -> JSONResponse:
    """Serve ``GET /backend-api/memories``."""
    return JSONResponse(state_of(request).records.memories_json())


async def user_system_messages(request: Request) -> JSONResponse:
    """Serve ``GET /backend-api/user_system_messages``."""
    return JSONResponse(state_of(request).records.user_system_messages)


async def reset_credits(request: Request) -> JSONResponse:
    """Serve ``GET wham/rate-limit-reset-credits``."""
    return JSONResponse(state_of(request).reset_credits.as_json())


async def consume_reset_credit(request: Request) -> Response:
    """Serve ``POST wham/rate-limit-reset-credits/consume``: the same request id counts once."""
    state, body = state_of(request), await json_body(request)
    if isinstance(body, Refusal):
        return JSONResponse(body.body, body.status)
    fields = cast("Json", body) if isinstance(body, dict) else {}
    request_id, credit_id = fields.get("redeem_request_id"), fields.get("credit_id")
    if not isinstance(request_id, str) or not request_id:
        refusal = error("Missing required parameter: 'redeem_request_id'.", "redeem_request_id")
        return JSONResponse(refusal.body, refusal.status)
    return JSONResponse(state.reset_credits.consume(request_id, credit_id, state.quota))


CREDITS: Final = "/rate-limit-reset-credits"
ROUTES: Final = [
    *wham("/usage", usage),
    *wham("/accounts/check", check),
    *wham("/settings/user", settings),
    *wham("/config/requirements", requirements),
    *wham("/config/bundle", bundle),
    *wham("/profiles/me", profile),
    *wham("/workspace-messages", workspace_messages),
    *wham(CREDITS, reset_credits),
    *wham(f"{CREDITS}/consume", consume_reset_credit, "POST"),
    # Some clients look here.
    Route(f"/backend-api/codex{CREDITS}", reset_credits),
    Route(f"/backend-api/codex{CREDITS}/consume", consume_reset_credit, methods=["POST"]),
    Route("/backend-api/memories", memories),
    Route("/backend-api/user_system_messages", user_system_messages),
]
