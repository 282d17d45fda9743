"""The kernel's own microphone, in a room with a tone in it."""

import os
import signal
import subprocess
import sys
import wave
from array import array

import pytest
from jupyter_client.manager import start_new_kernel

from codex_nb.local import LocalBackend, Script
from codex_nb.notebook.hearing import Hearing
from codex_nb.notebook.recordings import Inbox
from tests.notebook.test_kernel import Kernel
from tests.requirements_gate import require
from tests.rooms import missing, room
from tests.waiting import until

RECORD = "from codex_nb.notebook.listening import record_here; record_here(None, seconds=1, save={!r})"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of a room with a tone in it."""
    with room(tmp_path_factory.mktemp("pulse")) as environment:
        yield environment


@pytest.fixture(scope="module")
def kernel(environment):
    """A kernel in that room, with a backend that has something to say to what it hears."""
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    kernel = Kernel(manager, client)
    with LocalBackend(Script(transcripts=["First.", "Second.", "Third."])) as backend:
        reply, _ = kernel.run(
            f"%load_ext codex_nb\nimport codex_nb\n_ = codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('x'))"
        )
        assert reply["status"] == "ok", reply
        yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def loudest(path, head=44):
    """Return the samples' largest value."""
    return max(array("h", path.read_bytes()[head:][: 1 << 20]))


def test_seconds_end_a_recording(kernel, tmp_path):
    """It is on the disk as a plain WAV file, with its text beside it."""
    reply, _ = kernel.run(f"%codex_transcribe --mic --seconds 1 --save {tmp_path} -o t")
    assert reply["status"] == "ok", reply
    assert kernel.value("(t.text, _transcript is t)") == "('First.', True)"
    (path,) = tmp_path.glob("*.wav")
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 16_000)
        assert 1 <= file.getnframes() / 16_000 < 20
        assert path.stat().st_size == 44 + 2 * file.getnframes()
    assert loudest(path) > 2000
    assert path.with_suffix(".txt").read_text() == "First.\n"


def test_an_interrupt_ends_a_recording(kernel, tmp_path):
    """What was said until then is made into text; the cell is no failure."""
    cell = kernel.start(f"%codex_transcribe --mic --save {tmp_path}")
    assert until(lambda: any(path.stat().st_size > 8000 for path in tmp_path.glob("*.wav.part")), 60)
    kernel.manager.interrupt_kernel()
    reply, messages = kernel.finish(cell)
    assert reply["status"] == "ok", reply
    assert any("Second." in str(message["content"]) for message in messages if message["msg_type"] == "execute_result")
    (path,) = tmp_path.glob("*.wav")
    assert loudest(path) > 2000


def test_the_recorder_uses_it_where_the_page_has_none(kernel, tmp_path):
    """A page asks for it, sees the level, and ends it; then the kernel is killed in the middle of another one."""
    kernel.run(f"r = codex_nb.Recorder(save={str(tmp_path)!r}); take = r._dictation.take")
    kernel.run("take({'kind': 'listen', 'id': 'ab12'})")
    assert until(lambda: float(kernel.value("r.shown.get('level', 0)")) > 0.5, 60)
    assert kernel.value("r.shown['phase']") == "'listening'"
    kernel.run("take({'kind': 'hush', 'id': 'ab12'})")
    assert kernel.value("(await r.result()).text") == "'Third.'"
    assert kernel.value("(r.recording.path.suffix, r.recording.duration > 0.1)") == "('.wav', True)"
    kernel.run("take({'kind': 'listen', 'id': 'cd34'})")
    assert until(lambda: any(path.stat().st_size > 16_000 for path in tmp_path.glob("*.wav.part")), 60)
    os.kill(int(kernel.value("__import__('os').getpid()")), signal.SIGKILL)
    (part,) = tmp_path.glob("*.wav.part")
    import av

    with av.open(str(part)) as file:
        assert sum(frame.samples for frame in file.decode(audio=0)) == (part.stat().st_size - 44) // 2
    assert loudest(part) > 2000


@pytest.mark.parametrize(
    ("before", "message", "hint"),
    [
        ("", "has no microphone", "codex-nb record"),
        ("import ctypes.util; ctypes.util.find_library = lambda name: None", "PortAudio is missing", "libportaudio2"),
        ("import sys; sys.modules['sounddevice'] = None", "sounddevice is not installed", "codex-nb[mic]"),
    ],
)
def test_without_a_microphone(tmp_path, before, message, hint):
    """Each state has its sentence and says what to do; no file is left."""
    if before != "import sys; sys.modules['sounddevice'] = None":
        require("pulse", missing())
    code = f"{before}\nfrom codex_nb.errors import AudioError\ntry:\n    {RECORD.format(str(tmp_path))}\n"
    code += "except AudioError as error:\n    print(error.message, error.hint)"
    environment = {**os.environ, "PULSE_SERVER": "unix:/nowhere", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert message in done.stdout, done.stderr
    assert hint in done.stdout
    assert not list(tmp_path.glob("*.wav*"))


def test_a_device_that_goes_away_ends_the_recording(tmp_path, monkeypatch):
    """What it gave until then is a whole file, however the device refuses to be closed."""

    class Gone:
        """A stream that gives one block, and then nothing: stands where PortAudio's would."""

        active = True

        def start(self):
            self.hear(b"\x00\x10" * 1600, 1600, None, type("Status", (), {"input_overflow": False}))
            self.active = False

        def stop(self):
            raise OSError("unplugged")

        close = stop

    stream = Gone()

    def opened(_device, hear):
        stream.hear = hear
        return stream, 16_000

    monkeypatch.setattr("codex_nb.notebook.hearing._open", opened)
    hearing = Hearing(Inbox(tmp_path, lambda _recording: None))
    assert not hearing.going
    recording = hearing.stop()
    assert recording is hearing.stop()
    assert recording.duration == pytest.approx(0.1)
    with wave.open(str(recording.path)) as file:
        assert file.getnframes() == 1600
