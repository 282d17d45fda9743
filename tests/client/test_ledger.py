"""The ledger: a row for every call, whatever became of it, and no text of anyone's."""

import asyncio
import contextlib
import gc
import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb import Bearer, CodexAuth, Session, errors
from codex_nb.client._kept import endpoint_of, ends, label, tokens, usage_in, usage_windows
from codex_nb.client.ledger import Ledger
from codex_nb.local import Fault, Script, Turn
from tests.client.both import each, got, inside, tell
from tests.conftest import TOKEN

WORDS = ["Lighthouse ", "keepers ", "seldom ", "sleep."]
PROMPT = "Where did Zanzibar's cartographer hide?"
SLOW = Turn(text=WORDS * 50, pause=0.02)
CREATED = '{"type":"response.created","response":{"id":"r","output":[]}}'


@pytest.fixture
def ledger(monkeypatch, tmp_path):
    """A ledger of this test's own."""
    monkeypatch.setenv("CODEX_NB_LEDGER", str(tmp_path / "kept" / "ledger.sqlite3"))
    shared = Ledger.shared()
    yield shared
    shared.close()


def only(ledger, endpoint="codex/responses"):
    """Return the one row of this endpoint."""
    rows = [row for row in ledger.calls() if row.endpoint == endpoint]
    assert len(rows) == 1, rows
    return rows[0]


def test_an_answer_is_a_row(make_backend, face, ledger):
    """Time, place, model, effort, latency, tokens, and the quota that the headers told."""
    backend = make_backend(Script(turns=[Turn(text=WORDS, reasoning="Hm.")]))
    before = time.time() * 1e6
    response = face.run(
        backend,
        lambda one: one.responses.create(input=PROMPT, reasoning={"effort": "high"}),
        auth=Bearer(TOKEN, account_id="acc-1"),
    )
    row = only(ledger)
    assert before <= row.time <= time.time() * 1e6
    assert (row.method, row.outcome, row.status, row.attempts, row.code) == ("POST", "completed", 200, 1, None)
    assert row.host == row.backend == backend.url.removeprefix("http://")
    assert (row.model, row.served_model, row.engine, row.effort) == ("gpt-5.4", "gpt-5.4", "scripted", "high")
    assert row.response_id == response.id
    assert row.request_id
    assert 0 < row.to_headers <= row.to_text <= row.seconds
    used = response.usage
    assert (row.input_tokens, row.output_tokens, row.total_tokens) == (
        used.input_tokens,
        used.output_tokens,
        used.total_tokens,
    )
    assert row.cached_tokens == used.input_tokens_details.cached_tokens
    assert row.reasoning_tokens == used.output_tokens_details.reasoning_tokens
    windows = list(ledger.quota_history())
    assert {(w.call, w.source, w.limit_name, w.slot) for w in windows} == {
        (row.id, "headers", "codex", "primary"),
        (row.id, "headers", "codex", "secondary"),
    }
    assert {w.minutes for w in windows} == {300, 10_080}
    assert all(w.resets_at > time.time() and w.account == row.account for w in windows)


ENDINGS = {
    # Fault, turn, outcome, HTTP status, the service's word.
    "completed": (None, Turn(text=WORDS), "completed", 200, None),
    "incomplete": (None, Turn(text=WORDS, incomplete="max_output_tokens"), "incomplete", 200, "max_output_tokens"),
    "failed": (None, Turn(failure="context_length_exceeded"), "failed", 200, "context_length_exceeded"),
    "cut": (Fault.cut_after(6), Turn(text=WORDS), "StreamInterrupted", 200, None),
    "silent": (Fault.silence(60, after_events=6), Turn(text=WORDS), "StreamInterrupted", 200, None),
    "no events": (Fault.reply(200, "<html>Sign in</html>"), Turn(), "MalformedStream", 200, None),
    "no JSON": (None, Turn(raw=b"data: " + CREATED.encode() + b"\n\ndata: {oops\n\n"), "MalformedStream", 200, None),
    "throttled": (Fault.throttled(90), Turn(), "RateLimitError", 429, "rate_limit_exceeded"),
    "spent": (Fault.usage_limit(), Turn(), "UsageLimitReached", 429, "usage_limit_reached"),
    "not known": (Fault.reply(401, {"detail": "Unauthorized"}, times=None), Turn(), "SignInExpired", 401, None),
    "refused": (Fault.reply(400, {"detail": "Unsupported"}), Turn(), "BadRequestError", 400, None),
    "guarded": (Fault.cloudflare(), Turn(), "CloudflareChallenge", 403, None),
    "dropped": (Fault.drop(), Turn(), "APIConnectionError", None, None),
    "late": (Fault.silence(60), Turn(), "APITimeoutError", None, None),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["collected", "streamed"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_is_one_row(make_backend, face, ledger, ending, streamed):
    """Its outcome, status and code are those of the error that was raised, if one was."""
    fault, turn, outcome, status, code = ENDINGS[ending]
    backend = make_backend(Script(turns=[turn], faults=[fault] if fault else []))
    raised = None
    try:
        face.answer(backend, streamed=streamed, timeout=0.7 if ending in {"silent", "late"} else 20)
    except errors.CodexError as error:
        raised = error
    row = only(ledger)
    assert (row.outcome, row.status, row.code, row.attempts) == (outcome, status, code, 1)
    assert (raised is None) == (outcome in {"completed", "incomplete"})
    assert type(raised).__name__ == outcome or outcome in {"completed", "incomplete", "failed"}
    assert row.seconds > 0
    assert (row.to_headers is None) == (status is None)


def test_nobody_there_is_a_row(face, ledger):
    """A server that does not run has no status."""
    with pytest.raises(errors.APIConnectionError):
        face.run("http://127.0.0.1:9", lambda one: one.codex.usage())
    row = only(ledger, "account/wham/usage")
    assert (row.outcome, row.status, row.attempts, row.method) == ("APIConnectionError", None, 1, "GET")


def test_retries_are_one_row(make_backend, face, ledger, monkeypatch):
    """With the number of attempts and the last one's status; the time is that of all."""
    monkeypatch.setattr("codex_nb.wire.retry.FIRST_WAIT", 0.05)
    backend = make_backend(Script(turns=[Turn(text="x")], faults=[Fault.server_error(503, times=2)]))
    face.answer(backend, streamed=False, max_retries=2)
    row = only(ledger)
    assert (row.attempts, row.outcome, row.status) == (3, "completed", 200)
    assert row.seconds > 0.1


def test_nothing_sent_is_no_row(make_backend, face, ledger, tmp_path):
    """A parameter that is refused here, an endpoint that the backend does not have, a login that is not there."""
    backend = make_backend(Script())
    for use, options in (
        (lambda one: one.responses.create(input="x", temperature=1), {}),
        (lambda one: one.codex.usage(), {"auth": CodexAuth(tmp_path / "none.json")}),
    ):
        with pytest.raises(errors.CodexError):
            face.run(backend, use, **options)
    with pytest.raises(errors.UnsupportedByBackend):
        face.run(f"{backend.url}/v1", lambda one: one.codex.usage())
    assert list(ledger.calls()) == []


def left_early(how):
    """Return a story in which the reader leaves."""

    async def closed(one):
        stream = one.responses.stream(input="x")
        async with inside(stream):
            async for _ in each(stream.text_deltas()):
                break

    async def dropped(one):
        stream = await got(one.responses.create(input="x", stream=True))
        del stream
        gc.collect()

    return {"closed": closed, "dropped": dropped}[how]


@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_a_stream_that_is_left_is_interrupted(make_backend, face, ledger, how):
    """Closed by its reader, or forgotten. What was known by then is kept."""
    tell(face, make_backend(Script(turns=[SLOW])), left_early(how), timeout=20)
    row = only(ledger)
    assert (row.outcome, row.status, row.output_tokens) == ("interrupted", 200, None)
    if how == "closed":
        assert row.response_id
        assert row.to_headers <= row.to_text <= row.seconds


def test_an_interrupt_is_interrupted(make_backend, ledger, monkeypatch):
    """The kernel's interrupt, where an answer is collected, and where headers are waited for."""
    from codex_nb.client._bodies import SyncBody

    backend = make_backend(Script(turns=[SLOW]))

    def stop(self):
        raise KeyboardInterrupt

    with Session(backend.url, auth=Bearer(TOKEN), model="gpt-5.4") as session:
        monkeypatch.setattr(SyncBody, "read", stop)
        with pytest.raises(KeyboardInterrupt):
            session.responses.create(input="x")
        monkeypatch.setattr(SyncBody, "read_all", stop)
        with pytest.raises(KeyboardInterrupt):
            session.codex.usage()
    assert [(row.outcome, row.status) for row in ledger.calls()] == [("interrupted", 200)] * 2


def test_a_cancelled_task_is_interrupted(make_backend, ledger):
    """What a time-out of the caller's own does on the asynchronous face."""
    backend = make_backend(Script(turns=[SLOW]))

    async def story():
        async with Session(backend.url, auth=Bearer(TOKEN), model="gpt-5.4") as session:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.aio.responses.create(input="x"), 0.5)

    asyncio.run(story())
    assert only(ledger).outcome == "interrupted"


def test_other_endpoints_are_rows(make_backend, face, ledger):
    """With their quota, where it is what they tell."""

    async def story(one):
        await got(one.models.list())
        await got(one.codex.usage())

    tell(face, make_backend(Script()), story)
    assert [(row.endpoint, row.outcome, row.status) for row in ledger.calls()] == [
        ("account/wham/usage", "completed", 200),
        ("codex/models", "completed", 200),
    ]
    assert {(w.source, w.slot, w.minutes) for w in ledger.quota_history()} == {
        ("usage", "primary", 300),
        ("usage", "secondary", 10_080),
    }


def test_a_reply_that_is_none_is_told_by_its_error(make_backend, face, ledger):
    """A web page with status 200 is no completed call."""
    fault = Fault.reply(200, "<html>Sign in</html>", path="*/usage", method="GET")
    with pytest.raises(errors.MalformedStream):
        face.run(make_backend(Script(faults=[fault])), lambda one: one.codex.usage())
    row = only(ledger, "account/wham/usage")
    assert (row.outcome, row.status) == ("MalformedStream", 200)


def test_an_error_about_something_else_does_not_spoil_a_row(make_backend, face, ledger):
    """The list came whole; that a model is not in it is no fault of the call."""
    with pytest.raises(errors.NotFoundError):
        face.run(make_backend(Script()), lambda one: one.models.retrieve("no-such-model"))
    assert only(ledger, "codex/models").outcome == "completed"


def test_the_quota_in_a_stream_is_kept(make_backend, face, ledger):
    """And that of a refusal's headers."""
    told = {"primary": {"used_percent": 41, "window_minutes": 300, "reset_at": 1_800_000_000}, "secondary": None}
    events = [
        {"type": "codex.rate_limits", "metered_limit_name": "codex_other", "rate_limits": told},
        {"type": "response.completed", "response": {"id": "resp_1", "output": []}},
    ]
    raw = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    headers = {"x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "300"}
    backend = make_backend(Script(turns=[Turn(raw=raw)], faults=[Fault.throttled(90, headers=headers)]))

    async def story(one):
        with pytest.raises(errors.RateLimitError):
            await got(one.responses.create(input="x"))
        await got(one.responses.create(input="x"))

    tell(face, backend, story)
    windows = [(w.source, w.limit_name, w.used) for w in ledger.quota_history()]
    assert ("event", "codex-other", 41.0) in windows
    assert windows[-1] == ("headers", "codex", 100.0)


def test_accounts_are_told_apart_without_their_ids(make_backend, face, ledger, tmp_path):
    """The same account is the same in one file, and something else in another."""
    backend = make_backend(Script())
    for account in ("acc-1", "acc-2", "acc-1", None):
        face.run(backend, lambda one: one.models.list(), auth=Bearer(TOKEN, account_id=account))
    rows = list(ledger.calls())[::-1]
    assert rows[0].account == rows[2].account == ledger.account_key("acc-1")
    assert rows[1].account == ledger.account_key("acc-2") != rows[0].account
    assert rows[3].account is None
    assert "acc" not in rows[0].account


def test_no_text_of_anyones_is_in_the_file(make_backend, face, ledger, tmp_path):
    """Not the prompt, the instructions, the answer, a token, an e-mail address, an error's body; not in the log."""
    said = Fault.reply(400, {"error": {"message": "Marmalade is forbidden", "code": f"no {TOKEN}"}})
    odd = Fault.reply(
        500, TOKEN, headers={"x-request-id": TOKEN, "openai-model": "someone@example.com", "x-echo": "Marmalade"}
    )
    turn = Turn(text=WORDS, model="someone@example.com", usage=None)
    backend = make_backend(Script(turns=[turn, Turn(failure="server_error")], faults=[said, odd]))
    login = tmp_path / "auth.json"
    login.write_text(json.dumps(backend.auth_json()))
    tokens_of_login = [v for k, v in json.loads(login.read_text())["tokens"].items() if k.endswith("token")]

    async def story(one):
        for _ in range(4):
            with contextlib.suppress(errors.CodexError):
                await got(
                    one.responses.create(input=PROMPT, instructions="Speak of Marmalade", prompt_cache_key="Zanzibar")
                )

    tell(face, backend, story)
    tell(face, backend, story, auth=CodexAuth(login))
    ledger.flush()
    files = {path.name: path.read_bytes() for path in ledger.path.parent.iterdir()}
    assert "ledger.sqlite3-wal" in files
    content = b"".join(files.values())
    assert len(list(ledger.calls())) == 8
    assert b"codex/responses" in content
    words = [
        b"Zanzibar",
        b"cartographer",
        b"Marmalade",
        b"Lighthouse",
        b"seldom",
        b"example",
        b"someone",
        TOKEN[5:].encode(),
    ]
    for word in [*words, *(token.encode()[5:40] for token in tokens_of_login)]:
        assert word not in content, word


def test_ids_do_not_stand_in_endpoints():
    """Nor does anything of an address elsewhere."""
    assert endpoint_of("account/wham/tasks/task_e_abc/turns/turn_x") == "account/wham/tasks/{id}/turns/{id}"
    assert endpoint_of("account/wham/tasks/list?cursor=x") == "account/wham/tasks/list"
    assert endpoint_of("account/files/file_ab/uploaded") == "account/files/{id}/uploaded"
    assert endpoint_of("https://files.example/a/b?sig=x") == "elsewhere"


def test_the_paths_of_all_endpoints_are_known():
    """A part that is not known would show as an id."""
    import re
    from pathlib import Path

    from codex_nb.client import resources

    sources = [path.read_text() for path in Path(resources.__file__).parent.glob("*.py")]
    paths = {path for source in sources for path in re.findall(r'f?"((?:account|codex|platform)/[^"]+)"', source)}
    assert {"codex/models", "account/wham/usage"} <= paths
    for path in paths:
        assert endpoint_of(re.sub(r"{[^}]*}", "{id}", path)) == re.sub(r"{[^}]*}", "{id}", path)


def test_embeddings_are_a_row_a_batch_with_their_tokens(make_backend, face, ledger):
    """Sent side by side, each with what it used."""
    result = face.run(
        make_backend(Script()),
        lambda one: one.embeddings.create(input=[PROMPT] * 2_050, model="text-embedding-3-small"),
    )
    rows = list(ledger.calls())
    assert [(row.endpoint, row.outcome, row.model) for row in rows] == [
        ("platform/embeddings", "completed", "text-embedding-3-small")
    ] * 2
    assert sum(row.input_tokens for row in rows) == result.usage.prompt_tokens > 0


def test_labels_are_labels():
    """Models, ids and codes; no sentence, no address, no token, no folder."""
    for good in ("gpt-5.4", "openai/gpt-oss:20b", "resp_0a1b", "llama[q4_0]", "v1.2+b"):
        assert label(good) == good
    for bad in (
        "a b",
        "a@b.c",
        "x" * 129,
        "",
        None,
        5,
        "é",
        "a\nb",
        "eyJhbGciOiJIUzI1NiJ9.eyJ4IjoxfQ.abc",
        "sk-0123456789",
    ):
        assert label(bad) is None
    assert label("key-abc", secret="abc") is None
    assert label("/home/someone/model.gguf") == "model.gguf"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["input_tokens", "usage"]), inner),
    max_leaves=8,
)


@given(JSON)
def test_counts_of_any_payload_are_counts(payload):
    """Whatever a service sends where numbers should be."""
    for source in (payload, {"input_tokens": payload, "output_tokens_details": {"reasoning_tokens": payload}}):
        for count in tokens(source).values():
            assert count is None or (type(count) is int and 0 <= count <= 2**53)
    body = json.dumps({"usage": payload, "rate_limit": {"primary_window": {"used_percent": payload}}}).encode()
    usage_in(body)
    usage_windows(body)


def test_tokens_of_other_endpoints_are_found():
    """In the names that embeddings and transcriptions use, in a body of any size."""
    vectors = b'{"object":"list","data":[' + b"0," * 100_000 + b'0],"usage":{"prompt_tokens":8,"total_tokens":9}}'
    found = usage_in(ends(vectors))
    assert (found["input_tokens"], found["total_tokens"], found["output_tokens"]) == (8, 9, None)
    told = b'{"text":"say \\"usage\\":{\\"input_tokens\\":5}","usage":{"type":"tokens","input_tokens":14,'
    told += b'"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":45}}'
    assert usage_in(told)["input_tokens"] == 14
    assert usage_in(b'{"usage":{"input_tokens":') == {}


def test_reading_is_newest_first_since_and_limited(make_backend, ledger, monkeypatch):
    """Page after page."""
    monkeypatch.setattr("codex_nb.client.ledger.PAGE", 3)
    with Session(make_backend(Script()).url, auth=Bearer(TOKEN)) as session:
        for _ in range(10):
            session.models.list(refresh=True)
    rows = list(session.ledger.calls())
    assert [row.id for row in rows] == list(range(10, 0, -1))
    assert rows == sorted(rows, key=lambda row: row.time, reverse=True)
    for limit in (0, 1, 3, 4, 6, 100):
        assert list(ledger.calls(limit=limit)) == rows[:limit]
    fifth = rows[5].time
    assert list(ledger.calls(since=fifth / 1e6)) == rows[:6]
    assert list(ledger.calls(since=datetime.fromtimestamp(fifth / 1e6, UTC), limit=2)) == rows[:2]
    assert list(ledger.calls(since=datetime.now(UTC) + timedelta(hours=1))) == []


def test_off_keeps_nothing(make_backend, face, monkeypatch, tmp_path):
    """No file, no thread, and reading is empty."""
    monkeypatch.setenv("CODEX_NB_LEDGER", "off")
    monkeypatch.chdir(tmp_path)
    face.answer(make_backend(Script.of("x")), streamed=False)
    ledger = Ledger.shared()
    assert (ledger.path, ledger.on, list(ledger.calls()), list(ledger.quota_history())) == (None, False, [], [])
    assert "off" in str(ledger)
    assert list(tmp_path.iterdir()) == []


def test_the_place_is_chosen_by_the_environment(monkeypatch, tmp_path):
    """A file, a folder, or the user's data folder."""
    from codex_nb.client.ledger import chosen_path

    monkeypatch.setenv("CODEX_NB_LEDGER", str(tmp_path / "x.db"))
    assert chosen_path() == tmp_path / "x.db"
    monkeypatch.setenv("CODEX_NB_LEDGER", str(tmp_path))
    assert chosen_path() == tmp_path / "ledger.sqlite3"
    monkeypatch.setenv("CODEX_NB_LEDGER", "~/x.db")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert chosen_path() == tmp_path / "x.db"
    monkeypatch.delenv("CODEX_NB_LEDGER")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert chosen_path().name == "ledger.sqlite3"
    assert "codex_nb" in chosen_path().parts


def test_status_says_where_it_is(make_backend, ledger):
    """With the session that it belongs to."""
    from codex_nb.notebook.cards import status_card

    with Session(make_backend(Script()).url, auth=Bearer(TOKEN)) as session:
        assert session.ledger is ledger
        assert str(ledger.path) in repr(status_card(session))


def test_its_rows_are_plain_sqlite(make_backend, ledger):
    """Other programs can read it."""
    with Session(make_backend(Script.of("x")).url, auth=Bearer(TOKEN), model="gpt-5.4") as session:
        session.responses.create(input="x")
    db = sqlite3.connect(ledger.path)
    try:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        query = "SELECT c.model, q.used FROM calls c JOIN quota q ON q.call = c.id WHERE q.slot = 'primary'"
        assert db.execute(query).fetchone() == ("gpt-5.4", 0.0)
    finally:
        db.close()
