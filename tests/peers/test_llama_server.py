"""Against a server that nobody here wrote: llama.cpp's own, as its package starts it."""

import socket

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import codex_nb
from codex_nb.local.engines.gguf import find_model
from tests.requirements_gate import missing_model, require

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def address():
    """llama.cpp's server with the small model, on a free port of this machine."""
    require("model", missing_model())
    import xllamacpp

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(find_model())
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_ctx = 1024
    parameters.n_predict = 48
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


def test_the_client_streams_an_answer(address):
    """Models are listed, text comes in pieces, the final response has all of it and the tokens."""
    with codex_nb.Session(address) as session:
        assert len(session.models.list()) == 1
        with session.responses.stream(input="Say hello.") as stream:
            pieces = list(stream.text_deltas())
            response = stream.final()
    assert len(pieces) > 3
    assert "".join(pieces) == response.output_text
    assert response.status in {"completed", "incomplete"}
    assert response.usage.output_tokens > 3


def test_the_magic_streams_an_answer(address):
    """``%codex use ADDRESS``, then a cell."""
    shell = InteractiveShell.instance()
    try:
        shell.run_line_magic("load_ext", "codex_nb")
        shell.run_line_magic("codex", f"use {address}")
        with capture_output() as captured:
            shell.run_cell("%%codex\nSay hello.").raise_error()
        answer = shell.user_ns["_codex"]
        assert answer.text
        assert captured.stdout.startswith(answer.text[:10])
    finally:
        InteractiveShell.clear_instance()


def test_account_data_is_a_clear_error(address):
    """Such a server keeps no quota; nothing is asked of it."""
    with codex_nb.Session(address) as session, pytest.raises(codex_nb.UnsupportedByBackend):
        session.codex.usage()
