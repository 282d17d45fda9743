"""What a session of the Codex CLI used, from the lines of its rollout file. Nothing else of a line is kept.

A rollout tells tokens in ``token_count`` events. These hold the sum so far and the last call's part; they are sent
again whenever the limits change, so an event counts only if the sum has moved. Cached tokens are part of the input,
reasoning tokens part of the output.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit, urlunsplit

from pydantic_core import from_json

from codex_nb.wire.json import as_object

__all__ = ["Event", "Limit", "Reader", "Sums", "interesting"]

MARKS: Final = (b'"token_count"', b'"turn_context"', b'"session_meta"')
# The kind of a line stands at its beginning; longer lines hold files and pictures.
HEAD: Final = 1 << 16
LARGEST: Final = 1 << 53
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# A limit is noted again after so many microseconds, though nothing has changed.
SAME: Final = 60_000_000


class Sums(NamedTuple):
    """Token counts."""

    input: int
    cached: int
    output: int
    reasoning: int
    total: int


class Event(NamedTuple):
    """One call to the model. ``at`` is epoch microseconds, ``turn`` counts from 1, ``sum`` is the session's so far."""

    n: int
    at: int
    input: int
    cached: int
    output: int
    reasoning: int
    total: int
    sum: int
    model: str | None
    effort: str | None
    cwd: str | None
    turn: int


class Limit(NamedTuple):
    """One window of the quota. Times: ``at`` in epoch microseconds, ``resets_at`` in epoch seconds."""

    at: int
    limit: str
    slot: str
    used: float | None
    minutes: int | None
    resets_at: float | None
    plan: str | None


def interesting(line: bytes) -> bool:
    """Tell whether a line may be one that is read; inside a text, quotes are escaped and do not match."""
    return any(line.find(mark, 0, HEAD) >= 0 for mark in MARKS)


@dataclass(slots=True)
class Reader:
    """Reads the lines of one file in order, and can go on later: its fields are all it has to remember."""

    # Facts of the session, from its first line.
    id: str | None = None
    started: int | None = None
    first_line: int | None = None
    cwd: str | None = None
    origin: str | None = None
    source: str | None = None
    version: str | None = None
    provider: str | None = None
    branch: str | None = None
    repository: str | None = None
    parent: str | None = None
    # Where it is.
    n: int = 0
    turns: int = 0
    turn_id: str | None = None
    context: list[str | None] = field(default_factory=lambda: cast("list[str | None]", [None, None, None]))
    # Calls before the first turn's context are of that turn.
    first: list[str | None] | None = None
    # The sum that was last told: by any limit's event, and by each limit's own.
    last: list[int] | None = None
    baselines: dict[str, list[int]] = field(default_factory=dict[str, "list[int]"])
    limits: dict[str, list[Any]] = field(default_factory=dict[str, "list[Any]"])

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for a file."""
        return asdict(self)

    def read(self, line: bytes) -> tuple[Event | None, list[Limit]]:
        """Take a line; return the call that it tells of, if it does, and the limits."""
        fields = _fields(line)
        payload, kind = as_object(fields.get("payload")), fields.get("type")
        at = _moment(fields.get("timestamp"))
        if kind == "session_meta":
            self._meta(payload, at)
        elif kind == "turn_context":
            self._turn(payload)
        elif kind == "event_msg" and payload.get("type") == "token_count" and at is not None:
            return self._tokens(as_object(payload.get("info")), as_object(payload.get("rate_limits")), at)
        return None, []

    def _meta(self, payload: dict[str, Any], at: int | None) -> None:
        name = _text(payload.get("id"))
        if self.id is not None:
            # That of the session whose beginning was copied.
            if name != self.id:
                self.parent = self.parent or name
            return
        git, source = as_object(payload.get("git")), payload.get("source")
        self.id, self.first_line = name or "", at
        self.started = _moment(payload.get("timestamp")) or at
        self.cwd = self.context[2] = _text(payload.get("cwd"))
        self.origin, self.version = _text(payload.get("originator")), _text(payload.get("cli_version"))
        self.source = next(iter(as_object(source)), None) or _text(source)
        self.provider, self.branch = _text(payload.get("model_provider")), _text(git.get("branch"))
        self.repository = _without_login(_text(git.get("repository_url")))
        self.parent = _text(payload.get("forked_from_id"))

    def _turn(self, payload: dict[str, Any]) -> None:
        turn = _text(payload.get("turn_id"))
        if turn is None or turn != self.turn_id:
            self.turns, self.turn_id = self.turns + 1, turn
        settings = as_object(as_object(payload.get("collaboration_mode")).get("settings"))
        self.context = [
            _text(payload.get("model")) or _text(settings.get("model")),
            _text(payload.get("effort")) or _text(settings.get("reasoning_effort")),
            _text(payload.get("cwd")) or self.cwd,
        ]
        self.first = self.first or self.context

    def _tokens(self, info: dict[str, Any], limits: dict[str, Any], at: int) -> tuple[Event | None, list[Limit]]:
        name = _text(limits.get("limit_id")) or "codex"
        told = list(self._limits(name, limits, at))
        whole, part = as_object(info.get("total_token_usage")), as_object(info.get("last_token_usage"))
        if not whole and not part:
            return None, told
        total = [*_sums(whole)] if whole else None
        used = self._used(name, total, part)
        if total:
            self.last = self.baselines[name] = total
        if used is None:
            return None, told
        model, effort, cwd = self.context
        self.n += 1
        return Event(self.n - 1, at, *used, total[-1] if total else -1, model, effort, cwd, self.turns), told

    def _used(self, name: str, total: list[int] | None, part: dict[str, Any]) -> Sums | None:
        """Return what was used since the event before; None if this one only says the same again."""
        if total is None:
            return _sums(part)
        if total in (self.last, self.baselines.get(name)):
            return None
        if part:
            return _sums(part)
        # Old versions tell the sum alone. A smaller sum is one that has begun anew.
        before = self.baselines.get(name) or self.last or [0] * len(total)
        steps = [now - then for now, then in zip(total, before, strict=True)]
        return Sums(*(total if min(steps) < 0 else steps))

    def _limits(self, name: str, limits: dict[str, Any], at: int) -> Any:
        for slot in ("primary", "secondary"):
            window = as_object(limits.get(slot))
            used = _number(window.get("used_percent"))
            if used is None:
                continue
            resets_at, rest = _number(window.get("resets_at")), _number(window.get("resets_in_seconds"))
            if resets_at is None and rest is not None:
                resets_at = at / 1e6 + rest
            minutes = _number(window.get("window_minutes"))
            key, seen = f"{name}/{slot}", [used, resets_at]
            before = self.limits.get(key)
            if before and before[:2] == seen and at - before[2] < SAME:
                continue
            self.limits[key] = [*seen, at]
            plan = _text(limits.get("plan_type"))
            yield Limit(at, name, slot, used, None if minutes is None else round(minutes), resets_at, plan)


def _fields(line: bytes) -> dict[str, Any]:
    try:
        return as_object(from_json(line))
    except ValueError:
        # A line that was torn when the CLI was killed, with the next one behind it.
        start = line.rfind(b'{"timestamp"')
        return _fields(line[start:]) if start > 0 else {}


def _sums(usage: dict[str, Any]) -> Sums:
    whole = _count(usage.get("input_tokens"))
    said = _count(usage.get("output_tokens"))
    return Sums(
        whole,
        min(whole, _count(usage.get("cached_input_tokens"))),
        said,
        min(said, _count(usage.get("reasoning_output_tokens"))),
        _count(usage.get("total_tokens")) or whole + said,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST else 0


def _number(value: Any) -> float | None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST
    return float(value) if good else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> int | None:
    """Return an ISO 8601 text as epoch microseconds."""
    try:
        when = datetime.fromisoformat(value)
        since = (when if when.tzinfo else when.replace(tzinfo=UTC)) - EPOCH
    except (TypeError, ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _without_login(url: str | None) -> str | None:
    """Return a repository's address without the name and password that it may hold."""
    if url is None or "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
