"""How requests become llama.cpp's, and its chunks pieces; no model is needed for that."""

from pathlib import Path

import pytest

from codex_nb.local.ask import Ask
from codex_nb.local.engines import chat
from codex_nb.local.engines.gguf import name_of
from codex_nb.local.pieces import Failure, Incomplete, Reasoning, Text, Usage


def message(role, text):
    """Return an input message."""
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def test_history_becomes_turns():
    """Instructions and developer text are one system message; neighbours of one role are joined."""
    items = [
        message("developer", "Be kind."),
        message("user", "One."),
        message("user", "Two."),
        message("assistant", "Three."),
        {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "4"}]},
        {"type": "reasoning", "summary": []},
    ]
    assert chat.messages_of(Ask({"instructions": "Be brief.", "input": items})) == [
        {"role": "system", "content": "Be brief.\n\nBe kind."},
        {"role": "user", "content": "One.\n\nTwo."},
        {"role": "assistant", "content": "Three.\n\nf({})"},
        {"role": "user", "content": "Result: 4"},
    ]


def test_options_pass():
    """The public path's options and a schema reach the model."""
    schema = {"type": "object"}
    form = {"format": {"type": "json_schema", "name": "x", "schema": schema}}
    ask = Ask({"input": [], "max_output_tokens": 5, "temperature": 0.7, "text": form, "reasoning": {"effort": "high"}})
    request = chat.request_of(ask)
    assert (request["max_tokens"], request["temperature"]) == (5, 0.7)
    assert request["response_format"]["json_schema"]["schema"] == schema


@pytest.mark.parametrize(
    ("chunk", "pieces"),
    [
        ({"choices": [{"delta": {"role": "assistant", "content": None}, "finish_reason": None}]}, []),
        ({"choices": [{"delta": {"content": " hi"}}]}, [Text(" hi")]),
        ({"choices": [{"delta": {"reasoning_content": "hm"}}]}, [Reasoning("hm")]),
        ({"choices": [{"delta": {}, "finish_reason": "length"}]}, [Incomplete()]),
        ({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}, [Usage(3, 2)]),
        ({"prompt_progress": {"total": 9}}, []),
        ({"error": {"type": "exceed_context_size_error"}}, [Failure("context_length_exceeded", chat.TOO_LONG)]),
        ({"error": {"message": "odd"}}, [Failure("server_error", "odd")]),
    ],
)
def test_chunks_become_pieces(chunk, pieces):
    """Each kind of chunk means one thing; a thinking model's thoughts are a reasoning summary."""
    assert list(chat.pieces_of(chunk)) == pieces


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", ("smollm2-135m-instruct", "SmolLM2 135M Instruct")),
        ("Qwen3-0.6B-Q8_0.gguf", ("qwen3-0.6b", "Qwen3 0.6B")),
        ("my model_f16.gguf", ("my-model", "my model")),
    ],
)
def test_models_are_named_after_their_file(file, names):
    """The quantization is no part of the name."""
    assert name_of(Path(file)) == names
