"""The endpoint that makes vectors of texts: the public API's limits, words and two encodings."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from starlette.responses import JSONResponse, Response

from codex_nb.local.bodies import json_body
from codex_nb.local.checks import Refusal, error
from codex_nb.local.pieces import Embedder, Embedding, TooLongError
from codex_nb.local.state import state_of
from codex_nb.local.vectors import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from codex_nb.local.pieces import Json, Vectors

Inputs: TypeAlias = list[str | list[int]]

MOST_INPUTS: Final = 2048
MOST_TOKENS: Final = 8192
MOST_TOKENS_TOGETHER: Final = 300_000
# The one that came before vectors could be cut.
WITHOUT_DIMENSIONS: Final = "text-embedding-ada-002"


async def create(request: Request) -> Response:
    """Serve ``POST /v1/embeddings``."""
    state = state_of(request)
    headers = {"x-request-id": f"req_{state.new_id()}"}
    reply = await _answer(await json_body(request), state.engine)
    if isinstance(reply, Refusal):
        return JSONResponse(reply.body, reply.status, headers=headers)
    return Response(reply, media_type="application/json", headers=headers)


async def _answer(body: Any, engine: object) -> bytes | Refusal:
    fields = body if isinstance(body, Refusal) else _fields(body)
    if isinstance(fields, Refusal):
        return fields
    asked = _read(fields, await engine.sizes() if isinstance(engine, Embedder) else {})
    if isinstance(asked, Refusal):
        return asked
    try:
        vectors = await cast("Embedder", engine).embed(asked)
    except TooLongError as refused:
        return error(str(refused))
    written = _packed if fields.get("encoding_format") == "base64" else _written
    return await asyncio.to_thread(_encoded, vectors, written)


def _fields(body: Any) -> Json | Refusal:
    return cast("Json", body) if isinstance(body, dict) else error("The body must be a JSON object.")


def _read(fields: Json, sizes: Mapping[str, int]) -> Embedding | Refusal:
    """Check a request in the order that the service does."""
    model, form = fields.get("model"), fields.get("encoding_format", "float")
    if not isinstance(model, str) or not model:
        return error("you must provide a model parameter")
    if model not in sizes:
        message = f"The model `{model}` does not exist or you do not have access to it."
        return error(message, code="model_not_found", status=404)
    if form not in ("float", "base64"):
        message = f"Invalid value: '{form}'. Supported values are: 'float' and 'base64'."
        return error(message, "encoding_format", "invalid_value")
    size = _size(fields.get("dimensions"), model, sizes[model])
    inputs = size if isinstance(size, Refusal) else _inputs(fields.get("input"))
    if isinstance(size, Refusal) or isinstance(inputs, Refusal):
        return cast("Refusal", inputs)
    return _too_long(inputs) or Embedding(inputs, model, size)


def _size(wanted: Any, model: str, own: int) -> int | Refusal:
    if wanted is None:
        return own
    if model == WITHOUT_DIMENSIONS:
        return error("This model does not support specifying dimensions.")
    if not _is_count(wanted) or wanted < 1:
        return error(f"'{wanted}' is not an integer of at least 1 - 'dimensions'", "dimensions", "invalid_type")
    if wanted > own:
        return error(f"Invalid value for 'dimensions' = {wanted}. Must be less than or equal to {own}.", "dimensions")
    return wanted


def _inputs(value: Any) -> Inputs | Refusal:
    """Return the inputs as a list: a lone text or token list is one input."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return error("'$.input' is invalid. Please check the API reference.", "input")
    entries = cast("list[Any]", value)
    if entries and all(_is_count(each) for each in entries):
        entries = [cast("Any", entries)]
    if not entries:
        message = "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array."
        return error(message, "input", "empty_array")
    if len(entries) > MOST_INPUTS:
        message = (
            f"Invalid 'input': array too long. Expected an array with maximum length {MOST_INPUTS}, "
            f"but got an array with length {len(entries)} instead."
        )
        return error(message, "input", "array_above_max_length")
    if not (all(isinstance(each, str) for each in entries) or all(_is_tokens(each) for each in entries)):
        return error("'$.input' is invalid. Please check the API reference.", "input")
    if not all(entries):
        return error("Invalid 'input': input cannot be an empty string.", "input")
    return cast("Inputs", entries)


def _too_long(inputs: Inputs) -> Refusal | None:
    counts = [tokens_of(each) for each in inputs]
    if (longest := max(counts)) > MOST_TOKENS:
        return error(
            f"This model's maximum context length is {MOST_TOKENS} tokens, however you requested {longest} tokens "
            f"({longest} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
        )
    if (total := sum(counts)) > MOST_TOKENS_TOGETHER:
        kind = "max_tokens_per_request"
        message = f"Requested {total} tokens, max {MOST_TOKENS_TOGETHER} tokens per request"
        return Refusal(400, {"error": {"message": message, "type": kind, "param": None, "code": kind}})
    return None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_tokens(value: Any) -> bool:
    return isinstance(value, list) and all(_is_count(each) for each in cast("list[Any]", value))


def _encoded(vectors: Vectors, written: Any) -> bytes:
    """Return the reply, joined by hand: the standard encoder takes seconds for two thousand vectors."""
    rows = (
        b'{"object":"embedding","index":%d,"embedding":%b}' % (index, row)
        for index, row in enumerate(written(vectors.matrix))
    )
    usage = {"prompt_tokens": vectors.tokens, "total_tokens": vectors.tokens}
    tail = json.dumps({"model": vectors.model, "usage": usage})[1:].encode()
    return b'{"object":"list","data":[%b],%b' % (b",".join(rows), tail)


def _packed(matrix: Any) -> Iterable[bytes]:
    return (b'"%b"' % base64.b64encode(row) for row in matrix.astype("<f4", copy=False))


def _written(matrix: Any) -> Iterable[bytes]:
    """Write numbers with nine digits: enough to read back the same float32."""
    form = "[" + ",".join(["%.9g"] * matrix.shape[1]) + "]"
    return ((form % tuple(row)).encode() for row in matrix.tolist())
