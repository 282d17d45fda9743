"""Events in, the response so far out.

Final items come from ``response.output_item.done``: the Codex backend leaves ``output`` of the terminal event empty,
other servers fill it, and some send text deltas alone. Each text is counted once, whichever of the three came.
"""

from __future__ import annotations

from typing import Any, Final

from codex_nb.wire.json import JSONObject, as_object

__all__ = ["TERMINAL", "Assembly"]

# The event that ends a response -> the status it leaves.
TERMINAL: Final = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "error": "failed",
}
TEXT_DELTAS: Final = frozenset({"response.output_text.delta", "response.content_part.delta"})


class Assembly:
    """One response, put together event by event with `add`.

    ``ending`` is the terminal event, None until it came. ``metadata`` holds what the service says of the response in
    the form of headers (``openai-model``, ``x-codex-turn-state``), ``rate_limits`` its latest word on the quota.
    """

    def __init__(self) -> None:
        self.ending: JSONObject | None = None
        self.metadata: dict[str, str] = {}
        self.rate_limits: JSONObject | None = None
        self._base: JSONObject = {}
        self._started: dict[int, JSONObject] = {}
        self._done: dict[int, JSONObject] = {}
        self._texts: dict[int, list[str]] = {}

    @property
    def text(self) -> str:
        """The text of all messages so far, in their order: that of `response`, however it came."""
        return "".join(_text(item) for item in self.response()["output"])

    @property
    def begun(self) -> bool:
        """Whether any text came."""
        return bool(self._texts)

    @property
    def head(self) -> JSONObject:
        """The response object as the service itself tells it: its output may be missing."""
        told = as_object(self.ending.get("response")) if self.ending else {}
        return self._base | {name: value for name, value in told.items() if value is not None}

    def add(self, event: JSONObject) -> None:
        """Take one event. Unknown types, and fields of the wrong shape, are passed over."""
        kind = event.get("type")
        if kind in TEXT_DELTAS:
            self._add_text(event)
        elif kind in TERMINAL:
            self.ending = event
        elif kind == "response.output_item.added":
            self._keep_item(self._started, event)
        elif kind == "response.output_item.done":
            self._keep_item(self._done, event)
        elif kind in {"response.created", "response.in_progress"}:
            self._base |= as_object(event.get("response"))
        elif kind == "response.metadata":
            headers = as_object(event.get("headers"))
            self.metadata |= {str(name).lower(): str(value) for name, value in headers.items()}
        elif kind == "codex.rate_limits":
            self.rate_limits = event

    def _add_text(self, event: JSONObject) -> None:
        delta = event.get("delta")
        if isinstance(delta, dict):  # the older event carries {"text": …}
            delta = as_object(delta).get("text")
        index = event.get("output_index", 0)
        if isinstance(delta, str) and isinstance(index, int):
            try:
                self._texts[index].append(delta)
            except KeyError:
                self._texts[index] = [delta]

    @staticmethod
    def _keep_item(items: dict[int, JSONObject], event: JSONObject) -> None:
        item, index = event.get("item"), event.get("output_index")
        if isinstance(item, dict):
            items[index if isinstance(index, int) else len(items)] = as_object(item)

    def response(self) -> JSONObject:
        """Return the response object as it stands: shaped as in the terminal event, ``output`` always whole."""
        ending, body = self.ending or {}, self.head
        status = TERMINAL[ending["type"]] if ending else "in_progress"
        body["status"] = status
        if ending.get("type") == "error":
            nested = as_object(ending.get("error"))
            body["error"] = nested or {"code": ending.get("code"), "message": ending.get("message")}
        output = body.get("output")
        body["output"] = output if isinstance(output, list) and output else self._output(status)
        return body

    def _output(self, status: str) -> list[JSONObject]:
        done = {index: item for index, item in self._done.items() if self._has_content(index, item)}
        unfinished = {
            index: self._message_so_far(index, status)
            for index, parts in self._texts.items()
            if index not in done and any(parts)
        }
        merged = done | unfinished
        return [merged[index] for index in sorted(merged)]

    def _has_content(self, index: int, item: JSONObject) -> bool:
        """Whether a finished item stands on its own; a message without content yields to the deltas that came."""
        return item.get("type") != "message" or bool(item.get("content")) or index not in self._texts

    def _message_so_far(self, index: int, status: str) -> JSONObject:
        part: JSONObject = {"type": "output_text", "text": "".join(self._texts[index]), "annotations": []}
        started = self._started.get(index) or {"type": "message", "role": "assistant"}
        return started | {"status": status, "content": [part]}


def _text(item: Any) -> str:
    """Return the text of an item, empty where it is no message."""
    message = as_object(item)
    parts: Any = message.get("content") if message.get("type") == "message" else None
    objects = [as_object(part) for part in parts] if isinstance(parts, list) else []  # pyright: ignore[reportUnknownVariableType]
    said = [part.get("text") for part in objects if part.get("type") == "output_text"]
    return "".join(text for text in said if isinstance(text, str))
