"""The scripted engine: plays a `Script`, word for word, in order."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import TYPE_CHECKING

from codex_nb.local.catalogue import scripted_rows
from codex_nb.local.containers import container_of, seconds_of
from codex_nb.local.pieces import Answer, Failure, Incomplete, Piece, Reasoning, Text, Vectors
from codex_nb.local.schemas import example
from codex_nb.local.script import CustomCall, FunctionCall, Script, Turn
from codex_nb.local.tools import chosen_tool
from codex_nb.local.vectors import SIZES, bag_of_words, tokens_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    from codex_nb.local.ask import Ask
    from codex_nb.local.pieces import Embedding, Hearing, Json

DELTA_CHARACTERS = 7
QUOTED_CHARACTERS = 60


class ScriptedEngine:
    """Answers that are written down beforehand. One object may be asked by many requests at once."""

    name = "scripted"

    def __init__(self, script: Script) -> None:
        self.script = script
        self.turns: deque[Turn] = deque(script.turns)
        self.transcripts: deque[str | None] = deque(script.transcripts)
        self.rows: Sequence[Json] = [dict(row) for row in script.rows] or scripted_rows()

    async def answer(self, ask: Ask) -> Answer:
        """Take the next turn; wait its ``delay``."""
        turn = self._next(ask)
        if turn.delay:
            await asyncio.sleep(turn.delay)
        return Answer(_play(turn), turn.model or ask.model, turn.write_size, turn.raw, turn.headers)

    async def hear(self, hearing: Hearing) -> str | None:
        """Take the next transcript; without one say what was heard of."""
        if self.transcripts:
            text = self.transcripts.popleft()
        else:
            seconds = seconds_of(hearing.content)
            length = f"{seconds:.1f} seconds" if seconds is not None else f"{len(hearing.content)} bytes"
            text = f"A scripted transcript of {length} of {container_of(hearing.content)}."
        if hearing.tell:
            for delta in _deltas(text or ""):
                hearing.tell(delta)
        return text

    async def sizes(self) -> Mapping[str, int]:
        """Return the public models, with their own lengths."""
        return SIZES

    async def embed(self, asked: Embedding) -> Vectors:
        """Hash words; see `bag_of_words`."""
        matrix = await asyncio.to_thread(bag_of_words, asked.inputs, asked.model, asked.size)
        return Vectors(matrix, sum(map(tokens_of, asked.inputs)), asked.model)

    def close(self) -> None:
        """Nothing is held."""

    def _next(self, ask: Ask) -> Turn:
        if self.turns:
            return self.turns.popleft()
        return self.script.reply(ask) if self.script.reply else default_turn(ask)


async def _play(turn: Turn) -> AsyncGenerator[Piece, None]:
    # A pause comes before a piece, so that a client sees the previous one during it.
    for piece in _pieces(turn):
        if turn.pause:
            await asyncio.sleep(turn.pause)
        yield piece


def _pieces(turn: Turn) -> Iterator[Piece]:
    if turn.hidden_reasoning:
        yield Reasoning("")
    paragraphs = [turn.reasoning] if isinstance(turn.reasoning, str) else turn.reasoning
    for part, paragraph in enumerate(paragraphs):
        yield from (Reasoning(delta, part) for delta in _deltas(paragraph))
    yield from (Text(delta, "commentary") for delta in _deltas(turn.commentary))
    yield from (Text(delta, turn.phase) for delta in _deltas(turn.text))
    yield from turn.calls
    if turn.usage:
        yield turn.usage
    if turn.incomplete:
        yield Incomplete(turn.incomplete)
    if turn.failure:
        failure = turn.failure
        yield failure if isinstance(failure, Failure) else Failure(failure, f"The scripted failure {failure}.")


def _deltas(text: str | Sequence[str]) -> list[str]:
    if not isinstance(text, str):
        return list(text)
    return [text[at : at + DELTA_CHARACTERS] for at in range(0, len(text), DELTA_CHARACTERS)]


def default_turn(ask: Ask) -> Turn:
    """Return the answer of a script without turns: a call of the tool that must be called, else a text."""
    tool = chosen_tool(ask)
    if tool is None:
        return Turn(text=default_text(ask))
    name = str(tool["name"])
    if tool["type"] == "custom":
        return Turn(calls=[CustomCall(name, ask.last_user_text())])
    return Turn(calls=[FunctionCall(name, json.dumps(example(tool.get("parameters") or {"type": "object"})))])


def default_text(ask: Ask) -> str:
    """Return the answer of a script without turns: what was asked, in a little Markdown, or JSON for a schema."""
    if ask.schema is not None:
        return json.dumps(example(ask.schema))
    asked = " ".join(ask.last_user_text().split())
    quoted = asked if len(asked) <= QUOTED_CHARACTERS else asked[: QUOTED_CHARACTERS - 1] + "…"
    turns = sum(role == "user" for role, _ in ask.messages())
    return (
        f"You asked: **{quoted or 'nothing'}**\n\n"
        f"This is a scripted answer; no model was run. It is turn {turns} of this conversation.\n\n"
        f"- model: `{ask.model}`\n- input items: {len(ask.items)}\n"
    )
