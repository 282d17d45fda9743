"""One decoded request for an answer, and how engines read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codex_nb.local.pieces import Json


@dataclass(frozen=True, slots=True)
class Ask:
    """A request whose input is a list of items. ``codex`` says on which of the two paths it came."""

    body: Mapping[str, Any]
    codex: bool = True

    @property
    def model(self) -> str:
        """The model that is asked for."""
        return str(self.body.get("model") or "")

    @property
    def instructions(self) -> str:
        """The system text, empty when there is none."""
        return str(self.body.get("instructions") or "")

    @property
    def items(self) -> list[Json]:
        """The input items in order."""
        return [cast("Json", item) for item in self.body.get("input") or () if isinstance(item, dict)]

    @property
    def tools(self) -> list[Json]:
        """The tools in order; models of the lite kind have them in the input."""
        extra = [
            tool for item in self.items if item.get("type") == "additional_tools" for tool in item.get("tools") or ()
        ]
        listed: list[Any] = [*(self.body.get("tools") or ()), *extra]
        return [cast("Json", tool) for tool in listed if isinstance(tool, dict)]

    @property
    def schema(self) -> Json | None:
        """The JSON schema that the answer must follow, None for free text."""
        form = cast("Json", cast("Json", self.body.get("text") or {}).get("format") or {})
        return form.get("schema") if form.get("type") == "json_schema" else None

    @property
    def streamed(self) -> bool:
        """Whether events are wanted; without them the reply is one JSON object."""
        return self.codex or self.body.get("stream") is True

    def messages(self) -> Iterator[tuple[str, str]]:
        """Yield role and text of everything said so far; tool calls and their results come as text."""
        for item in self.items:
            kind = item.get("type", "message")
            if kind == "message":
                yield str(item.get("role", "user")), text_of(item.get("content"))
            elif kind in {"function_call", "custom_tool_call"}:
                yield "assistant", f"{item.get('name')}({item.get('arguments', item.get('input', ''))})"
            elif kind in {"function_call_output", "custom_tool_call_output"}:
                yield "user", f"Result: {text_of(item.get('output'))}"

    def last_user_text(self) -> str:
        """Return what the user said last: of a message in several parts the last text, which is the prompt."""
        said = [text for role, text in self.messages() if role == "user"]
        contents = [item.get("content") for item in self.items if item.get("role") == "user"]
        parts = texts_of(contents[-1]) if contents else []
        # The last of all may also be the result of a tool.
        return parts[-1] if parts and "\n".join(parts) == said[-1] else "".join(said[-1:])


def text_of(content: Any) -> str:
    """Return the text of a message's content, which is a string or a list of parts."""
    return "\n".join(texts_of(content))


def texts_of(content: Any) -> list[str]:
    """Return the texts of a message's content, one each part that has one."""
    if isinstance(content, str):
        return [content]
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    texts = [str(cast("Json", part).get("text") or "") for part in parts if isinstance(part, dict)]
    return [text for text in texts if text]
