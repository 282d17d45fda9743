"""Where the quota went (``session.codex.usage_details``). Forms are not on record: ``.raw`` is the payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client.resources._asking import read
from codex_nb.types._record import Payload
from codex_nb.wire.call import Call, Flow

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["UsageDetails"]


class UsageDetails(Resource[F]):
    """``session.codex.usage_details``. Dates are texts such as ``2026-10-24``."""

    @endpoint
    def daily_token_breakdown(self) -> Flow[Payload]:
        """Read the account's tokens by day."""
        return (yield from read(Payload, "account/wham/usage/daily-token-usage-breakdown"))

    @endpoint
    def credit_events(self) -> Flow[Payload]:
        """Read what bought credits were spent on."""
        return (yield from read(Payload, "account/wham/usage/credit-usage-events"))

    @endpoint
    def threads(self, thread_ids: Sequence[str]) -> Flow[Payload]:
        """Read what each of these threads used."""
        return (yield from _asked("account/wham/usage/thread_usage/query", {"thread_ids": list(thread_ids)}))

    @endpoint
    def task_usage(self, threads: Sequence[Mapping[str, Any]]) -> Flow[Payload]:
        """Read what tasks used: ``[{"thread_id": …, "descendant_thread_ids": […]}]``."""
        return (
            yield from _asked(
                "account/wham/usage/thread_usage/query_v2", {"threads": [dict(thread) for thread in threads]}
            )
        )

    @endpoint
    def workspace_token_usage(
        self, *, start_date: str, end_date: str, breakdown_by: str | None = None, modes: Sequence[str] | None = None
    ) -> Flow[Payload]:
        """Read the tokens of a workspace's members by day; administrators may."""
        return (
            yield from read(
                Payload,
                "account/wham/usage/daily-workspace-user-token-usage-breakdown",
                start_date=start_date,
                end_date=end_date,
                group_by="day",
                breakdown_by=breakdown_by,
                modes=list(modes or ()),
            )
        )

    @endpoint
    def workspace_credit_usage(self, *, start_date: str, end_date: str, breakdown: str) -> Flow[Payload]:
        """Read the credits of a workspace's members by day; administrators may."""
        path = "account/wham/usage/daily-workspace-user-credit-usage"
        return (yield from read(Payload, path, start_date=start_date, end_date=end_date, breakdown=breakdown))

    @endpoint
    def workspace_usage_counts(self, *, start_date: str, end_date: str) -> Flow[Payload]:
        """Read how often a workspace used Codex, by day; administrators may."""
        path = "account/wham/analytics/daily-workspace-usage-counts"
        return (yield from read(Payload, path, start_date=start_date, end_date=end_date))


def _asked(path: str, body: dict[str, Any]) -> Flow[Payload]:
    reply: Reply = yield Call("POST", path, json=body)
    return shaped(Payload, reply.json())
