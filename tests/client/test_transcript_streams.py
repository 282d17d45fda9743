"""Text of speech as it is heard, on the platform's route and across pieces."""

import pytest

from codex_nb import errors
from codex_nb.client.resources._growing import Growing, Part
from codex_nb.local import Fault, Script
from tests.client.both import each, got, tell
from tests.client.test_transcriptions import DICTATION, PLATFORM, sound


def watch(face, backend, file=None, **options):
    """Return the events of a streamed transcription, or the error."""

    async def story(session):
        create = session.audio.transcriptions.create
        stream = await got(create(file=file or sound(), stream=True, **options))
        return [event async for event in each(stream)]

    return tell(face, backend, story, max_retries=0)


def test_the_platform_streams(face, make_backend):
    """Deltas as the service sends them, then the whole."""
    backend = make_backend(Script(transcripts=["Hello from the loopback server."]))
    *deltas, done = watch(face, backend, route="platform")
    assert [event.delta for event in deltas][:2] == ["Hello f", "rom the"]
    assert "".join(event.delta for event in deltas) == done.text == "Hello from the loopback server."
    assert done.transcript.raw["usage"]["type"] == "tokens"
    assert b'name="stream"\r\n\r\ntrue' in backend.requests[0].content


def test_what_was_recorded_of_the_service(face, make_backend):
    """The events of the service itself read the same; a server that does not stream sends JSON."""
    with open("tests/fixtures/audio_transcription_stream.sse", "rb") as file:  # noqa: PTH123
        recorded = file.read()
    backend = make_backend(
        Script(
            faults=[
                Fault.reply(200, recorded, content_type="text/event-stream", path=PLATFORM),
                Fault.reply(200, {"text": "All at once."}, path=PLATFORM),
            ]
        )
    )
    *deltas, done = watch(face, backend, route="platform")
    assert [event.delta for event in deltas] == ["Hello from", " the loopback server."]
    assert done.text == "Hello from the loopback server."
    assert [event.type for event in watch(face, backend, route="platform")] == [
        "transcript.text.delta",
        "transcript.text.done",
    ]


@pytest.mark.parametrize(
    ("fault", "kind", "heard"),
    [
        (Fault.cut_after(2, path=PLATFORM), errors.StreamInterrupted, "Hello from the"),
        (Fault.cut_after(2, path=PLATFORM, how="clean"), errors.StreamInterrupted, "Hello from the"),
        (
            Fault.reply(200, b"data: {broken\n\n", content_type="text/event-stream", path=PLATFORM),
            errors.MalformedStream,
            "",
        ),
        (
            Fault.reply(
                200,
                b'data: {"type":"transcript.text.delta","delta":"Hel"}\n\ndata: {"error":{"code":"x"}}\n\n',
                content_type="text/event-stream",
                path=PLATFORM,
            ),
            errors.ResponseFailed,
            "Hel",
        ),
        (Fault.server_error(path=PLATFORM), errors.InternalServerError, ""),
    ],
)
def test_a_stream_that_breaks(face, make_backend, fault, kind, heard):
    """Typed, with what was heard."""
    backend = make_backend(Script(transcripts=["Hello from the loopback server."], faults=[fault]))
    with pytest.raises(kind, match="route platform") as caught:
        watch(face, backend, route="platform")
    assert caught.value.partial == heard


def test_a_route_without_deltas_streams_the_whole(face, make_backend):
    """As one; nothing is paid elsewhere for the sake of watching."""
    backend = make_backend(Script(transcripts=["Good morning."]))
    assert [event.type for event in watch(face, backend)] == ["transcript.text.delta", "transcript.text.done"]
    assert [request.path for request in backend.requests] == [DICTATION]


def test_captions_are_not_streamed(face, make_backend):
    """Their times are known at the end."""
    with pytest.raises(errors.InvalidOption, match="srt is not streamed"):
        watch(face, make_backend(Script()), response_format="srt")


def test_pieces_show_in_order():
    """Whatever comes first; a piece heard again and another route go on where the text agrees."""
    growing = Growing()
    steps = [
        (Part(1, "and the second"), ""),
        (Part(0, "The first"), "The first"),
        (Part(0, "The first one,", whole=True), " one, and the second"),
        (Part(1, "and the"), ""),  # heard again
        (Part(1, "and the second.", whole=True), "."),
        (Part(0, "", anew=True), ""),
        (Part(0, "The first one, and the second. End"), " End"),
        (Part(0, "Something else."), ""),
    ]
    assert [growing.take(part) for part, _ in steps] == [shown for _, shown in steps]
    assert growing.shown == "The first one, and the second. End"
