"""Sessions as such: what they open, share, leave alone and close."""

import asyncio
import inspect
import threading

import httpx
import pytest

import codex_nb
from codex_nb import Backend, Bearer, CodexAuth, InvalidOption, Session
from codex_nb.local import Fault, Script, Turn
from tests.client.both import busy, got, tell

KEY = Bearer("made-up")


def test_a_session_costs_nothing_before_it_is_used():
    """No client, no file, no connection."""
    session = Session("http://127.0.0.1:9")
    assert isinstance(session.auth, CodexAuth)
    assert session._core.transport._client is None
    assert not session._core.transport._async_clients
    session.close()


def test_a_face_opens_its_own_kind_of_client_only(make_backend, face):
    """The other face stays asleep."""

    async def story(one):
        await got(one.models.list())
        transport = one._core.transport
        return transport._client is not None, len(transport._async_clients)

    assert tell(face, make_backend(Script()), story) == ((True, 0) if face.name == "sync" else (False, 1))


def test_both_faces_share_what_was_learnt(make_backend):
    """One login, one name, one list of models."""
    backend = make_backend(Script(turns=[Turn(text="x")] * 2))

    async def ask():
        async with Session(backend.url, auth=KEY) as session:
            page = session.models.list()
            assert await session.aio.models.list() is page
            session.responses.create(input="x")
            await session.aio.responses.create(input="x")
            return session.id

    name = asyncio.run(ask())
    asked = [request for request in backend.requests if request.path.endswith("/responses")]
    assert [request.headers["session-id"] for request in asked] == [name, name]


def test_a_closed_session_opens_again_when_it_is_used(make_backend):
    """A notebook's cells run in any order."""
    backend = make_backend(Script())
    session = Session(backend.url, auth=KEY)
    for _ in range(2):
        assert len(session.models.list(refresh=True)) > 0
        session.close()
        session.close()
    assert session._core.transport._client is None


def test_a_connection_is_used_again(make_backend, face):
    """Also after a reply that is an error."""
    backend = make_backend(Script(faults=[Fault.server_error(500, skip=1, path="*", method="GET")]))

    async def story(one):
        for _ in range(4):
            await got(one.models.list(refresh=True))
        return busy(one)

    assert tell(face, backend, story, max_retries=1) == []
    assert len(backend.requests) == 5
    assert len({request.connection for request in backend.requests}) == 1


def test_an_asynchronous_client_of_the_caller_is_used_and_left_open(make_backend):
    """Its headers go out, and closing it stays the caller's."""
    backend = make_backend(Script())

    async def ask():
        async with httpx.AsyncClient(headers={"x-mine": "1"}, follow_redirects=True) as client:
            async with Session(backend.url, auth=KEY, async_http=client) as session:
                await session.aio.models.list()
            assert not client.is_closed

    asyncio.run(ask())
    assert backend.requests[0].headers["x-mine"] == "1"


def test_a_loop_that_is_over_does_not_keep_a_session_from_closing(make_backend):
    """Cells and scripts call ``asyncio.run`` again and again, mostly without closing."""
    backend = make_backend(Script())
    session = Session(backend.url, auth=KEY)

    async def ask(*, close=False):
        await session.aio.models.list(refresh=True)
        if close:
            await session.aclose()
        else:  # the loop's own resources go with it
            client = session._core.transport.async_client()
            for connection in client._transport._pool.connections:
                await connection.aclose()
        return len(session._core.transport._async_clients)

    assert [asyncio.run(ask()), asyncio.run(ask()), asyncio.run(ask(close=True))] == [1, 1, 0]


def test_event_loops_in_threads_do_not_share_connections(make_backend):
    """Each loop has a client of its own."""
    backend = make_backend(Script(reply=lambda ask: Turn(text="echo " + ask.items[0]["content"][0]["text"])))
    session = Session(backend.url, auth=KEY, model="gpt-5.4")
    answers = {}

    async def ask(number):
        texts = [session.aio.responses.create(input=f"{number}.{n}") for n in range(4)]
        answers[number] = [response.output_text for response in await asyncio.gather(*texts)]
        await session.aclose()

    threads = [threading.Thread(target=lambda n=n: asyncio.run(ask(n))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: [f"echo {n}.{m}" for m in range(4)] for n in range(3)}


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(make_backend, face, monkeypatch):
    """Company settings name one for everything; a local server is not behind it."""
    backend = make_backend(Script())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert len(face.run(backend, lambda one: one.models.list())) > 0


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "CODEX_CA_CERTIFICATE"])
@pytest.mark.parametrize("text", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_named(make_backend, face, monkeypatch, tmp_path, variable, text):
    """By the variable and the path, whether there is no file or something else in it."""
    path = tmp_path / f"{text}.pem"
    if text:
        path.write_text(text)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(InvalidOption, match="certificates cannot be read") as caught:
        face.run(make_backend(Script()), lambda one: one.models.list())
    assert f"{variable}={path}" in caught.value.hint


def test_any_cache_key_works(make_backend, face):
    """A name with letters of any language goes out whole in the body."""
    backend = make_backend(Script())

    async def story(one):
        await got(one.responses.create(input="x", prompt_cache_key="mój zeszyt"))

    tell(face, backend, story)
    assert backend.requests[0].body["prompt_cache_key"] == "mój zeszyt"
    assert backend.requests[0].headers["session-id"] == "m%C3%B3j%20zeszyt"


@pytest.mark.parametrize(
    "options",
    [
        *({"timeout": each} for each in (0, float("nan"), float("inf"), "5", (1,), (float("nan"), 5), [5, 60])),
        *({"max_retries": each} for each in (-1, None, "2")),
    ],
)
def test_a_number_that_is_none_is_refused_at_once(options):
    """Before a socket trips over it."""
    with pytest.raises(InvalidOption) as caught:
        Session("http://127.0.0.1:9", **options)
    assert caught.value.hint


@pytest.mark.parametrize("auth", ["made-up-token", {"token": "made-up-token"}, ("made-up-token", ""), ""])
def test_what_is_no_login_is_refused_without_being_shown(auth):
    """A token alone is what people pass first."""
    with pytest.raises(InvalidOption) as caught:
        Session("http://127.0.0.1:9", auth=auth)
    assert f"auth is of type {type(auth).__name__}." in str(caught.value)
    assert "Bearer(token)" in caught.value.hint
    assert "made-up" not in str(caught.value)


@pytest.mark.parametrize("name", ["http", "async_http"])
def test_a_client_of_the_other_face_is_refused(name):
    """At once, instead of at the first call."""
    with pytest.raises(InvalidOption, match=name):
        Session("http://127.0.0.1:9", auth=KEY, **{name: object()})
    with httpx.Client() as client, pytest.raises(InvalidOption, match="async_http is of type Client"):
        Session("http://127.0.0.1:9", auth=KEY, async_http=client)


def test_the_shared_session_is_one_until_it_is_replaced(make_backend, monkeypatch):
    """``session``, ``use`` and ``connect``."""
    monkeypatch.setattr("codex_nb.client.default._shared", None)
    monkeypatch.setenv("CODEX_NB_BACKEND", "http://127.0.0.1:9/v1")
    first = codex_nb.session()
    assert codex_nb.session() is first
    assert first.backend == Backend.openai("http://127.0.0.1:9/v1")
    second = codex_nb.connect(make_backend(Script()).url, auth=KEY, model="gpt-5.4")
    assert codex_nb.session() is second
    assert codex_nb.use(first) is first is codex_nb.session()


def test_what_connect_takes_is_what_a_session_takes():
    """Except the caller's own clients."""
    ours = inspect.signature(codex_nb.connect).parameters
    assert ours.keys() == inspect.signature(Session).parameters.keys() - {"http", "async_http"}


def test_a_session_is_shown_without_its_login():
    """The backend, the kind of login and the model."""
    assert repr(Session("http://127.0.0.1:9", auth=KEY, model="m")) == (
        "Session('http://127.0.0.1:9', auth=Bearer(account_id=None), model='m')"
    )
