"""openai-python against the public path: an unrelated client that knows nothing of us."""

import base64
import struct

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from codex_nb.local import Fault, FunctionCall, LocalBackend, Script, Turn
from codex_nb.local.pieces import Usage


@pytest.fixture
def client(backend):
    """Give openai-python, pointed at the backend."""
    with OpenAI(base_url=backend.url + "/v1", api_key="x", max_retries=0) as opened:
        yield opened


def test_models_are_listed(client):
    """List and retrieve give models; an unknown one is not found."""
    assert "gpt-5.5" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-5.5").owned_by == "codex-nb-local"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-1")


def test_create_returns_a_whole_response(client, backend):
    """Without streaming the reply is one typed object."""
    backend.add(Turn(text="Paris.", reasoning="Thinking.", usage=Usage(7, 3)))
    response = client.responses.create(model="gpt-5.5", input="Capital of France?", temperature=0.5)
    assert response.output_text == "Paris."
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert (response.status, response.usage.total_tokens, response.temperature) == ("completed", 10, 0.5)
    assert response.id.startswith("resp_")


def test_create_streams_events(client, backend):
    """Every streamed event is one that openai-python knows."""
    backend.add(Turn(text="Hello there"))
    with client.responses.create(model="gpt-5.5", input="Hi", stream=True) as events:
        found = list(events)
    assert all(type(event).__name__ != "BaseModel" for event in found)
    assert "".join(event.delta for event in found if event.type == "response.output_text.delta") == "Hello there"
    assert found[-1].response.output_text == "Hello there"


def test_stream_helper_builds_the_response(client, backend):
    """The stateful helper of openai-python follows the stream to its end."""
    call = FunctionCall("get_weather", '{"city": "Paris"}')
    backend.add(Turn(reasoning=["One.", "Two."], text="Looking it up.", calls=[call, call]))
    with client.responses.stream(model="gpt-5.5", input="Weather?") as stream:
        snapshots = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert snapshots[-1] == "Looking it up."
    assert [item.type for item in final.output] == ["reasoning", "message", "function_call", "function_call"]
    assert final.output[2].arguments == '{"city": "Paris"}'


def test_parse_reads_structured_output(client):
    """A pydantic model goes out as a schema and comes back filled."""
    from pydantic import BaseModel

    class City(BaseModel):
        name: str
        people: int

    parsed = client.responses.parse(model="gpt-5.5", input="Paris?", text_format=City).output_parsed
    assert parsed == City(name="text", people=1)


def test_incomplete_and_failed_are_told(client, backend):
    """The endings that are no success keep their reason."""
    backend.add(Turn(text="half", incomplete="max_output_tokens"), Turn(failure="server_error"))
    assert client.responses.create(model="gpt-5.5", input="x").incomplete_details.reason == "max_output_tokens"
    failed = client.responses.create(model="gpt-5.5", input="x")
    assert (failed.status, failed.error.code) == ("failed", "server_error")


def test_errors_have_openai_types(client, backend):
    """Refusals arrive as the exceptions that users know."""
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.responses.create(model="gpt-1", input="x")
    with pytest.raises(openai.BadRequestError, match="not stored"):
        client.responses.create(model="gpt-5.5", input="x", previous_response_id="resp_1")
    backend.inject(Fault.throttled(1), Fault.server_error())
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model="gpt-5.5", input="x")
    with pytest.raises(openai.InternalServerError):
        client.responses.create(model="gpt-5.5", input="x")


def test_retries_get_through(backend):
    """openai-python's own retry meets a burst that ends."""
    backend.inject(Fault.throttled(0.01, times=2))
    with OpenAI(base_url=backend.url + "/v1", api_key="x", max_retries=2) as patient:
        assert patient.responses.create(model="gpt-5.5", input="x").status == "completed"
    assert len(backend.requests) == 3


def test_the_async_client_works_too():
    """The asynchronous face sees the same wire."""
    import asyncio

    async def ask(url):
        async with AsyncOpenAI(base_url=url + "/v1", api_key="x") as client:
            replies = [client.responses.create(model="gpt-5.5", input=str(number)) for number in range(5)]
            return [reply.output_text for reply in await asyncio.gather(*replies)]

    with LocalBackend(Script(reply=lambda ask: Turn(text=ask.last_user_text()))) as backend:
        assert asyncio.run(ask(backend.url)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("encoding", ["float", "base64", openai.NOT_GIVEN])
def test_embeddings_are_the_same_in_every_encoding(client, encoding):
    """openai-python asks for base64 by default and unpacks it; numbers come as they are."""
    reply = client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], dimensions=8, encoding_format=encoding
    )
    vectors = [row.embedding for row in reply.data]
    if encoding == "base64":
        vectors = [list(struct.unpack("<8f", base64.b64decode(vector))) for vector in vectors]
    plain = client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], dimensions=8, encoding_format="float"
    )
    assert vectors == [pytest.approx(row.embedding, rel=1e-6) for row in plain.data]
    assert (reply.usage.total_tokens, reply.model) == (2, "text-embedding-3-small")


def test_embeddings_are_refused_with_openais_types(client):
    """Unknown models and too many inputs are the exceptions that users know."""
    with pytest.raises(openai.NotFoundError) as missing:
        client.embeddings.create(model="nope", input="x")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model="text-embedding-3-small", input=["x"] * 2049)
    assert (refused.value.code, refused.value.param) == ("array_above_max_length", "input")


def test_a_pydantic_model_with_references_is_parsed(client):
    """Nested and recursive models go out as strict schemas and come back filled."""
    from pydantic import BaseModel

    class Node(BaseModel):
        name: str
        children: list["Node"]

    class Tree(BaseModel):
        root: Node
        note: str | None

    parsed = client.responses.parse(model="gpt-5.5", input="A tree", text_format=Tree).output_parsed
    assert parsed.root.children[0].name == "text"


def test_a_required_tool_is_called_with_arguments_of_its_schema(client):
    """openai-python's own strict tool of a model reads its arguments back."""
    from openai import pydantic_function_tool
    from pydantic import BaseModel

    class Weather(BaseModel):
        city: str
        days: int

    function = pydantic_function_tool(Weather)["function"]
    tool = {"type": "function", **function}
    response = client.responses.parse(model="gpt-5.5", input="x", tools=[tool], tool_choice="required")
    assert Weather.model_validate_json(response.output[0].arguments) == Weather(city="text", days=1)


def test_a_conversation_is_compacted(client):
    """The public endpoint's short form replays."""
    short = client.responses.compact(model="gpt-5.5", input=[{"role": "user", "content": "My name is Ada."}])
    assert short.object == "response.compaction"
    items = [item.model_dump(exclude_unset=True, warnings=False) for item in short.output]
    assert client.responses.create(model="gpt-5.5", input=items).status == "completed"
