"""What the scripted engine plays: turns in order, and the faults laid over them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_nb.local.faults import Fault
from codex_nb.local.pieces import CustomCall, Failure, FunctionCall, Item, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from codex_nb.local.ask import Ask

__all__ = ["CustomCall", "FunctionCall", "Script", "Turn"]


def _no_pieces() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One scripted answer.

    ``text`` is a string, sent in small deltas, or the deltas themselves. ``reasoning`` holds the paragraphs of the
    summary, ``hidden_reasoning`` sends a reasoning item without one. ``commentary`` is a message before the answer.
    ``calls`` come after the text, side by side. ``incomplete`` is a reason; ``failure`` a code or a `Failure`.
    ``raw`` are bytes sent instead of all this. ``delay`` is in seconds before the first byte, headers included;
    ``pause`` before each delta. ``write_size`` is in bytes. ``model`` is the one that claims to have served.
    """

    text: str | Sequence[str] = ""
    reasoning: str | Sequence[str] = field(default_factory=_no_pieces)
    hidden_reasoning: bool = False
    commentary: str = ""
    calls: Sequence[FunctionCall | CustomCall | Item] = ()
    incomplete: str | None = None
    failure: str | Failure | None = None
    raw: bytes | None = None
    delay: float = 0.0
    pause: float = 0.0
    write_size: int | None = None
    phase: str | None = "final_answer"
    usage: Usage | None = None
    model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> Turn:
        """Play the bytes of a recorded stream."""
        return cls(raw=Path(path).read_bytes(), **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A deterministic backend: ``turns`` are answered in order, one a request.

    When they run out, ``reply`` makes the turn from the request; without it the answer is a few sentences of Markdown
    that name what was asked. ``transcripts`` are what recordings say, one each; None is one that cannot be decoded.
    ``budget`` is how many tokens fill the primary quota window. ``rows`` replaces the catalogue of models.
    """

    turns: Sequence[Turn] = ()
    faults: Sequence[Fault] = ()
    reply: Callable[[Ask], Turn] | None = None
    budget: int | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    transcripts: Sequence[str | None] = ()

    @classmethod
    def of(cls, *texts: str) -> Script:
        """Answer with these texts, in order."""
        return cls(turns=[Turn(text=text) for text in texts])

    @classmethod
    def from_json(cls, source: str | Path) -> Script:
        """Read a script from JSON text or from a file.

        The keys are those of `Script`, `Turn` and `Fault`; ``raw`` and a fault's ``body`` are strings, and ``file``
        names a recorded stream beside the script.
        """
        folder = Path()
        try:
            if isinstance(source, Path) or not source.lstrip().startswith("{"):
                folder = Path(source).parent
                source = Path(source).read_text(encoding="utf-8")
            data: dict[str, Any] = json.loads(source)
            return cls(
                turns=[_turn(row, folder) for row in data.pop("turns", [])],
                faults=[_fault(row) for row in data.pop("faults", [])],
                **_known(cls, data),
            )
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            from codex_nb.errors import CodexError

            raise CodexError(
                f"The script cannot be read: {error}.",
                hint='A script looks like {"turns": [{"text": "Hello"}], "faults": [{"status": 503, "times": 2}]}.',
            ) from error


def _known(kind: type[Any], row: dict[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    if unknown := sorted(set(row) - names):
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    return row


def _turn(row: str | dict[str, Any], folder: Path) -> Turn:
    if isinstance(row, str):
        return Turn(text=row)
    row = dict(row)
    if name := row.pop("file", None):
        row["raw"] = (folder / name).read_bytes()
    elif isinstance(row.get("raw"), str):
        row["raw"] = row["raw"].encode()
    if "calls" in row:
        row["calls"] = [_call(dict(call)) for call in row["calls"]]
    if isinstance(row.get("failure"), dict):
        row["failure"] = Failure(**row["failure"])
    if row.get("usage"):
        row["usage"] = Usage(**row["usage"])
    return Turn(**_known(Turn, row))


def _call(row: dict[str, Any]) -> FunctionCall | CustomCall | Item:
    if "type" in row:
        return Item(row)
    if "input" in row:
        return CustomCall(**row)
    if not isinstance(row.get("arguments", ""), str):
        row["arguments"] = json.dumps(row["arguments"])
    return FunctionCall(**row)


def _fault(row: dict[str, Any]) -> Fault:
    row = dict(row)
    if isinstance(body := row.get("body"), (dict, list)):
        row["body"] = json.dumps(body).encode()
        row.setdefault("content_type", "application/json")
    elif isinstance(body, str):
        row["body"] = body.encode()
    if row.get("drip"):
        row["drip"] = tuple(row["drip"])
    return Fault(**_known(Fault, row))
