"""The line under an answer."""

import pytest

from codex_nb.chat.answer import Answer
from codex_nb.chat.quota import quota_use
from codex_nb.notebook.below import below
from codex_nb.notebook.receipt import receipt
from codex_nb.types.responses import Response
from codex_nb.wire.headers import QuotaWindow


def answer(seconds=3.44, status="completed", effort=None, quota=(), turns_sent=0, **response):
    """Return an answer with these facts."""
    return Answer(
        "text",
        status,
        "gpt-5.4",
        seconds,
        effort=effort,
        response=Response(**response),
        quota=quota,
        turns_sent=turns_sent,
    )


USAGE = {"input_tokens": 2_130, "input_tokens_details": {"cached_tokens": 1_800}, "output_tokens": 310}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (answer(), "gpt-5.4 · 3.4 s"),
        (answer(effort="medium", usage=USAGE), "gpt-5.4 · medium · 3.4 s · 2.1k in (1.8k cached) / 310 out"),
        (answer(seconds=125), "gpt-5.4 · 2 m 05 s"),
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


NOW = 1_000_000.0
WEEK = QuotaWindow("codex", "primary", 41, 10_080, NOW + 3 * 86_400 + 4 * 3_600 + 59)
HOURS = QuotaWindow("codex", "secondary", 7, 300, NOW + 3_000)
SPENT = {**USAGE, "output_tokens_details": {"reasoning_tokens": 128}}


def test_it_says_what_the_quota_was_and_is():
    """The whole line, as the documentation shows it; in full it has every window."""
    quota = quota_use([WEEK, HOURS], [WEEK._replace(used=42.0), HOURS], NOW)
    given = answer(effort="medium", usage=SPENT, quota=quota, turns_sent=3)
    beginning = "gpt-5.4 · medium · 3.4 s · 2.1k in (1.8k cached) / 310 out"
    week = "weekly 41 → 42 % · resets in 3 d 4 h"
    assert receipt(given) == f"{beginning} · {week} · 3 turns sent"
    assert receipt(given, "full") == f"{beginning} (128 thought) · {week} · 5 h 7 % · resets in 50 m · 3 turns sent"
    assert receipt(given, "off") == ""


def test_what_must_be_said_is_said_in_any_case():
    """An answer that is not whole says so with the receipt off."""
    assert receipt(answer(status="interrupted"), "off") == "stopped"
    assert below("") == {}


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ([], WEEK, "weekly 41 %"),
        ([WEEK], WEEK, "weekly 41 %"),
        ([WEEK._replace(resets_at=NOW - 60)], WEEK, "weekly 41 %"),  # a new week has begun
        ([WEEK._replace(used=90.0)], WEEK, "weekly 41 %"),  # emptied before its time
        ([WEEK._replace(used=40.25)], WEEK._replace(used=40.75), "weekly 40.2 → 40.8 %"),
        ([], WEEK._replace(minutes=None, resets_at=None), "quota 41 %"),
        ([], WEEK._replace(limit="codex-bengalfox"), "codex-bengalfox weekly 41 %"),
    ],
)
def test_a_quota_is_compared_with_itself_only(before, after, line):
    """Windows go by their length, and one that has begun anew has no before."""
    assert receipt(answer(quota=quota_use(before, [after], NOW))).startswith(f"gpt-5.4 · 3.4 s · {line}")


def test_the_services_words_are_text():
    """A model's name cannot bring markup."""
    assert "<img" not in below("<img src=x onerror=alert(1)>")["text/html"]
