"""The endpoint that sums up traces of work into memories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.responses import JSONResponse, Response

from codex_nb.local.ask import Ask
from codex_nb.local.bodies import json_body
from codex_nb.local.checks import Refusal, detail, error
from codex_nb.local.compaction import summed_up
from codex_nb.local.pieces import Failure
from codex_nb.local.state import state_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from codex_nb.local.pieces import Json
    from codex_nb.local.state import State

PLANS: Final = frozenset({"pro", "prolite", "business", "enterprise", "edu"})
SENTENCE: Final = ". "


async def trace_summarize(request: Request) -> Response:
    """Serve ``POST /backend-api/codex/memories/trace_summarize``: two texts a trace, in their order."""
    state = state_of(request)
    if state.account.plan not in PLANS:
        return JSONResponse({"detail": "Memory summarization is not available on this plan."}, 403)
    body = await json_body(request)
    wanted = body if isinstance(body, Refusal) else _read(body, state.models())
    if isinstance(wanted, Refusal):
        return JSONResponse(wanted.body, wanted.status)
    model, traces = wanted
    output: list[Json] = []
    for trace in traces:
        found = await _summary(state, model, trace)
        if isinstance(found, Failure):
            return JSONResponse({"error": {"code": found.code, "message": found.message}}, 500)
        output.append({"trace_summary": found, "memory_summary": found.partition(SENTENCE)[0]})
    return JSONResponse({"output": output})


def _read(body: Any, models: list[str]) -> tuple[str, list[Json]] | Refusal:
    fields = cast("Json", body) if isinstance(body, dict) else {}
    for name in ("model", "traces"):
        if name not in fields:
            return error(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if fields["model"] not in models:
        return detail(f"The '{fields['model']}' model is not supported when using Codex with a ChatGPT account.")
    traces = fields["traces"]
    if not isinstance(traces, list):
        return error("Invalid type for 'traces': expected an array.", "traces", "invalid_type")
    for at, trace in enumerate(cast("list[Any]", traces)):
        whole = cast("Json", trace) if isinstance(trace, dict) else {}
        if not isinstance(whole.get("id"), str) or not isinstance(whole.get("items"), list):
            return error(f"Invalid trace: it needs an id and items (traces[{at}]).", f"traces[{at}]", "invalid_value")
    return fields["model"], cast("list[Json]", traces)


async def _summary(state: State, model: str, trace: Json) -> str | Failure:
    """Sum up one trace. Its items may be anything; what is no message is shown as it is."""
    items = [_message(item) for item in trace["items"]]
    found = await summed_up(state.engine, Ask({"model": model, "input": items}))
    if isinstance(found, Failure):
        return found
    text, usage = found
    state.quota.spend(usage)
    return text


def _message(item: Any) -> Json:
    if isinstance(item, dict) and cast("Json", item).get("type", "message") == "message":
        return cast("Json", item)
    text = json.dumps(item, ensure_ascii=False)
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
