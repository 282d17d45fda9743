"""The line under an answer."""

import pytest

from codex_nb.chat.answer import Answer
from codex_nb.notebook.receipt import bundle, receipt
from codex_nb.types.responses import Response


def answer(seconds=3.44, status="completed", effort=None, **response):
    """Return an answer with these facts."""
    return Answer("text", status, "gpt-5.4", seconds, effort=effort, response=Response(**response))


USAGE = {"input_tokens": 2_130, "input_tokens_details": {"cached_tokens": 1_800}, "output_tokens": 310}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (answer(), "gpt-5.4 · 3.4 s"),
        (answer(effort="medium", usage=USAGE), "gpt-5.4 · medium · 3.4 s · 2.1k in (1.8k cached) / 310 out"),
        (answer(seconds=125), "gpt-5.4 · 2 min 5 s"),
        (answer(served_model="gpt-5.4-mini"), "gpt-5.4 (answered by gpt-5.4-mini) · 3.4 s"),
        (answer(served_model="gpt-5.4", local_engine="llama"), "gpt-5.4 · 3.4 s · local llama"),
        (answer(status="interrupted"), "gpt-5.4 · 3.4 s · stopped"),
        (answer(status="failed"), "gpt-5.4 · 3.4 s · broken off"),
        (
            answer(status="incomplete", incomplete_details={"reason": "content_filter"}),
            "gpt-5.4 · 3.4 s · incomplete (content_filter)",
        ),
    ],
)
def test_it_says_model_time_tokens_and_how_it_ended(given, line):
    """What is not known is left out."""
    assert receipt(given) == line


def test_the_services_words_are_text():
    """A model's name cannot bring markup."""
    assert "<img" not in bundle("<img src=x onerror=alert(1)>")["text/html"]
