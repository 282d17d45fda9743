"""What one running backend knows: its engine, quota, tokens, faults, and the requests it has seen."""

from __future__ import annotations

import itertools
import secrets
import threading
from typing import TYPE_CHECKING, cast

from codex_nb.local.blobs import Blobs
from codex_nb.local.board import Board
from codex_nb.local.catalogue import etag
from codex_nb.local.codes import Codes
from codex_nb.local.devices import Devices
from codex_nb.local.engines.scripted import ScriptedEngine
from codex_nb.local.faults import FaultPlan
from codex_nb.local.identity import Identity
from codex_nb.local.quota import DEFAULT_BUDGET, Quota
from codex_nb.local.record import Recorder
from codex_nb.local.records import Records
from codex_nb.local.reset_credits import ResetCredits
from codex_nb.local.store import Files
from codex_nb.local.tokens import Tokens

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from codex_nb.local.pieces import Engine, Json


class State:
    """Everything that lives as long as the backend. ``budget`` is the primary quota window, in tokens."""

    def __init__(self, engine: Engine, *, budget: int | None = None) -> None:
        script = engine.script if isinstance(engine, ScriptedEngine) else None
        self.engine = engine
        self.etag = etag(engine.rows)
        self.account = Identity()
        self.quota = Quota(budget or (script and script.budget) or DEFAULT_BUDGET, account=self.account)
        self.tokens = Tokens(account=self.account)
        self.codes = Codes()
        self.devices = Devices()
        self.tasks = Board()
        self.records = Records()
        self.reset_credits = ResetCredits()
        self.faults = FaultPlan(script.faults if script else ())
        self.recorder = Recorder()
        self.files = Files()
        # A script may go on from a recorded conversation; a model could not read its blobs.
        self.blobs = Blobs(strict=script is None)
        # Whether the older endpoint for short forms is served; the service has withdrawn it.
        self.compact_v1 = False
        # The sessions that realtime calls were opened with, by the call's id.
        self.calls: dict[str, Json] = {}
        self._open = 0
        self._lock = threading.Lock()
        self._count = itertools.count(1)

    @property
    def open_streams(self) -> int:
        """How many answers are under way."""
        return self._open

    def count_stream(self, change: int) -> None:
        """Count an answer that begins (1) or is over (-1)."""
        with self._lock:
            self._open += change

    def new_id(self) -> str:
        """Return the unique part of a response's ids: a count for a script, random otherwise."""
        if isinstance(self.engine, ScriptedEngine):
            return f"{next(self._count):048x}"
        return secrets.token_hex(24)

    def models(self) -> list[str]:
        """Return the names of the models that may be asked."""
        return [str(row["slug"]) for row in self.engine.rows]


def state_of(request: HTTPConnection) -> State:
    """Return the state of the backend that a request came to."""
    return cast("State", request.app.state.backend)
