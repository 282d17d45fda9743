"""Conversations made short: the trigger on the answering endpoint, the older endpoint, and reading the short form."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from codex_nb.local.checks import Refusal, error
from codex_nb.local.engines.scripted import ScriptedEngine
from codex_nb.local.events import CHARACTERS_PER_TOKEN
from codex_nb.local.pieces import Answer, Failure, Item, Text, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from codex_nb.local.ask import Ask
    from codex_nb.local.blobs import Blobs
    from codex_nb.local.pieces import Engine, Json, Piece

TRIGGER: Final = "compaction_trigger"
FEATURE: Final = "remote_compaction_v2"
# What holds a conversation's short form, by its names over time.
SHORT_FORMS: Final = ("compaction", "compaction_summary", "context_compaction")
REMEMBERED: Final = "What was said before, in short:\n"
WISH: Final = (
    "Summarize the conversation so far in a few sentences, for yourself, so that you can go on with it: "
    "the names, numbers, facts, decisions and open questions. Write only the summary."
)
QUOTED_CHARACTERS: Final = 200


def objection(ask: Ask, blobs: Blobs, features: str) -> Refusal | None:
    """Return why a request with a short form, or the wish for one, cannot be taken."""
    triggers = [at for at, item in enumerate(ask.items) if item.get("type") == TRIGGER]
    if triggers and (not ask.codex or FEATURE not in features):
        return error(f"Invalid value: '{TRIGGER}'.", f"input[{triggers[0]}].type", "invalid_value")
    if triggers and triggers != [len(ask.items) - 1]:
        return error(f"'{TRIGGER}' must be the last item.", f"input[{triggers[0]}]", "invalid_value")
    for item in ask.items:
        blob = item.get("encrypted_content")
        if item.get("type") in {"reasoning", *SHORT_FORMS} and blob is not None and not blobs.accepts(blob):
            shown = f"{str(blob)[:4]}...{str(blob)[-4:]}"
            message = (
                f"The encrypted content {shown} could not be verified. "
                "Reason: Encrypted content could not be decrypted or parsed."
            )
            return error(message, code="invalid_encrypted_content")
    return None


def recalled(ask: Ask, blobs: Blobs) -> Ask:
    """Return the request with each short form spelt out, for an engine that shall remember."""
    items = [_recalled(item, blobs) for item in ask.items]
    return replace(ask, body={**ask.body, "input": items})


def _recalled(item: Json, blobs: Blobs) -> Json:
    if item.get("type") not in SHORT_FORMS:
        return item
    content = blobs.open(str(item.get("encrypted_content"))) or {}
    if "summary" not in content:
        return item
    text = f"{REMEMBERED}{content['summary']}"
    return {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": text}]}


def wanted(ask: Ask) -> bool:
    """Whether a request ends in the wish for a short form."""
    return bool(ask.items) and ask.items[-1].get("type") == TRIGGER


async def shortened(engine: Engine, ask: Ask, blobs: Blobs) -> Answer:
    """Answer with one compaction item. Turns that a script has left are played as they are instead."""
    if isinstance(engine, ScriptedEngine) and engine.turns:
        return await engine.answer(ask)
    return Answer(_sealed(engine, ask, blobs), ask.model)


async def summed_up(engine: Engine, ask: Ask) -> tuple[str, Usage] | Failure:
    """Return a summary of a conversation and what it cost, or how it failed."""
    if isinstance(engine, ScriptedEngine):
        text = summary_of(ask)
        return text, Usage(_tokens(json.dumps(ask.body.get("input"))), _tokens(text))
    answer = await engine.answer(_wish(ask))
    parts: list[str] = []
    usage = Usage()
    async with aclosing(answer.pieces) as pieces:
        async for piece in pieces:
            if isinstance(piece, Text):
                parts.append(piece.delta)
            elif isinstance(piece, Usage):
                usage = piece
            elif isinstance(piece, Failure):
                return piece
            # A summary that was cut short is a summary still.
    return "".join(parts).strip(), usage


def _tokens(text: str) -> int:
    return 1 + len(text) // CHARACTERS_PER_TOKEN


def _wish(ask: Ask) -> Ask:
    """Return the request for a summary: the conversation, then the wish; nothing that would shape an answer."""
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": WISH}]}
    said = [item for item in ask.items if item.get("type") != TRIGGER]
    kept = {name: value for name, value in ask.body.items() if name not in {"text", "tools", "tool_choice"}}
    return replace(ask, body={**kept, "input": [*said, message]})


async def _sealed(engine: Engine, ask: Ask, blobs: Blobs) -> AsyncGenerator[Piece, None]:
    found = await summed_up(engine, ask)
    if isinstance(found, Failure):
        yield found
        return
    text, usage = found
    yield Item({"type": "compaction", "encrypted_content": blobs.seal({"summary": text})})
    yield usage


def summary_of(ask: Ask) -> str:
    """Return the scripted engine's summary: how much was said, and the beginning of each part."""
    said = [f"{role}: {' '.join(text.split())[:QUOTED_CHARACTERS]}" for role, text in ask.messages()]
    return "\n".join([f"{len(said)} messages.", *said])


async def compacted(engine: Engine, ask: Ask, original: Ask, blobs: Blobs, unique: str) -> Json | Failure:
    """Return what takes the place of the ``original`` input: what was said to the model, and one short form."""
    found = await summed_up(engine, ask)
    if isinstance(found, Failure):
        return found
    text, usage = found
    short = {"type": "compaction_summary", "id": f"cmp_{unique}", "encrypted_content": blobs.seal({"summary": text})}
    kept = [_spelt_out(item) for item in original.items if item.get("role") in {"user", "developer", "system"}]
    return {"output": [*kept, short], "usage": usage}


def _spelt_out(item: Json) -> Json:
    """Return a message in its long form; a text alone is a short one."""
    content = item.get("content")
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    return {"type": "message", **item, "content": parts}
