"""openai-python's own calls, as its users write them. A prompt names the answer that the script has for it."""

import base64
import io
import os
import struct
import sys
import wave

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from scenes import play

MODEL = "gpt-5.5"
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
SMALL = "text-embedding-3-small"


class City(BaseModel):
    """Look a city up."""

    name: str
    people: int
    twins: list["City"] = []


def version(client):
    """Which one this is."""
    return openai.__version__


def models(client):
    """The list, one of it, and one that is not there."""
    try:
        client.models.retrieve("gpt-1")
    except openai.NotFoundError as error:
        missing = error.status_code
    return [model.id for model in client.models.list()], client.models.retrieve(MODEL).id, missing


def create(client):
    """A whole response."""
    response = client.responses.create(model=MODEL, input="text", instructions="Be brief.")
    return response.output_text, [item.type for item in response.output], response.usage.total_tokens, response.status


def create_streamed(client):
    """Events, each known to the client."""
    with client.responses.create(model=MODEL, input="text", stream=True) as events:
        found = list(events)
    text = "".join(event.delta for event in found if event.type == "response.output_text.delta")
    return text, found[-1].type, all(type(event).__name__ != "BaseModel" for event in found)


def stream(client):
    """The helper that keeps the state."""
    with client.responses.stream(model=MODEL, input="text") as events:
        snapshots = [event.snapshot for event in events if event.type == "response.output_text.delta"]
        return snapshots[-1], events.get_final_response().output_text


def parse(client):
    """A type in, a value out."""
    response = client.responses.parse(model=MODEL, input="city", text_format=City)
    return response.output_parsed.model_dump(), type(response.output_parsed).__name__


def parse_streamed(client):
    """The same, while it comes."""
    with client.responses.stream(model=MODEL, input="city", text_format=City) as events:
        return events.get_final_response().output_parsed.model_dump()


def tools(client):
    """Two calls side by side, read as the model, answered, and the conversation goes on."""
    asked = [{"role": "user", "content": "calls"}]
    options = {"model": MODEL, "tools": [openai.pydantic_function_tool(City)], "parallel_tool_calls": True}
    response = client.responses.parse(input=asked, **options)
    calls = [item for item in response.output if item.type == "function_call"]
    outputs = [{"type": "function_call_output", "call_id": call.call_id, "output": "text"} for call in calls]
    history = [*asked, *({k: v for k, v in c.to_dict().items() if k != "parsed_arguments"} for c in calls), *outputs]
    after = client.responses.parse(input=history, **options)
    return [call.parsed_arguments.name for call in calls], after.output_text


def endings(client):
    """A refusal, an end before the end, a failure."""
    refused = client.responses.parse(model=MODEL, input="refusal", text_format=City)
    short = client.responses.create(model=MODEL, input="incomplete")
    failed = client.responses.create(model=MODEL, input="failure")
    return (
        refused.output_parsed,
        refused.output[0].content[0].refusal,
        short.incomplete_details.reason,
        failed.error.code,
    )


def content(client):
    """Images and files in the input."""
    parts = [
        {"type": "input_text", "text": "text"},
        {"type": "input_image", "image_url": DOT, "detail": "auto"},
        {"type": "input_file", "file_id": "file_1"},
    ]
    return client.responses.create(model=MODEL, input=[{"role": "user", "content": parts}]).status


def embeddings(client):
    """Both encodings say the same; the client's own default is base64."""
    asked = {"model": SMALL, "input": ["one", "two"], "dimensions": 8}
    floats = client.embeddings.create(encoding_format="float", **asked)
    packed = client.embeddings.create(encoding_format="base64", **asked)
    usual = client.embeddings.create(**asked)
    unpacked = [list(struct.unpack("<8f", base64.b64decode(row.embedding))) for row in packed.data]
    close = _close([row.embedding for row in floats.data], unpacked)
    same = _close([row.embedding for row in usual.data], unpacked)
    return close, same, [row.index for row in usual.data], floats.usage.prompt_tokens > 0


def _close(some, others):
    pairs = ((a, b) for row, other in zip(some, others, strict=True) for a, b in zip(row, other, strict=True))
    return all(abs(a - b) < 1e-6 for a, b in pairs)


def transcriptions(client):
    """A sound in, text out."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(b"\0\0" * 8000)
    file = ("talk.wav", sound.getvalue(), "audio/wav")
    return client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file).text


def files(client):
    """The public upload is another shape than the account's: it is a clear error."""
    try:
        client.files.create(file=("a.txt", b"x"), purpose="user_data")
    except openai.NotFoundError as error:
        return error.status_code
    return "taken"


def refusals(client):
    """Errors have the client's types."""
    seen = []
    for fields in ({"model": "gpt-1"}, {"model": MODEL, "previous_response_id": "resp_1"}):
        try:
            client.responses.create(input="text", **fields)
        except openai.APIStatusError as error:
            seen.append(type(error).__name__)
    return seen


async def asynchronous(client):
    """The other face."""
    async with AsyncOpenAI(base_url=str(client.base_url), api_key="x", max_retries=0) as other:
        response = await other.responses.parse(model=MODEL, input="city", text_format=City)
        async with other.responses.stream(model=MODEL, input="text") as events:
            final = await events.get_final_response()
        return response.output_parsed.name, final.output_text


if __name__ == "__main__":
    os.environ.pop("OPENAI_API_KEY", None)
    with OpenAI(base_url=sys.argv[1] + "/v1", api_key="x", max_retries=0) as opened:
        scenes = (version, models, create, create_streamed, stream, parse, parse_streamed, tools, endings)
        play([*scenes, content, embeddings, transcriptions, files, refusals, asynchronous], opened)
