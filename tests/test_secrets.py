"""No piece of a login shows: not in an object, a pickle, a log or an error, nor among a traceback's variables."""

import json
import logging
import pickle
import traceback

import pytest
from IPython.core.ultratb import VerboseTB

from codex_nb import Bearer, CodexAuth, CodexError, Session
from codex_nb.local import Fault, Script, Turn
from tests.client.both import each, got, tell

# A key that looks like no known kind, so that nothing but its being the login can hide it.
OPAQUE = "Zq7-made_up-0aB1cD2eF3gH4iJ5kL6mN7oP8"
FAILED = (
    'data: {"type":"response.failed","response":{"id":"r","error":{"code":"%s","message":"not %s"}}}\n\n'
    'data: {"type":"error","code":"%s","message":"not %s"}\n\n'
)


def quoting(token):
    """Return answers of a service that quotes the login wherever it can."""
    return {
        "in a detail": Fault.reply(400, {"detail": f"bad {token}"}),
        "in an error": Fault.reply(401, {"error": {"message": token, "code": token, "type": token}}),
        "in a page": Fault.reply(403, f"<html>{token}</html>"),
        "in headers": Fault.reply(500, "no", headers={"x-request-id": token, "x-echo": f"Bearer {token}"}),
        "in a throttling": Fault.reply(429, {"error": {"message": f"Bearer {token}"}}, headers={"retry-after": "99"}),
        "in JSON with status 200": Fault.reply(200, {"error": {"message": token}}),
        "in a text with status 200": Fault.reply(200, token),
        "in the content type": Fault.reply(200, token, content_type=f"text/{token}"),
        "in a redirect": Fault.redirect(f"http://127.0.0.1:9/{token}"),
        "nowhere": Fault.drop(),
        "in a stream": Fault.reply(200, FAILED % ((token,) * 4), content_type="text/event-stream"),
        "in no JSON": Fault.reply(200, f"data: {token}\n\n", content_type="text/event-stream"),
        "in drips": Fault.reply(400, {"detail": f"bad {token}"}, drip=(5, 0.0)),
        "in a stream that drips": Fault.reply(
            200, FAILED % ((token,) * 4), content_type="text/event-stream", drip=(5, 0.0)
        ),
    }


def shown_of(error):
    """Return everything that a person, a log or another process may see of an error."""
    yield from (repr(error), str(error), repr(vars(error)), repr(error.args), *error._render_traceback_())
    yield "".join(traceback.format_exception(error))
    yield VerboseTB(theme_name="nocolor", include_vars=True).text(type(error), error, error.__traceback__)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    yield repr(vars(copy))
    cause = error
    while cause:  # tblib, which Dask brings, pickles all of them
        yield pickle.dumps(cause).decode("latin-1")
        cause = cause.__cause__ or cause.__context__


def assert_hidden(secret, shown, *, size=12):
    """Search for every piece of ``size`` characters."""
    everything = "\n".join(shown)
    assert "codex_nb" in everything  # something was collected
    for start in range(0, len(secret) - size + 1, 6):
        at = everything.find(secret[start : start + size])
        assert at < 0, everything[max(0, at - 200) : at + 60]


@pytest.mark.parametrize("case", quoting(""))
def test_a_service_that_quotes_the_login_does_not_make_it_show(make_backend, face, case, caplog, recwarn):
    """Collected or streamed, whatever it is quoted in, even cut in two by the network."""
    caplog.set_level(logging.DEBUG)
    fault = quoting(OPAQUE)[case]
    backend = make_backend(Script(turns=[Turn(text="x")] * 2, faults=[fault, fault]))
    shown = []

    async def story(one):
        shown.extend([repr(one), repr(one._core), repr(vars(one._core.transport)), repr(one._core.transport.auth)])
        for ask in (lambda: one.responses.create(input="x"), lambda: read(one.responses.stream(input="x"))):
            with pytest.raises(CodexError) as caught:
                await got(ask())
            shown.extend(shown_of(caught.value))

    async def read(stream):
        try:
            return [event async for event in each(stream)]
        finally:
            shown.extend([repr(stream), repr(stream.text)])

    tell(face, backend, story, auth=Bearer(OPAQUE))
    assert len(backend.requests) == 2
    assert backend.requests[0].headers["authorization"] == f"Bearer {OPAQUE}"
    ours = [r for r in caplog.records if r.name.startswith(("codex_nb", "httpx"))]
    # A traceback's variables may hold the last bytes that the network brought: of a cut token, a part.
    size = len(OPAQUE) if case == "in a stream that drips" else 12
    assert_hidden(OPAQUE, [*shown, *(r.getMessage() for r in ours), *(str(w.message) for w in recwarn)], size=size)


def test_a_login_file_shows_none_of_its_tokens(make_backend, face, tmp_path):
    """None of the three, whether the file is good, over, or broken."""
    backend = make_backend(Script())
    login = backend.auth_json(lifetime=-10)
    path = tmp_path / "auth.json"
    tokens = [value for name, value in login["tokens"].items() if name.endswith("token")]
    backend.state.tokens.refuse(login["tokens"]["refresh_token"], "expired")
    shown = []
    for content in (json.dumps(login), json.dumps(login)[:-30], json.dumps({"tokens": tokens})):
        path.write_text(content)
        auth = CodexAuth(path)
        shown.append(repr(auth))
        with pytest.raises(CodexError) as caught:
            face.run(backend, lambda one: one.models.list(), auth=auth)
        shown.extend(shown_of(caught.value))
    path.write_text(json.dumps(login))
    shown += [repr(CodexAuth(path).login()), repr(CodexAuth(path).login().claims), repr(Bearer(tokens[0]))]
    for token in tokens:
        assert_hidden(token, shown)


@pytest.mark.parametrize("key", ["local", "ollama", "EMPTY", "x"])
def test_a_placeholder_is_no_secret(make_backend, face, key):
    """Servers of one's own take any word as a key; that word stays what it is in an answer and in a list."""
    text = f"{key}: see localhost, ollama run x, EMPTY"
    backend = make_backend(Script(turns=[Turn(text=text)] * 2))
    assert face.answer(backend, streamed=False, auth=Bearer(key)).output_text == text
    assert face.answer(backend, streamed=True, auth=Bearer(key)).output_text == text
    with Session(backend.url, auth=Bearer(key)) as session:
        assert not any("[hidden]" in model.id for model in session.models.list())
