"""Any OpenAI-compatible server: what it has works, what it lacks is said, and no ChatGPT login goes there."""

import json

import pytest

from codex_nb import Bearer, Session, errors
from codex_nb.local import Fault, Script, Turn
from tests.client.both import each, got, tell

KEY = Bearer("a-key-of-that-server")


def test_it_answers_in_both_ways(make_backend, face):
    """Collected and streamed, without what only the Codex backend knows."""
    backend = make_backend(Script(turns=[Turn(text=["a", "b"])] * 2))

    async def story(one):
        whole = await got(one.responses.create(input="x", reasoning={"effort": "low"}))
        pieces = [piece async for piece in each(one.responses.stream(input="x").text_deltas())]
        return whole.output_text, pieces

    assert tell(face, f"{backend.url}/v1", story, auth=KEY) == ("ab", ["a", "b"])
    for request in backend.requests:
        assert request.path == "/v1/responses"
        assert not request.body.keys() & {"prompt_cache_key", "include"}
        assert not request.headers.keys() & {"session-id", "chatgpt-account-id"}
        assert request.headers["authorization"] == "Bearer a-key-of-that-server"


def test_no_login_goes_to_it_by_itself(make_backend, face, tmp_path, monkeypatch):
    """Though there is one on the machine."""
    backend = make_backend(Script())
    (tmp_path / "auth.json").write_text(json.dumps(backend.auth_json()))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    backend.inject(Fault.reply(200, {"object": "list", "data": [{"id": "small"}]}, path="/v1/models", method="GET"))
    assert [m.id for m in face.run(f"{backend.url}/v1", lambda one: one.models.list(), auth=None)] == ["small"]
    assert "authorization" not in backend.requests[0].headers
    assert "client_version" not in backend.requests[0].query


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        ({"object": "list", "data": [{"id": "a", "object": "model", "created": 1, "owned_by": "me"}]}, ["a"]),
        ({"data": [{"id": "a"}], "models": [{"name": "a", "model": "a"}]}, ["a"]),
        ({"data": [{"id": "a", "service_tiers": None, "supported_reasoning_levels": None}]}, ["a"]),
        ({"data": [{"id": "b"}, {"id": "a", "priority": 1}]}, ["a", "b"]),
        ({"data": []}, []),
        ({"data": None}, []),
    ],
)
def test_lists_of_models_are_read_in_every_dialect(make_backend, face, payload, names):
    """Of servers with both lists, with nulls, with nothing."""
    backend = make_backend(Script(faults=[Fault.reply(200, payload, path="*/models", method="GET")]))
    page = face.run(f"{backend.url}/v1", lambda one: one.models.list(), auth=KEY)
    assert [model.id for model in page] == names


@pytest.mark.parametrize("payload", [{"data": 5}, {"data": [5]}, {"data": [{}]}, {"models": {"a": 1}}, "<html>"])
def test_what_is_no_list_of_models_is_an_error(make_backend, face, payload):
    """Of ours, not of a loop over a number."""
    backend = make_backend(Script(faults=[Fault.reply(200, payload, path="*/models", method="GET")]))
    with pytest.raises(errors.MalformedStream):
        face.run(f"{backend.url}/v1", lambda one: one.models.list(), auth=KEY)


def test_the_first_listed_model_answers_when_none_is_named(make_backend, face):
    """As the service orders them; none at all is an error with a hint."""
    backend = make_backend(Script(turns=[Turn(text="x")]))
    with Session(backend.url, auth=KEY) as session:
        first = next(model.id for model in session.models.list() if model.listed)
    face.answer(backend, streamed=False, model=None)
    assert backend.requests[-1].body["model"] == first
    empty = Fault.reply(200, {"data": []}, path="*/models", method="GET")
    with pytest.raises(errors.NotFoundError, match="lists no model") as caught:
        face.answer(make_backend(Script(faults=[empty])), streamed=False, model=None)
    assert caught.value.hint
