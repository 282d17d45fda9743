"""The body of a request, and the headers that go with it."""

import json

import pytest

from codex_nb.errors import InvalidOption, UnsupportedParameter
from codex_nb.types.responses import Response
from codex_nb.wire.headers import identity, turn
from codex_nb.wire.items import input_items
from codex_nb.wire.request import REFUSED, refuse, request_body


def body(**fields):
    """Return a body with these fields."""
    return request_body(model="m", input="x", cache_key="key", fields=fields)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_each_refusal_says_why_and_what_instead(name):
    """Nothing is refused without a way out; what asks for nothing is let through."""
    with pytest.raises(UnsupportedParameter) as caught:
        refuse({name: 1})
    assert caught.value.parameter == name
    assert caught.value.message.startswith(f"{name} is not supported. ")
    assert caught.value.hint.endswith((".", ")"))
    refuse({name: None})


def test_storing_nothing_is_no_refusal():
    """It is what the backend does anyway."""
    refuse({"store": False})


@pytest.mark.parametrize(
    ("given", "types"),
    [
        ("text", ["message"]),
        ([], []),
        (["a", "b"], ["message", "message"]),
        ([{"role": "user", "content": "a"}], ["message"]),
        ([{"type": "function_call_output", "call_id": "c", "output": "1"}], ["function_call_output"]),
        (({"type": "x"} for _ in range(2)), ["x", "x"]),
    ],
)
def test_input_is_a_list_of_items(given, types):
    """Texts become messages, a message without its type gets it, everything else goes as it is."""
    assert [item["type"] for item in input_items(given)] == types


def test_items_of_an_answer_go_back_as_they_came():
    """Fields that are not known here too, and items that are not."""
    items = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "…", "new": {"a": [None]}},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"},
        {"type": "of_the_future", "x": 1},
    ]
    response = Response.model_validate({"output": json.loads(json.dumps(items))})
    assert input_items(response.output) == items


def test_one_item_alone_is_a_mistake_with_a_hint():
    """A dict would otherwise be read as its keys."""
    with pytest.raises(InvalidOption) as caught:
        input_items({"role": "user", "content": "x"})
    assert "[item]" in caught.value.hint


@pytest.mark.parametrize("instructions", [None, ""])
def test_instructions_are_never_empty(instructions):
    """The backend refuses an empty text."""
    assert body(instructions=instructions)["instructions"]


def test_the_callers_fields_win():
    """Over what is assumed; extra_body over everything."""
    assert body()["include"] == ["reasoning.encrypted_content"]
    assert body(include=["x"], tools=[{"type": "t"}], tool_choice="none")["tool_choice"] == "none"
    assert "tool_choice" not in body(tools=[])
    assert "text" not in body(text=None)
    assert body(extra_body={"model": "other", "new": 1}) == body() | {"model": "other", "new": 1}


def test_another_server_is_not_told_of_codex():
    """Without a cache key nothing is sent that only the Codex backend knows."""
    plain = request_body(model="m", input="x", cache_key=None, fields={})
    assert plain.keys() == {"model", "instructions", "input", "stream", "store"}


@pytest.mark.parametrize("name", ["0199f0e0-0000-7000-8000-0000000000aa", "my notebook/ż", "a\nb: c", "\ud800"])
def test_any_cache_key_can_stand_in_a_header(name):
    """A name of ours is unchanged; a name of the caller's can neither break the request nor add a header."""
    headers = turn(name, "request")
    assert headers["session-id"] == headers["thread-id"]
    assert headers["session-id"].isascii()
    assert headers["session-id"].isprintable()
    assert headers["session-id"] == name or not name.startswith("0199")


def test_the_client_says_who_it_is():
    """In the official client's form, with our own name beside it."""
    headers = identity("codex_cli_rs", "0.169.0", "1.2.3")
    assert headers["originator"] == "codex_cli_rs"
    assert headers["user-agent"].startswith("codex_cli_rs/0.169.0 (")
    assert headers["user-agent"].endswith(" codex_nb/1.2.3")
