"""Where requests go."""

import pytest

from codex_nb import Backend, InvalidOption, UnsupportedByBackend
from codex_nb.settings import Settings


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("chatgpt", "https://chatgpt.com/backend-api/codex/responses"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/backend-api/codex/responses"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/backend-api/codex/responses"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/responses"),
        ("https://host.example/some/v1/", "https://host.example/some/v1/responses"),
    ],
)
def test_a_text_names_a_backend(text, address):
    """A name, a root, or an address that ends in /v1."""
    assert Backend.parse(text).url("codex/responses") == address
    assert Backend.parse(Backend.parse(text)) is not None


@pytest.mark.parametrize("text", ["nowhere", "ftp://host/v1", "http://", "http://user:secret@host/v1"])
def test_a_bad_address_is_refused_with_a_hint(text):
    """And a password in it is not repeated."""
    with pytest.raises(InvalidOption) as caught:
        Backend.parse(text)
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_what_a_server_lacks_is_an_error_before_sending():
    """An OpenAI-compatible server has no account data."""
    with pytest.raises(UnsupportedByBackend):
        Backend.openai("http://127.0.0.1:1/v1").url("account/wham/usage")


def test_the_environment_sets_the_defaults(monkeypatch):
    """Arguments win over the environment, the environment over the defaults."""
    monkeypatch.setenv("CODEX_NB_BACKEND", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("CODEX_NB_MODEL", "small")
    monkeypatch.setenv("CODEX_NB_TIMEOUT", "7")
    settings = Settings.read()
    assert (settings.backend.name, settings.model, settings.silence, settings.connect) == (
        "http://127.0.0.1:1/v1",
        "small",
        7,
        7,
    )
    assert Settings.read("chatgpt", model="big", timeout=100).model == "big"
    assert Settings.read("chatgpt", timeout=100).connect == 15


@pytest.mark.parametrize("text", ["soon", "-1", "0"])
def test_a_bad_number_of_the_environment_is_named(monkeypatch, text):
    """The variable's name is in the message."""
    monkeypatch.setenv("CODEX_NB_TIMEOUT", text)
    with pytest.raises(InvalidOption, match="CODEX_NB_TIMEOUT"):
        Settings.read("chatgpt")


@pytest.mark.parametrize(
    "text", ["http://[::1", "http://127.0.0.1:port", "http://127.0.0.1:99999", "http://127.0.0.1:0", "http://a b/v1"]
)
def test_an_address_that_no_request_can_use_is_refused_at_once(text):
    """Where it is written, not where it is first used."""
    for build in (Backend.parse, Backend.at, Backend.openai):
        with pytest.raises(InvalidOption):
            build(text)


def test_a_query_or_fragment_is_no_part_of_an_address():
    """It may have been copied from a browser."""
    assert Backend.parse("http://127.0.0.1:1/v1/?key=x#y").url("codex/models") == "http://127.0.0.1:1/v1/models"


@pytest.mark.parametrize("text", ["nan", "inf", "1e300"])
def test_a_time_out_that_no_clock_can_hold_is_named(monkeypatch, text):
    """Sockets would trip over it."""
    monkeypatch.setenv("CODEX_NB_TIMEOUT", text)
    with pytest.raises(InvalidOption, match="CODEX_NB_TIMEOUT"):
        Settings.read("chatgpt")
