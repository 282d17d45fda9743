"""The quota as the service tells it."""

import json
from pathlib import Path

import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script
from codex_nb.types.account import Usage

FIXTURES = Path(__file__).parents[1] / "fixtures"


def usage(make_backend, face, payload):
    """Read this payload as the service's answer."""
    fault = Fault.reply(200, payload, content_type="application/json", path="*/usage", method="GET")
    return face.run(make_backend(Script(faults=[fault])), lambda one: one.codex.usage())


@pytest.mark.parametrize(
    ("name", "plan", "limits"),
    [
        ("usage.json", "plus", {"codex": 2, "code review": 1}),
        ("usage_free_minimal.json", "free", {"codex": 0}),
        ("usage_limit_reached.json", "plus", {"codex": 2}),
        ("usage_pro_additional.json", "pro", {"codex": 1, "GPT-5.3-Codex-Spark": 2}),
    ],
)
def test_every_recorded_form_is_read(make_backend, face, name, plan, limits):
    """Each limit with the number of its windows; the payload is kept whole."""
    payload = json.loads((FIXTURES / name).read_text())
    report = usage(make_backend, face, payload)
    assert report.plan_type == plan
    assert {name: len(limit.windows) for name, limit in report.limits()} == limits
    assert report.raw.keys() == payload.keys()


def test_the_kind_of_a_reached_limit_is_a_word_in_both_forms():
    """An object in one version of the service, the bare word in another."""
    for form in ({"type": "rate_limit_reached"}, "rate_limit_reached"):
        assert Usage.model_validate({"rate_limit_reached_type": form}).rate_limit_reached_type == "rate_limit_reached"


def test_the_credits_are_text_in_both_forms():
    """A decimal number does not lose digits on its way."""
    for form in ("12.50", 12.5):
        assert float(Usage.model_validate({"credits": {"balance": form}}).credits.balance) == 12.5


@pytest.mark.parametrize("payload", ["[]", "5", '{"rate_limit": 5}', "<html>sign in</html>", "", '{"plan_type": 5}'])
def test_what_is_no_quota_is_said_to_be_none(make_backend, face, payload):
    """Not guessed at, and not quoted."""
    with pytest.raises(errors.MalformedStream) as caught:
        usage(make_backend, face, payload.encode())
    assert caught.value.hint
    assert "sign in</" not in str(caught.value)
