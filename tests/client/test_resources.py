"""Models, quota, requests, and sessions as such."""

import asyncio
import threading

import httpx
import pytest

from codex_nb import Bearer, NotFoundError, Session, UnsupportedByBackend, UnsupportedParameter
from codex_nb.local import Script, Turn
from codex_nb.wire.request import REFUSED


def test_an_unchanged_list_of_models_is_not_sent_again(make_backend, face):
    """The second request names the tag of the first, and the list is the same object."""
    backend = make_backend(Script())

    def twice(one):
        if face.name == "sync":
            return one.models.list(), one.models.list(), one.models.list(refresh=True)

        async def both():
            return await one.models.list(), await one.models.list(), await one.models.list(refresh=True)

        return both()

    first, second, third = face.run(backend, twice)
    assert first is second
    assert third is not first
    assert first.etag
    assert backend.requests[1].headers["if-none-match"] == first.etag
    assert "if-none-match" not in backend.requests[2].headers
    assert [model.priority for model in first] == sorted(model.priority for model in first)


def test_a_model_that_is_not_there_lists_close_names(make_backend, face):
    """Typing errors are found by their likeness."""
    with pytest.raises(NotFoundError) as caught:
        face.run(make_backend(Script()), lambda one: one.models.retrieve("gtp-5.4"))
    assert "gpt-5.4" in caught.value.hint
    assert face.run(make_backend(Script()), lambda one: one.models.retrieve("gpt-5.4")).id == "gpt-5.4"


def test_usage_grows_with_use(make_backend):
    """What the backend counts is what the client reads."""
    backend = make_backend(Script(), budget=100)
    with Session(backend.url, auth=Bearer("made-up")) as session:
        before = session.codex.usage().rate_limit.primary_window.used_percent
        session.responses.create(input="count me")
        assert session.codex.usage().rate_limit.primary_window.used_percent > before


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_parameters_are_refused_before_anything_is_sent(make_backend, name):
    """With the reason and what to do instead."""
    backend = make_backend(Script())
    with Session(backend.url, auth=Bearer("made-up")) as session:
        for call in (session.responses.create, session.responses.stream, session.aio.responses.create):
            with pytest.raises(UnsupportedParameter) as caught:
                call(input="x", **{name: True})
            assert caught.value.parameter == name
            assert caught.value.hint
    assert backend.requests == []


def test_a_misspelt_parameter_is_a_type_error(make_backend):
    """As of any function."""
    with (
        Session(make_backend(Script()).url, auth=Bearer("made-up")) as session,
        pytest.raises(TypeError, match="temprature"),
    ):
        session.responses.create(input="x", temprature=1)


def test_the_request_is_as_the_backend_wants_it(make_backend, face):
    """Instructions are never empty, input is a list, and requests of a session share the prompt cache."""
    backend = make_backend(Script())
    tool = {"type": "function", "name": "f", "parameters": {}}
    face.run(
        backend,
        lambda one: one.responses.create(
            input=["a", {"role": "user", "content": "b"}], tools=[tool], store=False, extra_body={"x": 1}
        ),
    )
    request = backend.requests[-1]
    assert request.body["instructions"]
    assert [item["type"] for item in request.body["input"]] == ["message", "message"]
    assert request.body["tool_choice"] == "auto"
    assert request.body["stream"] is True
    assert request.body["store"] is False
    assert request.body["x"] == 1
    assert request.headers["session-id"] == request.body["prompt_cache_key"]


def test_items_of_an_answer_can_be_sent_back(make_backend):
    """The whole object, unknown fields included."""
    backend = make_backend(Script(turns=[Turn(text="one", reasoning="because"), Turn(text="two")]))
    with Session(backend.url, auth=Bearer("made-up"), model="gpt-5.4") as session:
        first = session.responses.create(input="x")
        session.responses.create(input=["x", *first.output, "and?"])
    sent = backend.requests[-1].body["input"]
    assert [item["type"] for item in sent] == ["message", "reasoning", "message", "message"]
    assert sent[1]["encrypted_content"]


def test_the_served_model_is_told(make_backend, face):
    """When the service answers with another model than asked."""
    backend = make_backend(Script(turns=[Turn(text="x", model="gpt-5.5")]))
    assert face.answer(backend, streamed=True).served_model == "gpt-5.5"


def test_an_openai_compatible_server_is_asked_without_a_login(make_backend, face):
    """Its models are listed, it answers, and what it lacks is said."""
    backend = make_backend(Script(turns=[Turn(text="hello")]))
    address = f"{backend.url}/v1"
    with pytest.raises(UnsupportedByBackend):
        face.run(address, lambda one: one.codex.usage(), auth=None)
    key = Bearer("a-key-of-that-server")
    assert len(face.run(address, lambda one: one.models.list(), auth=key)) > 0
    assert face.answer(address, streamed=True, auth=key).output_text == "hello"
    assert "prompt_cache_key" not in backend.requests[-1].body
    assert Session(address).auth is None


def test_clients_of_the_caller_are_used_and_left_open(make_backend):
    """They are not ours to close."""
    backend = make_backend(Script())
    with httpx.Client(headers={"x-mine": "1"}) as client:
        with Session(backend.url, auth=Bearer("made-up"), http=client) as session:
            session.models.list()
        assert not client.is_closed
    assert backend.requests[0].headers["x-mine"] == "1"


def test_one_session_serves_several_threads(make_backend):
    """Answers do not mix."""
    backend = make_backend(Script(reply=lambda ask: Turn(text="echo " + ask.items[0]["content"][0]["text"])))
    results = {}
    with Session(backend.url, auth=Bearer("made-up"), model="gpt-5.4") as session:

        def work(number):
            results[number] = session.responses.create(input=f"n{number}").output_text

        threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == {n: f"echo n{n}" for n in range(12)}


def test_one_session_serves_event_loops_one_after_the_other(make_backend):
    """A connection of a loop that is over is not used again."""
    backend = make_backend(Script())
    session = Session(backend.url, auth=Bearer("made-up"))

    async def ask():
        page = await session.aio.models.list(refresh=True)
        await session.aclose()
        return len(page)

    assert asyncio.run(ask()) == asyncio.run(ask()) > 0


def test_signatures_show_the_real_parameters(make_backend):
    """For Shift-Tab and completion, on both faces."""
    import inspect

    session = Session(make_backend(Script()).url, auth=Bearer("made-up"))
    for one in (session, session.aio):
        names = list(inspect.signature(one.responses.create).parameters)
        assert names[:3] == ["input", "model", "stream"]
        assert "reasoning" in names
        assert "temperature" not in names
        assert list(inspect.signature(one.models.list).parameters) == ["refresh"]
        assert "best first" in one.models.list.__doc__
