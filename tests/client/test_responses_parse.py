"""Answers of a given type: the schema that goes out, and what comes of the answer."""

import dataclasses
import json
from typing import Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from codex_nb import errors
from codex_nb.local import Script, Turn
from codex_nb.local.pieces import Item
from codex_nb.types.parsed import ParsedResponse
from tests.client.both import each, got, inside, tell


class City(BaseModel):
    """A city and its people."""

    name: str
    people: int = Field(0, description="how many live there")
    twin: "City | None" = None


@dataclasses.dataclass
class Point:
    """Two numbers."""

    x: float
    y: float


PARIS = City(name="Paris", people=2_100_000, twin=City(name="Rome"))


def parse(face, backend, text_format, **fields):
    """Parse; return the response."""
    return face.run(backend, lambda one: one.responses.parse(input="x", text_format=text_format, **fields))


def stream(face, backend, text_format, **fields):
    """Stream, then take the final response."""
    return face.run(backend, lambda one: one.responses.stream(input="x", text_format=text_format, **fields).final())


BOTH = pytest.mark.parametrize("way", [parse, stream])


@BOTH
def test_a_model_goes_out_as_a_schema_and_comes_back_filled(make_backend, face, way):
    """Collected and streamed; the schema is strict and named, the wish for words stays beside it."""
    backend = make_backend(Script(turns=[Turn(text=PARIS.model_dump_json(), reasoning="Hm.")]))
    response = way(face, backend, City, text={"verbosity": "low"})
    assert isinstance(response, ParsedResponse)
    assert response.output_parsed == PARIS
    assert type(response.output_parsed) is City
    assert response.output[1].content[0].parsed is response.output_parsed
    text = backend.requests[-1].body["text"]
    assert text["verbosity"] == "low"
    assert (text["format"]["type"], text["format"]["name"], text["format"]["strict"]) == ("json_schema", "City", True)
    assert text["format"]["schema"]["required"] == ["name", "people", "twin"]
    assert text["format"]["schema"]["additionalProperties"] is False


def test_what_was_parsed_is_no_part_of_the_payload(make_backend, face):
    """The response goes back as it came."""
    backend = make_backend(Script(turns=[Turn(text='{"x": 1, "y": 2}')] * 2))

    async def story(one):
        first = await got(one.responses.parse(input="x", text_format=Point))
        plain = await got(one.responses.create(input=["x", *first.output, "and?"]))
        return first, plain

    first, plain = tell(face, backend, story)
    assert first.output_parsed == Point(1, 2)
    sent = backend.requests[-1].body["input"][1]
    assert sent["content"] == [
        {"type": "output_text", "text": '{"x": 1, "y": 2}', "annotations": []} | {"logprobs": []}
    ]
    assert first.raw.keys() == plain.raw.keys()
    assert "parsed" not in json.dumps(first.raw) + repr(first)


@pytest.mark.parametrize(
    ("wanted", "text", "value", "name"),
    [
        (Point, '{"x": 1, "y": 2.5}', Point(1, 2.5), "Point"),
        (
            list[City],
            '{"value": [{"name": "Oslo", "people": 1, "twin": null}]}',
            [City(name="Oslo", people=1)],
            "list_City",
        ),
        (City | Point, '{"value": {"x": 1, "y": 2}}', Point(1, 2), "City_Point"),
        (Literal["yes", "no"], '{"value": "no"}', "no", "Literal_yes_no"),
        (int, '{"value": 7}', 7, "int"),
        (int | None, '{"value": null}', None, "int_None"),
        (tuple[int, str], '{"value": [1, "a"]}', (1, "a"), "tuple_int_str"),
        (TypeAdapter(list[int]), '{"value": [1]}', [1], None),
        (list[int], "[1, 2]", [1, 2], "list_int"),  # an engine that did not keep to the schema, and is right
    ],
)
@BOTH
def test_any_type_can_be_asked_for(make_backend, face, way, wanted, text, value, name):
    """What is no object travels in one, and is taken out again."""
    backend = make_backend(Script(turns=[Turn(text=text)]))
    assert way(face, backend, wanted).output_parsed == value
    sent = backend.requests[-1].body["text"]["format"]
    assert sent["schema"]["type"] == "object"
    assert name in {None, sent["name"]}


def test_a_typed_dict_can_be_asked_for(make_backend, face):
    """Its values come as a dict."""
    from typing_extensions import TypedDict

    Row = TypedDict("Row", {"a": int, "b-c": str})
    backend = make_backend(Script(turns=[Turn(text='{"a": 1, "b-c": "x"}')]))
    assert parse(face, backend, Row).output_parsed == {"a": 1, "b-c": "x"}


REFUSAL = Item({"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "I may not."}]})


@BOTH
def test_a_refusal_is_no_answer_and_no_error(make_backend, face, way):
    """Its words are told."""
    response = way(face, make_backend(Script(turns=[Turn(calls=[REFUSAL])])), City)
    assert (response.output_parsed, response.refusal, response.status) == (None, "I may not.", "completed")


@BOTH
def test_an_incomplete_answer_is_not_read(make_backend, face, way):
    """Even if its text happens to be JSON."""
    turn = Turn(text=PARIS.model_dump_json(), incomplete="max_output_tokens")
    response = way(face, make_backend(Script(turns=[turn])), City)
    assert (response.output_parsed, response.status) == (None, "incomplete")
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.output_text == PARIS.model_dump_json()


@pytest.mark.parametrize(
    ("text", "code", "match", "problems"),
    [
        ("Paris, of course.", "invalid_json", "is no JSON, but City", ()),
        ('{"name": "Par', "invalid_json", "is no JSON", ()),
        ('{"name": 5, "people": "secret"}', "does_not_fit", r"name \(string_type\), and 1 more", 2),
        ("[]", "does_not_fit", "the whole", 1),
    ],
)
@BOTH
def test_an_answer_that_does_not_fit_is_an_error_that_holds_it(make_backend, face, way, text, code, match, problems):
    """The place is named, the value is not."""
    with pytest.raises(errors.InvalidAnswer, match=match) as caught:
        way(face, make_backend(Script(turns=[Turn(text=text)])), City)
    error = caught.value
    assert isinstance(error, errors.ResponseFailed)
    assert (error.code, error.partial, error.response.output_text) == (code, text, text)
    assert len(error.problems) == (problems or 0)
    assert "secret" not in str(error)
    assert error.__cause__ is None


def test_an_answer_without_text_is_an_error(make_backend, face):
    """Unless the model calls a tool first."""
    with pytest.raises(errors.InvalidAnswer, match="no text") as caught:
        parse(face, make_backend(Script(turns=[Turn(hidden_reasoning=True)])), City)
    assert caught.value.code == "no_text"


def test_what_is_said_on_the_way_is_not_the_answer(make_backend, face):
    """A commentary comes before it."""
    turn = Turn(commentary="Looking that up.", text=PARIS.model_dump_json())
    assert parse(face, make_backend(Script(turns=[turn])), City).output_parsed == PARIS


@pytest.mark.parametrize("wanted", [dict[str, int], dict, object, "City", lambda: 1, print, 5, {"type": "object"}])
@BOTH
def test_what_has_no_strict_schema_is_refused(make_backend, face, way, wanted):
    """Nothing is sent."""
    backend = make_backend(Script())
    with pytest.raises(errors.UnsupportedParameter) as caught:
        way(face, backend, wanted)
    assert caught.value.parameter == "text_format"
    assert "arbitrary_types_allowed" not in str(caught.value)
    assert backend.requests == []


@BOTH
def test_two_formats_exclude_each_other(make_backend, face, way):
    """Nothing is sent."""
    backend = make_backend(Script())
    with pytest.raises(errors.InvalidOption, match="text_format"):
        way(face, backend, City, text={"format": {"type": "text"}})
    assert backend.requests == []


@pytest.mark.parametrize("method", ["create", "stream", "parse", "compact"])
def test_what_the_backend_refuses_is_refused_by_every_method(make_backend, face, method):
    """With the same reason, and an unknown name with the method's."""
    backend = make_backend(Script())
    with pytest.raises(errors.UnsupportedParameter, match="sampling"):
        face.run(backend, lambda one: getattr(one.responses, method)(input="x", temperature=1))
    with pytest.raises(TypeError, match=rf"{method}\(\).*temprature"):
        face.run(backend, lambda one: getattr(one.responses, method)(input="x", temprature=1))
    assert backend.requests == []


def test_a_parsed_stream_streams(make_backend, face):
    """Text deltas first, then the value."""
    backend = make_backend(Script(turns=[Turn(text=['{"x": 1,', ' "y": 2}'])]))

    async def story(one):
        async with inside(one.responses.stream(input="x", text_format=Point)) as coming:
            pieces = [piece async for piece in each(coming.text_deltas())]
            return pieces, (await got(coming.final())).output_parsed

    assert tell(face, backend, story) == (['{"x": 1,', ' "y": 2}'], Point(1, 2))


def test_other_servers_parse_too(make_backend, face):
    """An OpenAI-compatible one gets the same format."""
    backend = make_backend(Script(turns=[Turn(text='{"x": 1, "y": 2}')]))
    assert parse(face, f"{backend.url}/v1", Point).output_parsed == Point(1, 2)
    assert backend.requests[-1].body["text"]["format"]["name"] == "Point"
