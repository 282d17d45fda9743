"""Every container, from its bytes to the transcript that the service's twin makes of what was prepared."""

import httpx
import pytest

from codex_nb.audio import prepare, sniff
from codex_nb.local import LocalBackend, Script
from tests.sounds import every_container, speech

SOUND = speech()
FILES = every_container(SOUND)
AS_IT_IS = {"wav", "wav-stereo", "mp3", "mp3-id3", "flac", "ogg-opus", "webm", "m4a"}
REFUSED_RAW = {"aac", "aiff", "aifc", "caf", "amr", "silk", "silk-tencent", "wma", "au", "avi-video", "ts-video"}


@pytest.fixture(scope="module")
def hear():
    """Return what sends bytes to the dictation endpoint."""
    with LocalBackend(Script()) as backend, httpx.Client(trust_env=False) as client:
        yield lambda name, content, kind: client.post(
            f"{backend.url}/backend-api/transcribe",
            files={"file": (name, content, kind)},
            headers={"authorization": "Bearer made-up"},
        )


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("filename", "content_type"), [(None, None), ("talk", "application/octet-stream"), ("talk.xyz", "text/plain")]
)
def test_every_container_reaches_its_transcript(name, filename, content_type, hear, tmp_path):
    """Whatever its name and type claim, the service gets a sound that it takes, as long as the one that was given."""
    path = tmp_path / (filename or f"talk.{name}")
    path.write_bytes(FILES[name])
    (clip,) = prepare(path, content_type=content_type)
    content = b"".join(clip.chunks())
    assert len(content) == clip.size
    assert (content == FILES[name]) == (name in AS_IT_IS)
    assert clip.duration == pytest.approx(len(SOUND) / 16_000, abs=0.15)
    assert sniff(content) == clip.container
    assert clip.container.taken
    assert clip.name.endswith((f".{clip.container.extension}", *(f".{each}" for each in clip.container.also)))
    assert clip.content_type == clip.container.mime_type
    reply = hear(clip.name, content, clip.content_type)
    assert reply.status_code == 200, reply.text
    assert clip.container.name.lower()[:3] in reply.json()["text"].lower() or clip.container.name == "MP4"


@pytest.mark.parametrize("name", sorted(REFUSED_RAW))
def test_what_is_converted_would_be_refused(name, hear):
    """So there is a reason to convert it."""
    reply = hear("talk.wav", FILES[name], "audio/wav")
    assert reply.status_code == 500
    assert reply.json() == {"detail": "Error in ASR API"}


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [("wav", "talk.mp3", "talk.wav"), ("mp3", "talk.wav", "talk.mp3"), ("webm", "talk.ogg", "talk.webm")],
)
def test_a_wrong_extension_gives_way_to_the_bytes(name, wrong, right):
    """The platform goes by names, so they must be true."""
    (clip,) = prepare(FILES[name], filename=wrong, content_type="audio/aac")
    assert clip.name == right
    assert clip.content_type == clip.container.mime_type
