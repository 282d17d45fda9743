"""What is remembered (``session.codex.memories``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import pydantic_core

from codex_nb.client._faces import F, Resource, endpoint
from codex_nb.client._incoming import shaped
from codex_nb.client.resources._asking import read
from codex_nb.client.resources.models import default_model
from codex_nb.errors import InvalidOption, UnsupportedByBackend
from codex_nb.types._base import Shape
from codex_nb.types.memories import Memories, TraceSummaries
from codex_nb.wire.call import Call, Flow

if TYPE_CHECKING:
    from codex_nb.wire.call import Reply

__all__ = ["MemoryStore"]

# As the Codex CLI marks these requests.
MARKS = {"x-openai-subagent": "memory_consolidation", "x-openai-memgen-request": "true"}


class MemoryStore(Resource[F]):
    """``session.codex.memories``."""

    @endpoint
    def list(self) -> Flow[Memories]:
        """List what ChatGPT remembers of its user.

        Raises:
            UnsupportedByBackend: an OpenAI-compatible server keeps no such account.

        """
        return (yield from read(Memories, "account/memories"))

    @endpoint
    def trace_summarize(
        self,
        *,
        traces: Iterable[Any],
        model: str | None = None,
        reasoning: Mapping[str, Any] | None = None,
    ) -> Flow[TraceSummaries]:
        """Let the model sum up what can be learnt from traces of earlier work: ``.output``, one for each, in order.

        A trace is a dict (or a Pydantic model) ``{"id": …, "metadata": {"source_path": …}, "items": […]}``; items are
        those of a conversation. ``model`` is the session's, or the first that the service lists, when it is not named.

        Raises:
            InvalidOption: there are no traces, or they are no JSON; nothing was sent.
            PermissionDeniedError: the plan does not include it.
            UnsupportedByBackend: an OpenAI-compatible server has no such endpoint.

        """
        backend = self._core.settings.backend
        if not backend.speaks_codex:
            raise UnsupportedByBackend(
                f"The backend {backend.name} sums up no traces.",
                hint='It is an OpenAI-compatible server; memories need use("chatgpt").',
            )
        rows = _plain_traces(traces)
        body: dict[str, Any] = {"model": model or (yield from default_model(self._core)), "traces": rows}
        if reasoning is not None:
            body["reasoning"] = _plain(reasoning)
        reply: Reply = yield Call("POST", "codex/memories/trace_summarize", json=body, headers=MARKS)
        return shaped(TraceSummaries, reply.json())


def _plain_traces(traces: Iterable[Any]) -> list[Any]:
    if isinstance(traces, (str, bytes, Mapping, Shape)):
        raise InvalidOption("traces is one trace alone.", hint="Put it in a list: traces=[trace].")
    rows = [_plain(trace) for trace in traces] if isinstance(traces, Iterable) else []  # pyright: ignore[reportUnnecessaryIsInstance]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InvalidOption(
            "traces are dicts, at least one.", hint='Example: [{"id": "1", "metadata": {}, "items": []}].'
        )
    return rows


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON values; items of earlier answers go back as they came."""
    if isinstance(value, Shape):
        return value.raw
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in cast("list[Any]", value)]
    try:
        return pydantic_core.to_jsonable_python(value)
    except pydantic_core.PydanticSerializationError as error:
        raise InvalidOption(
            f"A trace holds a {type(value).__name__}, which is no JSON.", hint="Nothing was sent."
        ) from error
