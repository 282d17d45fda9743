"""The bytes of a recording reach the disk whole, however messages get lost, doubled or out of order."""

import hashlib
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_nb.errors import APIError, AudioError
from codex_nb.notebook.recordings import Inbox
from codex_nb.types.audio import Transcript

KEY = "0123456789abcdef"


def heard(recording, **options):
    """Make a transcript that names its recording."""
    return Transcript(text=f"{recording.path.stat().st_size} bytes", source=str(recording.path))


@pytest.fixture
def inbox(tmp_path):
    """An empty inbox."""
    inbox = Inbox(tmp_path / "recordings", heard)
    yield inbox
    inbox.close()


def digest(sound):
    """Return the SHA-256 that a page sends."""
    return hashlib.sha256(sound).hexdigest()


@given(
    sound=st.binary(max_size=300),
    cuts=st.lists(st.integers(0, 300), max_size=8),
    overlap=st.integers(0, 20),
    chance=st.randoms(use_true_random=False),
)
def test_any_order_doubled_lost_and_overlapping(tmp_path_factory, sound, cuts, overlap, chance):
    """What is lost is asked for by the number that came back; in the end the file is what was sent."""
    with closing(Inbox(tmp_path_factory.mktemp("inbox"), heard)) as inbox:
        places = sorted({0, *(min(cut, len(sound)) for cut in cuts)})
        chunks = [
            (max(0, a - overlap), sound[max(0, a - overlap) : b])
            for a, b in zip(places, [*places[1:], len(sound)], strict=True)
        ]
        storm = [chunk for chunk in chunks for _ in range(chance.randrange(3))]
        chance.shuffle(storm)
        have = 0
        for at, data in storm:
            if not chance.randrange(4):
                assert inbox.end(KEY, size=len(sound), sha256=digest(sound), duration=1) is None or have == len(sound)
                inbox.begin(KEY)
            if KEY in inbox.recordings and inbox.recordings[KEY].whole:
                break
            now = inbox.chunk(KEY, at, data)
            assert now >= have
            have = now
        have = inbox.begin(KEY)
        inbox.chunk(KEY, have, sound[have:])
        found = inbox.end(KEY, size=len(sound), sha256=digest(sound), duration=1.5)
        assert found.whole
        assert found.path.read_bytes() == sound
        again = inbox.end(KEY, size=len(sound), sha256=digest(sound), duration=1.5)
        assert again is found
        assert [path.suffix for path in inbox.folder.iterdir()] == [".bin"]


def test_what_came_is_on_the_disk_before_the_end(inbox):
    """The file has each byte when its number is told, readable by its user alone."""
    assert inbox.begin(KEY, content_type="audio/webm;codecs=opus") == 0
    recording = inbox.recordings[KEY]
    assert recording.path.name.endswith("01234567.webm.part")
    assert recording.path.stat().st_mode & 0o077 == 0
    assert inbox.chunk(KEY, 0, b"first") == 5
    assert recording.path.read_bytes() == b"first"
    assert not recording.whole


def test_a_damaged_recording_is_sent_anew_and_kept(inbox):
    """A wrong sum starts over; the bytes that came stay beside it."""
    inbox.begin(KEY, content_type="audio/ogg")
    inbox.chunk(KEY, 0, b"wrong")
    assert inbox.end(KEY, size=5, sha256=digest(b"right"), duration=None) is None
    assert inbox.begin(KEY) == 0
    inbox.chunk(KEY, 0, b"right")
    assert inbox.end(KEY, size=5, sha256=digest(b"right"), duration=None).path.read_bytes() == b"right"
    assert sorted(path.suffix for path in inbox.folder.iterdir()) == [".damaged", ".ogg"]


def test_a_page_that_went_away_leaves_what_it_sent(inbox):
    """It can be taken for the whole, or thrown away."""
    inbox.begin(KEY, content_type="audio/webm")
    inbox.chunk(KEY, 0, b"half")
    assert inbox.finish(KEY).path.read_bytes() == b"half"
    inbox.delete(KEY)
    assert not list(inbox.folder.iterdir())
    assert not inbox.recordings


@pytest.mark.parametrize("name", ["../../evil.wav", "a.part", "x.wav/../../y", "no extension", ".bashrc", "a.p h p"])
def test_names_of_files_cannot_leave_the_folder(inbox, name):
    """Of a file's name only a plain extension is taken."""
    inbox.begin("../" + KEY, name=name)
    (path,) = inbox.folder.iterdir()
    assert path.name.endswith(".part")
    assert path.parent == inbox.folder


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    """The error names it, and says that the page still has the recording."""
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioError, match="cannot be written") as caught:
        Inbox(tmp_path / "file", heard).begin(KEY)
    assert "save=" in caught.value.hint


def test_a_failed_transcription_keeps_the_recording(inbox):
    """``retry`` tries again; the error is there until then."""
    failures = [APIError("The service is down.")]

    def moody(recording, **options):
        if failures:
            raise failures.pop()
        return heard(recording)

    inbox._transcriber = moody
    inbox.begin(KEY)
    inbox.chunk(KEY, 0, b"sound")
    recording = inbox.end(KEY, size=5, sha256=digest(b"sound"), duration=2.0)
    with pytest.raises(APIError):
        recording.retry()
    assert recording.error
    assert recording.path.exists()
    assert recording.retry().text == "5 bytes"
    assert recording.error is None
    assert recording.duration == 2.0


def test_bytes_far_ahead_do_not_fill_the_memory(inbox):
    """What comes too early is dropped beyond a bound, and asked for again."""
    inbox.begin(KEY)
    sound = b"0123456789abcdef" * (1 << 16)
    for place in range(1, 20):
        assert inbox.chunk(KEY, place << 20, sound) == 0
    assert inbox.chunk(KEY, 0, sound) == 9 << 20
