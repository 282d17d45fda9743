"""What the two faces of a session share."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from codex_nb.client._recording import Recorder
from codex_nb.client._turns import Turns
from codex_nb.client.ledger import Ledger
from codex_nb.wire.headers import QuotaWindow

if TYPE_CHECKING:
    from codex_nb.client._transport import Transport
    from codex_nb.client.budget import Meter
    from codex_nb.settings import Settings
    from codex_nb.types.models import ModelPage

__all__ = ["Core"]


@dataclass
class Core:
    """Settings, transport and what was learnt on the way.

    ``id`` names the session towards the service: requests that carry it share the prompt cache.
    """

    settings: Settings
    transport: Transport
    ledger: Ledger = field(default_factory=Ledger.shared)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    models: ModelPage | None = None
    turns: Turns = field(default_factory=Turns)
    quota: Mapping[tuple[str, str], QuotaWindow] = field(default_factory=dict[tuple[str, str], QuotaWindow])

    budgets: list[Meter] = field(default_factory=list["Meter"])

    def check_budgets(self) -> None:
        """Let a request go, if no budget is used up.

        Raises:
            BudgetReached: one is; nothing was sent.

        """
        for budget in tuple(self.budgets):
            budget.check()

    def learn_quota(self, windows: Iterable[QuotaWindow]) -> None:
        """Keep what an answer tells of the quota; windows that it does not name stay as they were."""
        told = list(windows)
        self.quota = {**self.quota, **{(window.limit, window.slot): window for window in told}}
        for budget in tuple(self.budgets):
            budget.observe(told)

    @property
    def recorder(self) -> Recorder:
        """What watches this session's calls for the ledger."""
        return Recorder(self.ledger, self.id, self.settings.backend.name)
