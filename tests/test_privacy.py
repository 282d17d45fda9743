"""What stays on the machine: private columns, and what looks like a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb import InvalidOption, private
from codex_nb.privacy import is_private, private_names, redact

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def test_a_column_is_private_until_it_is_undone():
    """Case does not matter; twice private takes two undoings; a with block ends it."""
    first, again = private("Email", "phone"), private("email")
    assert is_private("email")
    assert is_private("EMAIL")
    assert is_private(("total", "phone"))
    assert private_names() == ["email", "phone"]
    first.undo()
    first.undo()
    assert is_private("email")
    assert not is_private("phone")
    again.undo()
    assert private_names() == []
    with private("street"):
        assert is_private("street")
    assert not is_private("street")


def test_what_is_private_says_so():
    """The object in the cell's output names it, and says when it is no more."""
    with private("email") as hidden:
        assert repr(hidden) == "<private: email>"
    assert repr(hidden) == "<not private any more: email>"


@pytest.mark.parametrize("names", [(), ("",), (3,), (["email"],)])
def test_only_names_can_be_private(names):
    """A mistake is told at once, not when the data has left."""
    with pytest.raises(InvalidOption, match="names of columns"):
        private(*names)


@pytest.mark.parametrize("name", ["password", "OPENAI_API_KEY", "refresh_token", "aws_secret", "Authorization"])
def test_telling_names_are_private_without_being_called_so(name):
    """Nobody sends a password on purpose."""
    assert is_private(name)


@pytest.mark.parametrize("name", ["tokens", "token", "monkey", "passenger", "secretary", "keyboard"])
def test_names_that_only_sound_like_it_are_not(name):
    """Data of everyday work stays visible."""
    assert not is_private(name)


@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        "sk-abcdefghijklmnop",
        "sk-proj-A1b2C3d4E5f6G7h8",
        "ghp_0123456789abcdefghij0123",
        "github_pat_11ABCDEFG0123456789abc",
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123456789012-abcdef",
        "AIzaSyA0123456789abcdefghijklmnopqrstu",
        "hf_abcdefghijklmnopqrstuvwxyz",
        "rt_0123456789abcdef0123",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_credentials_are_hidden_wherever_they_stand(secret):
    """In prose, in JSON, in a header."""
    for text in (f"key {secret} end", f'{{"k": "{secret}"}}', f"Authorization: Bearer {secret}"):
        assert secret not in redact(text)
        assert "[hidden]" in redact(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password = 'hunter2'", "password = '[hidden]'"),
        ('"api_key": "abc"', '"api_key": "[hidden]"'),
        ("os.environ['DB_PASSWORD'] = 'letmein'", "os.environ['DB_PASSWORD'] = '[hidden]'"),
        ("postgres://ann:secretpw@host/db", "postgres://[hidden]@host/db"),
        ("at_least_one_column_is_there", "at_least_one_column_is_there"),
        ("pip install sk-learn", "pip install sk-learn"),
    ],
)
def test_what_is_written_under_a_telling_name_is_hidden(text, shown):
    """The code around it stays."""
    assert redact(text) == shown


@given(st.text())
def test_redacting_twice_changes_nothing_more(text):
    """Any text survives it."""
    assert redact(redact(text)) == redact(text)
