"""Pieces of an answer in, events of the Responses stream out, in the order that the wire promises."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from codex_nb.local.blobs import Blobs
from codex_nb.local.pieces import (
    CustomCall,
    Failure,
    FunctionCall,
    Incomplete,
    Item,
    Piece,
    Reasoning,
    Text,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codex_nb.local.ask import Ask
    from codex_nb.local.pieces import Json

ARGUMENT_CHARACTERS = 8
CHARACTERS_PER_TOKEN = 4
ECHOED = ("instructions", "parallel_tool_calls", "prompt_cache_key", "tool_choice", "tools", "temperature", "top_p")
ID_PREFIXES = {
    "compaction": "cmp",
    "web_search_call": "ws",
    "image_generation_call": "ig",
    "local_shell_call": "lsh",
    "tool_search_call": "tsc",
}


def encode(event: Json) -> bytes:
    """Return one event as the wire frames it."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


class Events:
    """One answer on its way out. Feed it pieces; it keeps what the terminal event needs.

    On the Codex path the terminal event comes without output; on the public path it is filled.
    """

    def __init__(self, ask: Ask, unique: str, model: str) -> None:
        self.ask = ask
        self.output: list[Json] = []
        self.usage: Usage | None = None
        self._unique = unique
        self._ending: Failure | Incomplete | None = None
        self._open: Json | None = None
        self._parts: list[str] = []
        self._sequence = 0
        self._said = 0
        self._response = _blank(ask, unique, model)

    def begin(self) -> Iterator[Json]:
        """Yield what comes before the first piece."""
        yield self._event("response.created", response=dict(self._response))
        yield self._event("response.in_progress", response=dict(self._response))

    def feed(self, piece: Piece) -> Iterator[Json]:
        """Yield the events of one piece."""
        if isinstance(piece, Text):
            yield from self._text(piece)
        elif isinstance(piece, Reasoning):
            yield from self._reasoning(piece)
        elif isinstance(piece, FunctionCall):
            yield from self._function_call(piece)
        elif isinstance(piece, CustomCall):
            yield from self._custom_call(piece)
        elif isinstance(piece, Item):
            yield from self._whole_item(dict(piece.item))
        elif isinstance(piece, Usage):
            self.usage = piece
        else:
            self._ending = piece

    def end(self) -> Iterator[Json]:
        """Close what is open and yield the terminal event."""
        if not isinstance(self._ending, Failure):
            yield from self._close()
        self.usage = self.usage or self._estimate()
        yield self._event(f"response.{self._status()}", response=self.final())

    def final(self) -> Json:
        """Return the response object of the terminal event."""
        final = self._response | {"status": self._status(), "service_tier": "default"}
        if isinstance(self._ending, Failure):
            return final | {"error": {"code": self._ending.code, "message": self._ending.message}}
        if isinstance(self._ending, Incomplete):
            final["incomplete_details"] = {"reason": self._ending.reason}
        else:
            final["completed_at"] = int(time.time())
        return final | {"output": [] if self.ask.codex else self.output, "usage": usage_of(self.usage or Usage())}

    def spent(self) -> Usage:
        """Return what has been used so far, also of an answer that nobody heard to its end."""
        return self.usage or self._estimate()

    def _status(self) -> str:
        if self._ending is None:
            return "completed"
        return "failed" if isinstance(self._ending, Failure) else "incomplete"

    def _estimate(self) -> Usage:
        read = len(json.dumps(self.ask.body.get("input"))) + len(self.ask.instructions)
        return Usage(1 + read // CHARACTERS_PER_TOKEN, 1 + self._said // CHARACTERS_PER_TOKEN if self._said else 0)

    def _event(self, kind: str, **fields: Any) -> Json:
        event = {"type": kind, **fields, "sequence_number": self._sequence}
        self._sequence += 1
        return event

    def _at(self, **more: int) -> Json:
        return {"item_id": (self._open or {}).get("id"), "output_index": len(self.output), **more}

    def _begin_item(self, item: Json) -> Json:
        self._open = item
        return self._event("response.output_item.added", output_index=len(self.output), item=dict(item))

    def _finish_item(self, item: Json) -> Json:
        event = self._event("response.output_item.done", output_index=len(self.output), item=item)
        self.output.append(item)
        self._open = None
        return event

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._unique}{len(self.output):02x}"

    def _text(self, piece: Text) -> Iterator[Json]:
        current = self._open or {}
        if current.get("type") != "message" or current.get("phase") != piece.phase:
            yield from self._close()
            message = {"id": self._id("msg"), "type": "message", "status": "in_progress", "role": "assistant"}
            if piece.phase:
                message["phase"] = piece.phase
            yield self._begin_item(message | {"content": []})
            self._parts = [""]
            yield self._event("response.content_part.added", **self._at(content_index=0), part=_text_part(""))
        self._parts[0] += piece.delta
        self._said += len(piece.delta)
        at = self._at(content_index=0)
        yield self._event("response.output_text.delta", **at, delta=piece.delta, logprobs=[])

    def _reasoning(self, piece: Reasoning) -> Iterator[Json]:
        if (self._open or {}).get("type") != "reasoning":
            yield from self._close()
            self._parts = []
            blob = Blobs().seal({"reasoning": self._id("rs")})
            item: Json = {"id": self._id("rs"), "type": "reasoning", "summary": [], "encrypted_content": blob}
            yield self._begin_item(item)
        if not piece.delta:
            return
        if piece.part >= len(self._parts):
            yield from self._close_summary_part()
            self._parts.append("")
            part = {"type": "summary_text", "text": ""}
            yield self._event("response.reasoning_summary_part.added", **self._summary_at(), part=part)
        self._parts[-1] += piece.delta
        self._said += len(piece.delta)
        yield self._event("response.reasoning_summary_text.delta", **self._summary_at(), delta=piece.delta)

    def _summary_at(self) -> Json:
        return self._at(summary_index=len(self._parts) - 1)

    def _close_summary_part(self) -> Iterator[Json]:
        if self._parts:
            part = {"type": "summary_text", "text": self._parts[-1]}
            yield self._event("response.reasoning_summary_text.done", **self._summary_at(), text=self._parts[-1])
            yield self._event("response.reasoning_summary_part.done", **self._summary_at(), part=part)

    def _close(self) -> Iterator[Json]:
        """Finish the open message or reasoning item, if there is one."""
        item = self._open
        if item is None:
            return
        if item["type"] == "reasoning":
            yield from self._close_summary_part()
            yield self._finish_item(item | {"summary": [{"type": "summary_text", "text": t} for t in self._parts]})
            return
        at, text = self._at(content_index=0), self._parts[0]
        part = _text_part(text)
        yield self._event("response.output_text.done", **at, text=text, logprobs=[])
        yield self._event("response.content_part.done", **at, part=part)
        status = "incomplete" if isinstance(self._ending, Incomplete) else "completed"
        yield self._finish_item(item | {"status": status, "content": [part]})

    def _function_call(self, piece: FunctionCall) -> Iterator[Json]:
        item: Json = {"id": self._id("fc"), "type": "function_call", "name": piece.name}
        item |= {"call_id": piece.call_id or self._id("call")}
        if piece.namespace:
            item["namespace"] = piece.namespace
        yield from self._call(item, "arguments", piece.arguments, "response.function_call_arguments")

    def _custom_call(self, piece: CustomCall) -> Iterator[Json]:
        item: Json = {"id": self._id("ctc"), "type": "custom_tool_call", "name": piece.name}
        item |= {"call_id": piece.call_id or self._id("call")}
        yield from self._call(item, "input", piece.input, "response.custom_tool_call_input")

    def _call(self, item: Json, key: str, text: str, event: str) -> Iterator[Json]:
        yield from self._close()
        yield self._begin_item(item | {"status": "in_progress", key: ""})
        for at in range(0, len(text), ARGUMENT_CHARACTERS):
            yield self._event(f"{event}.delta", **self._at(), delta=text[at : at + ARGUMENT_CHARACTERS])
        # The public API repeats the name here, and openai-python's typed event has it.
        named = {"name": item["name"]} if key == "arguments" else {}
        yield self._event(f"{event}.done", **self._at(), **named, **{key: text})
        self._said += len(text)
        yield self._finish_item(item | {"status": "completed", key: text})

    def _whole_item(self, item: Json) -> Iterator[Json]:
        yield from self._close()
        item.setdefault("id", self._id(ID_PREFIXES.get(str(item.get("type")), "item")))
        yield self._begin_item(item)
        yield self._finish_item(item)


def _text_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def usage_of(usage: Usage) -> Json:
    """Return token counts as the wire spells them."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def _blank(ask: Ask, unique: str, model: str) -> Json:
    """Return the response object before anything has been said."""
    blank: Json = {
        "id": f"resp_{unique}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": ask.body.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": ask.body.get("reasoning") or {"effort": None, "summary": None},
        "service_tier": ask.body.get("service_tier") or "auto",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}} | (ask.body.get("text") or {}),
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": ask.body.get("metadata") or {},
    }
    return blank | {name: ask.body[name] for name in ECHOED if ask.body.get(name) is not None}
