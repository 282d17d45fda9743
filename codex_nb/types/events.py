"""Events of a response under way.

An event is light: it wraps the JSON object and gives its fields as attributes, because a long answer is tens of
thousands of them. Only the events that carry items or the whole response build full shapes, and only when asked.
"""

from __future__ import annotations

from typing import Any, Final

from codex_nb.types.responses import OutputItem, Response

__all__ = ["ItemEvent", "LifecycleEvent", "ResponseEvent", "TextDeltaEvent", "TextEvent", "event_class"]


class ResponseEvent:
    """One event. ``type`` says what it is, ``raw`` is the JSON object; its fields are attributes too."""

    __slots__ = ("raw", "type")

    def __init__(self, raw: dict[str, Any], type: str) -> None:
        self.raw = raw
        self.type = type

    def __getattr__(self, name: str) -> Any:
        try:
            return self.raw[name]
        except KeyError:
            raise AttributeError(f"The event {self.type} has no field {name!r}.", name=name, obj=self) from None

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={str(value)[:40]!r}" for name, value in self.raw.items() if name != "type")
        return f"{type(self).__name__}({self.type!r}, {fields})"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.raw]


class TextDeltaEvent(ResponseEvent):
    """``response.output_text.delta``: a few more characters of the answer."""

    __slots__ = ()

    delta: str
    item_id: str
    output_index: int
    content_index: int


class TextEvent(ResponseEvent):
    """A delta of something else that streams: a reasoning summary, a refusal, a tool's arguments."""

    __slots__ = ()

    delta: str
    item_id: str
    output_index: int


class ItemEvent(ResponseEvent):
    """``response.output_item.added`` or ``.done``."""

    __slots__ = ()

    output_index: int

    @property
    def item(self) -> OutputItem:
        """The item, typed."""
        return Response.model_validate({"output": [self.raw.get("item") or {}]}).output[0]


class LifecycleEvent(ResponseEvent):
    """``response.created``, ``.in_progress``, ``.completed``, ``.incomplete`` or ``.failed``."""

    __slots__ = ()

    @property
    def response(self) -> Response:
        """The response as the service sends it with this event; the stream's ``final()`` has the items too."""
        return Response.model_validate(self.raw.get("response") or {})


CLASSES: Final[dict[str, type[ResponseEvent]]] = {
    "response.output_text.delta": TextDeltaEvent,
    "response.refusal.delta": TextEvent,
    "response.reasoning_summary_text.delta": TextEvent,
    "response.reasoning_text.delta": TextEvent,
    "response.function_call_arguments.delta": TextEvent,
    "response.custom_tool_call_input.delta": TextEvent,
    "response.output_item.added": ItemEvent,
    "response.output_item.done": ItemEvent,
    "response.created": LifecycleEvent,
    "response.in_progress": LifecycleEvent,
    "response.queued": LifecycleEvent,
    "response.completed": LifecycleEvent,
    "response.incomplete": LifecycleEvent,
    "response.failed": LifecycleEvent,
}


def event_class(kind: str) -> type[ResponseEvent]:
    """Return the class for events of type ``kind``."""
    return CLASSES.get(kind, ResponseEvent)
