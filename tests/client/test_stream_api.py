"""An answer in flight, as its reader holds it."""

import asyncio

import pytest

from codex_nb import errors
from codex_nb.local import Fault, Script, Turn
from tests.client.both import busy, each, got, inside, tell
from tests.waiting import until

WORDS = ["One ", "two ", "three."]
TEXT = "".join(WORDS)


def sse(*events):
    """Return bytes of a stream of these JSON texts."""
    return b"".join(b"data: " + event.encode() + b"\n\n" for event in events)


CREATED = '{"type":"response.created","response":{"id":"r","output":[]}}'
ITEM = (
    '{"type":"response.output_item.done","output_index":0,"item":'
    '{"type":"message","role":"assistant","content":[{"type":"output_text","text":"%s"}]}}'
)
COMPLETED = '{"type":"response.completed","response":{"id":"r","output":[]}}'


def test_events_are_typed_and_in_order(make_backend, face):
    """From the first event to the terminal one; fields are attributes, unknown ones too."""

    async def story(one):
        return [event async for event in each(one.responses.stream(input="x"))]

    events = tell(face, make_backend(Script(turns=[Turn(text=WORDS)])), story)
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert [event.delta for event in deltas] == WORDS
    assert deltas[0].raw["output_index"] == deltas[0].output_index == 0
    assert "delta" in dir(deltas[0])
    assert "One" in repr(deltas[0])
    assert events[-1].response.status == "completed"
    done = next(event for event in events if event.type == "response.output_item.done")
    assert done.item.text == TEXT
    with pytest.raises(AttributeError, match="nonsense"):
        deltas[0].nonsense  # noqa: B018


def test_nothing_is_sent_before_the_stream_is_used(make_backend, face):
    """Making one is free; entering it, or iterating, asks. ``create(stream=True)`` asks at once."""
    backend = make_backend(Script(turns=[Turn(text=WORDS)] * 2))

    async def story(one):
        stream = one.responses.stream(input="x")
        assert (stream.opened, stream.text, len(backend.requests)) == (False, "", 0)
        async with inside(stream):
            assert (stream.opened, len(backend.requests)) == (True, 1)
        await got(one.responses.create(input="x", stream=True))
        assert len(backend.requests) == 2

    tell(face, backend, story)


def test_text_deltas_are_the_text(make_backend, face):
    """Piece by piece, and nothing else that streams."""
    turn = Turn(text=WORDS, reasoning="not part of the text")

    async def story(one):
        stream = one.responses.stream(input="x")
        pieces = [piece async for piece in each(stream.text_deltas())]
        return pieces, stream.text, (await got(stream.final())).output_text

    assert tell(face, make_backend(Script(turns=[turn])), story) == (WORDS, TEXT, TEXT)


def test_the_final_response_can_be_taken_more_than_once(make_backend, face):
    """One request, one answer."""
    backend = make_backend(Script(turns=[Turn(text=WORDS)]))

    async def story(one):
        stream = one.responses.stream(input="x")
        return await got(stream.final()), await got(stream.final())

    first, second = tell(face, backend, story)
    assert first == second
    assert len(backend.requests) == 1


def test_a_failure_is_raised_each_time(make_backend, face):
    """It can not be read away."""
    backend = make_backend(Script(turns=[Turn(text=WORDS)], faults=[Fault.cut_after(6)]))

    async def story(one):
        stream = one.responses.stream(input="x")
        for _ in range(2):
            with pytest.raises(errors.StreamInterrupted) as caught:
                await got(stream.final())
            assert caught.value.partial == stream.text == "One two "

    tell(face, backend, story)
    assert len(backend.requests) == 1


def test_a_stream_that_was_left_says_so(make_backend, face):
    """Reading on after it was closed is an error that does not blame the network, and keeps the text."""

    async def story(one):
        stream = one.responses.stream(input="x")
        async with inside(stream):
            async for _ in each(stream.text_deltas()):
                break
        with pytest.raises(errors.StreamInterrupted, match="was closed") as caught:
            await got(stream.final())
        assert caught.value.partial.startswith("One ")

    tell(face, make_backend(Script(turns=[Turn(text=WORDS * 2000)])), story)


def test_leaving_an_asynchronous_loop_closes_the_stream(make_backend):
    """Closed with the generator; the service stops working on it."""
    from codex_nb import Bearer, Session

    backend = make_backend(Script(turns=[Turn(text=WORDS * 200, pause=0.02)]))

    async def leave():
        async with Session(backend.url, auth=Bearer("made-up"), model="gpt-5.4") as session:
            stream = await session.aio.responses.create(input="x", stream=True)
            async for event in stream:
                if event.type == "response.output_text.delta":
                    break
            await stream.aclose()
            return busy(session)

    assert asyncio.run(leave()) == []
    assert until(lambda: backend.open_streams == 0)


def test_a_cancelled_task_closes_its_stream(make_backend):
    """As when a cell of an asynchronous notebook is interrupted."""
    from codex_nb import Bearer, Session

    backend = make_backend(Script(turns=[Turn(text=WORDS * 200, pause=0.02)]))

    async def cancel():
        async with Session(backend.url, auth=Bearer("made-up"), model="gpt-5.4") as session:
            task = asyncio.create_task(session.aio.responses.create(input="x"))
            while not backend.open_streams:  # noqa: ASYNC110 - another thread counts
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return busy(session)

    assert asyncio.run(cancel()) == []


@pytest.mark.parametrize(
    "fault",
    [None, Fault.cut_after(6), Fault.cut_after(6, how="reset"), Fault.reply(200, "<html>"), Fault.reply(500, "no")],
    ids=["whole", "cut", "reset", "page", "500"],
)
def test_no_connection_stays_busy(make_backend, face, fault):
    """Whatever became of the answer, collected or streamed."""
    backend = make_backend(Script(turns=[Turn(text=WORDS)] * 2, faults=[fault, fault] if fault else []))

    async def story(one):
        for ask in (lambda: one.responses.create(input="x"), lambda: one.responses.stream(input="x").final()):
            try:
                await got(ask())
            except errors.CodexError:
                assert fault is not None
            assert busy(one) == []

    tell(face, backend, story)


def test_a_refusal_is_told_in_the_models_words(make_backend, face):
    """It is no text, and no error."""
    item = '{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"No."}]}'
    raw = sse(
        CREATED,
        '{"type":"response.refusal.delta","output_index":0,"delta":"No."}',
        f'{{"type":"response.output_item.done","output_index":0,"item":{item}}}',
        COMPLETED,
    )
    response = face.answer(make_backend(Script(turns=[Turn(raw=raw)])), streamed=True)
    assert (response.refusal, response.output_text, response.status) == ("No.", "", "completed")


@pytest.mark.parametrize("ending", [True, False], ids=["whole", "cut"])
def test_text_without_deltas_is_text_too(make_backend, face, ending):
    """A server that sends finished items alone: nothing is lost, not even when the stream is cut."""
    raw = sse(CREATED, ITEM % "whole", *([COMPLETED] if ending else []))

    async def story(one):
        stream = one.responses.stream(input="x")
        try:
            return (await got(stream.final())).output_text, stream.text
        except errors.StreamInterrupted as error:
            return error.response.output_text, error.partial

    assert tell(face, make_backend(Script(turns=[Turn(raw=raw)])), story) == ("whole", "whole")


@pytest.mark.parametrize(
    "said",
    [
        '{"type":"error","error":"out of paper"}',
        '{"type":"error","error":{"message":"out of paper"}}',
        '{"type":"error","message":"out of paper","code":null}',
        '{"type":"response.failed","response":{"id":"r","error":{"message":"out of paper"}}}',
        '{"type":"response.failed","response":{"id":7,"error":{"message":"out of paper"}}}',
    ],
)
def test_a_failure_is_quoted_in_every_form(make_backend, face, said):
    """An object, a text, flat; with no code when there is none, and beside fields of the wrong shape."""
    with pytest.raises(errors.ResponseFailed, match="out of paper") as caught:
        face.answer(make_backend(Script(turns=[Turn(raw=sse(CREATED, ITEM % "so far", said))])), streamed=False)
    assert caught.value.code is None
    assert caught.value.partial == "so far"


def test_nulls_of_other_servers_are_absent_fields(make_backend, face):
    """Some send null where the official service sends nothing, or an object."""
    nulls = '"id":null,"model":null,"usage":{"input_tokens":3,"input_tokens_details":null,"output_tokens":null}'
    raw = sse(f'{{"type":"response.created","response":{{{nulls}}}}}', ITEM % "fine", COMPLETED)
    response = face.answer(make_backend(Script(turns=[Turn(raw=raw)])), streamed=False)
    assert response.output_text == "fine"
    assert (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens) == (3, 0)


def test_an_event_is_put_together_however_it_is_cut(make_backend, face):
    """Byte by byte over a real socket."""
    raw = sse(CREATED, ITEM % "żółć 🦊", COMPLETED)
    response = face.answer(make_backend(Script(turns=[Turn(raw=raw, write_size=1)])), streamed=True)
    assert response.output_text == "żółć 🦊"
