"""What else the account holds: environments, memories, instructions, rules, the account itself. All is read only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client.resources.models import default_model
from codex_nb.errors import InvalidOption
from codex_nb.types.profile import (
    Accounts,
    Environment,
    Memories,
    Requirements,
    TraceSummaries,
    UserSystemMessages,
)
from codex_nb.wire.call import Call, Flow
from codex_nb.wire.json import as_object

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["AccountList", "Config", "EnvironmentList", "MemoryStore", "SystemMessages"]

NOT_FOUND = 404


class Config(Resource[F]):
    """``session.codex.config``."""

    @endpoint
    def requirements(self) -> Flow[Requirements]:
        """Return the rules that an organization sets for Codex; ``contents`` is None where there are none."""
        reply: Reply = yield Call("GET", "account/wham/config/requirements", also_fine=frozenset({NOT_FOUND}))
        return shaped(Requirements, {} if reply.status == NOT_FOUND else reply.json())


class EnvironmentList(Resource[F]):
    """``session.codex.environments``."""

    @endpoint
    def list(self) -> Flow[list[Environment]]:
        """Return the environments that tasks run in. Their ``raw`` may hold secrets in plain text."""
        reply: Reply = yield Call("GET", "account/wham/environments")
        payload: Any = reply.json()
        rows: Any = as_object(payload).get("environments", payload)
        return [shaped(Environment, row) for row in (cast("list[Any]", rows) if isinstance(rows, list) else [])]


class MemoryStore(Resource[F]):
    """``session.codex.memories``."""

    @endpoint
    def list(self) -> Flow[Memories]:
        """Return what ChatGPT remembers of its user."""
        reply: Reply = yield Call("GET", "account/memories")
        return shaped(Memories, reply.json())

    @endpoint
    def trace_summarize(
        self,
        *,
        traces: Iterable[Mapping[str, Any]],
        model: str | None = None,
        reasoning: Mapping[str, Any] | None = None,
    ) -> Flow[TraceSummaries]:
        """Summarize traces of work: what each was about, and what of it is worth remembering.

        A trace is ``{"id": …, "metadata": {"source_path": …}, "items": […]}``. ``model`` is the session's, or the
        first that the service lists, when it is not named.

        Raises:
            PermissionDeniedError: the plan does not include it.
            InvalidOption: there are no traces.

        """
        rows = [dict(trace) for trace in traces]
        if not rows:
            raise InvalidOption("There are no traces to summarize.", hint="Pass traces=[{'id': …, 'items': […]}].")
        body: dict[str, Any] = {"model": model or (yield from default_model(self._core)), "traces": rows}
        if reasoning is not None:
            body["reasoning"] = dict(reasoning)
        reply: Reply = yield Call(
            "POST",
            "codex/memories/trace_summarize",
            json=body,
            headers={"x-openai-subagent": "memory_consolidation", "x-openai-memgen-request": "true"},
        )
        return shaped(TraceSummaries, reply.json())


class SystemMessages(Resource[F]):
    """``session.codex.user_system_messages``."""

    @endpoint
    def retrieve(self) -> Flow[UserSystemMessages]:
        """Return the user's own instructions for ChatGPT."""
        reply: Reply = yield Call("GET", "account/user_system_messages")
        return shaped(UserSystemMessages, reply.json())


class AccountList(Resource[F]):
    """``session.codex.accounts``."""

    @endpoint
    def check(self) -> Flow[Accounts]:
        """Return the accounts (workspaces) that the login may use."""
        reply: Reply = yield Call("GET", "account/wham/accounts/check")
        return shaped(Accounts, reply.json())
