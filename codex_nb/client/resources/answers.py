"""One request to the model, from the caller's words to the answer: the flows behind ``session.responses``."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from codex_nb.client._formats import Format
from codex_nb.client._incoming import EVENT_STREAM, Incoming, shaped
from codex_nb.client._parsing import parsed
from codex_nb.client._tools import ToolReaders, wire_tool
from codex_nb.client.preview import Preview, preview
from codex_nb.client.resources.fields import Fields
from codex_nb.client.resources.models import default_model, list_models
from codex_nb.client.tape import present_tape
from codex_nb.errors import APIConnectionError, CodexError, InvalidAnswer, InvalidOption
from codex_nb.settings import LONGEST_SECONDS
from codex_nb.types.responses import CompactedResponse
from codex_nb.wire.call import Blocking, Call, Flow, Play, Read
from codex_nb.wire.content import content
from codex_nb.wire.headers import turn
from codex_nb.wire.items import TRIGGER, compacted, input_items
from codex_nb.wire.json import as_object
from codex_nb.wire.request import REFUSED, USUAL, Manners, refuse, request_body

if TYPE_CHECKING:
    from codex_nb.client._core import Core
    from codex_nb.client.resources.fields import Input
    from codex_nb.client.tape import Recorded
    from codex_nb.types.models import ModelPage
    from codex_nb.types.parsed import ParsedResponse
    from codex_nb.types.responses import Response
    from codex_nb.wire.call import Reply
    from codex_nb.wire.json import JSONObject

__all__ = ["Request", "collected", "compacting", "opening", "previewing"]

T = TypeVar("T")

# The official client's words for a compaction that its user asked for.
COMPACTION: Final = json.dumps(
    {
        "request_kind": "compaction",
        "compaction": {
            "trigger": "manual",
            "reason": "user_requested",
            "implementation": "responses_compaction_v2",
            "phase": "standalone_turn",
            "strategy": "memento",
        },
    },
    separators=(",", ":"),
)


MAPPINGS: Final = {
    "reasoning": "{'effort': 'high'}",
    "text": "{'verbosity': 'low'}",
    "extra_body": "{'name': 'value'}",
}


class Request(Generic[T]):
    """What was asked for, checked: sent when the answer is opened.

    Raises:
        UnsupportedParameter: a field that the backend refuses, or that has no strict schema.
        InvalidOption: two wishes that exclude each other, or a tool that is none.

    """

    def __init__(
        self, method: str, input: Input, model: str | None, fields: Mapping[str, Any], text_format: Any = None
    ) -> None:
        known = Fields.__annotations__.keys() - REFUSED.keys()
        refuse({name: value for name, value in fields.items() if name not in known}, method=method)
        self.input = input
        self.model = model
        self.fields = {name: value for name, value in fields.items() if name in known and value is not None}
        self.headers: Mapping[str, str] = {}
        self.timeout = _seconds(self.fields.pop("timeout", None))
        for name, example in MAPPINGS.items():
            if not isinstance(self.fields.get(name, {}), Mapping):
                raise InvalidOption(f"{name} is no dict.", hint=f"Example: {name}={example}.")
        if isinstance(self.fields.get("tools", []), (Mapping, str, type)):
            raise InvalidOption("tools is one tool alone.", hint="Put it in a list: tools=[tool].")
        if "tools" in self.fields:
            self.fields["tools"] = [wire_tool(tool) for tool in self.fields["tools"]]
        self._form: Format[T] | None = None
        if text_format is not None:
            self._ask_for(text_format)

    def _ask_for(self, text_format: Any) -> None:
        text: Mapping[str, Any] = self.fields.get("text", {})
        if text.get("format"):
            raise InvalidOption(
                "text_format and text['format'] both say what the answer is to be.",
                hint="Keep one; text={'verbosity': …} goes well with text_format.",
            )
        self._form = Format(text_format)
        self.fields["text"] = {**text, "format": self._form.as_text_format}

    def parsed(self, response: Response) -> ParsedResponse[T]:
        """Return ``response`` read as what was asked for."""
        return parsed(response, self._form, ToolReaders(self.fields.get("tools", ())))


def _seconds(timeout: Any) -> float | None:
    if timeout is None or (isinstance(timeout, int | float) and 0 < timeout <= LONGEST_SECONDS):
        return timeout
    raise InvalidOption("The time-out must be a number of seconds above 0.", hint="Leave it out for the session's own.")


def opening(core: Core, request: Request[Any]) -> Flow[tuple[Incoming, Any]]:
    """Send ``request``; return the open answer once it is known to be a stream of events."""
    request.input = input_items(request.input)
    tape, keep = present_tape(), None
    if tape:
        said = content_of(core, request)
        recorded: Recorded | None = yield Blocking(partial(tape.find, said))
        if recorded:
            return (yield from _played(core, request, recorded))
        keep = tape.begin(said)
    model = request.model or (yield from default_model(core))
    codex = core.settings.backend.speaks_codex
    manners = (yield from _manners(core, model, request.fields)) if codex else USUAL
    call, state = _described(core, request, model, manners)
    core.check_budgets()
    reply: Reply = yield call
    arriving: Any = reply.body

    def completed(one: Incoming) -> None:
        # The first word for a turn stays its word.
        core.turns.keep(one.call_ids, state or one.turn_state)
        core.learn_quota(one.quota)
        if keep:
            keep(reply.headers, one.chunks or (), arriving.hide)

    incoming = Incoming(reply, arriving.content_type, completed)
    core.learn_quota(incoming.quota)
    incoming.chunks = [] if keep else None
    incoming.asked = partial(content_of, core, request)
    if arriving.content_type not in {EVENT_STREAM, ""}:
        beginning: bytes = yield Read(reply)
        raise incoming.refusal(beginning)
    return incoming, arriving


def _played(core: Core, request: Request[Any], recorded: Recorded) -> Flow[tuple[Incoming, Any]]:
    """Return a recorded answer as if it came now."""
    url = core.settings.backend.url("codex/responses")
    reply: Reply = yield Play(url, recorded.headers, recorded.chunks)
    incoming = Incoming(reply, EVENT_STREAM)
    incoming.asked, incoming.replayed = partial(content_of, core, request), recorded.seconds
    return incoming, reply.body


def _described(core: Core, request: Request[Any], model: str, manners: Manners) -> tuple[Call, str | None]:
    """Return the call that ``request`` makes, and the word for the turn that it continues."""
    codex = core.settings.backend.speaks_codex
    conversation = request.fields.get("prompt_cache_key") or core.id
    body = request_body(
        model=model,
        input=request.input,
        cache_key=conversation if codex else None,
        fields=request.fields,
        manners=manners,
    )
    state = core.turns.state(body["input"]) if codex else None
    headers = {"accept": EVENT_STREAM}
    if codex:
        headers = turn(conversation, str(uuid.uuid4()), state=state, lite=manners.lite)
    sent = {**headers, **request.headers}
    return Call("POST", "codex/responses", json=body, headers=sent, stream=True, patience=request.timeout), state


def previewing(core: Core, request: Request[Any]) -> Preview:
    """Return what `opening` would send, by what is known already."""
    model, guessed = request.model or core.settings.model, ()
    if model is None and core.models:
        model = _first(default_model(core))
    if model is None:
        guessed = ("the model, which is the first that the service lists",)
    elif core.models is None and core.settings.backend.speaks_codex and _depends(request.fields):
        guessed = ("where the tools stand, and whether a summary is asked for, which depends on the model",)
    call, _ = _described(core, request, model or "", _known_manners(core.models, model or ""))
    return preview(core.transport, call, guessed)


def content_of(core: Core, request: Request[Any]) -> JSONObject:
    """Return what ``request`` asks for: the same whichever service it goes to, and whatever that has learnt."""
    model = request.model or core.settings.model or ""
    return content(request_body(model=model, input=request.input, cache_key=None, fields=request.fields))


def _first(flow: Flow[T]) -> T:
    """Return the result of a flow that has nothing to ask for."""
    try:
        next(flow)
    except StopIteration as end:
        return end.value
    raise RuntimeError("The flow asks for something.")


def collected(core: Core, request: Request[Any]) -> Flow[Response]:
    """Send ``request`` and return its answer, whole."""
    incoming, _ = yield from opening(core, request)
    while not incoming.finished:
        try:
            incoming.take((yield Read(incoming.reply)))
        except CodexError as error:
            raise incoming.broken(error) from error
    if incoming.failure:
        raise incoming.failure
    return incoming.response


def compacting(core: Core, request: Request[Any]) -> Flow[CompactedResponse]:
    """Send ``request`` with the wish to make it short; return what takes the place of its input."""
    items = input_items(request.input)
    if not core.settings.backend.speaks_codex:
        return (yield from _compacting_elsewhere(core, request, items))
    request.input = [*items, TRIGGER]
    request.headers = {"x-codex-turn-metadata": COMPACTION}
    response = yield from collected(core, request)
    history, made = compacted(items, (item.raw for item in response.output))
    if made != 1 or response.status != "completed":
        raise InvalidAnswer(
            f"The conversation was not made short: the answer is {response.status} and has {made} compaction items.",
            hint="The conversation itself is unchanged. Try again, or with a shorter one.",
            code="no_compaction",
            response=response,
            partial=response.output_text,
        )
    short = response.raw | {"object": "response.compaction", "output": history}
    return shaped(CompactedResponse, short)


def _compacting_elsewhere(core: Core, request: Request[Any], items: list[Any]) -> Flow[CompactedResponse]:
    """Ask a server that has an endpoint for it, as OpenAI's own does."""
    model = request.model or (yield from default_model(core))
    body = request_body(model=model, input=items, cache_key=None, fields=request.fields)
    kept = {name: value for name, value in body.items() if name not in {"stream", "store"}}
    reply: Reply = yield Call("POST", "codex/responses/compact", json=kept)
    return shaped(CompactedResponse, reply.json())


def _manners(core: Core, model: str, fields: Mapping[str, Any]) -> Flow[Manners]:
    """Return what the list of models says of ``model``; it is asked for where the request depends on it."""
    page = core.models
    if page is None and _depends(fields):
        try:
            page = yield from list_models(core)
        except APIConnectionError:
            raise
        except CodexError:  # the request itself will tell what is wrong, if it matters
            return USUAL
    return _known_manners(page, model)


def _depends(fields: Mapping[str, Any]) -> bool:
    """Whether the request looks different for different models."""
    return bool(fields.get("tools")) or bool(as_object(fields.get("reasoning")).get("summary"))


def _known_manners(page: ModelPage | None, model: str) -> Manners:
    for info in page or ():
        if info.id == model:
            return Manners(
                lite=info.use_responses_lite is True, summaries=info.supports_reasoning_summary_parameter is not False
            )
    return USUAL
