"""The kernel's own microphone: PulseAudio's null sink, in which a tone is played, is the room it stands in."""

import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from array import array

import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel

from codex_nb.local import LocalBackend, Script
from codex_nb.notebook.hearing import Hearing
from codex_nb.notebook.recordings import Inbox
from tests.notebook.test_kernel import Kernel
from tests.requirements_gate import require
from tests.sounds import wav

RECORD = "from codex_nb.notebook.listening import record_here; record_here(None, seconds=1, save={!r})"


def missing():
    """Return why nothing can be heard here, None if it can."""
    programs = [name for name in ("pulseaudio", "paplay") if not shutil.which(name)]
    if programs:
        return f"{' and '.join(programs)} are not installed"
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError) as error:
        return f"sounddevice: {error}"
    return None


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Return the environment in which a tone is heard."""
    require("pulse", missing())
    folder = tmp_path_factory.mktemp("pulse")
    script = folder / "room.pa"
    script.write_text(
        f"load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native\n"
        "load-module module-null-sink sink_name=room\nset-default-source room.monitor\n"
    )
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
    environment["PULSE_SERVER"] = f"unix:{folder}/native"
    server = subprocess.Popen(
        ["pulseaudio", "-n", "-F", script, "--exit-idle-time=-1", "--use-pid-file=no", "--daemonize=no"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    until((folder / "native").exists)
    tone = folder / "tone.wav"
    tone.write_bytes(wav((8000 * np.sin(np.arange(16_000 * 120) / 6)).astype(np.int16)))
    player = subprocess.Popen(["paplay", tone], env=environment, stderr=subprocess.DEVNULL)
    yield environment
    for process in (player, server):
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def kernel(room):
    """A kernel in that room, with a backend that has something to say to what it hears."""
    manager, client = start_new_kernel(kernel_name="python3", env=room)
    kernel = Kernel(manager, client)
    with LocalBackend(Script(transcripts=["First.", "Second.", "Third."])) as backend:
        reply, _ = kernel.run(
            f"%load_ext codex_nb\nimport codex_nb\n_ = codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('x'))"
        )
        assert reply["status"] == "ok", reply
        yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def until(fact):
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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
    until(lambda: any(path.stat().st_size > 8000 for path in tmp_path.glob("*.wav.part")))
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
    until(lambda: float(kernel.value("r.shown.get('level', 0)")) > 0.5)
    assert kernel.value("r.shown['phase']") == "'listening'"
    kernel.run("take({'kind': 'hush', 'id': 'ab12'})")
    assert kernel.value("(await r.result()).text") == "'Third.'"
    assert kernel.value("(r.recording.path.suffix, r.recording.duration > 0.1)") == "('.wav', True)"
    kernel.run("take({'kind': 'listen', 'id': 'cd34'})")
    until(lambda: any(path.stat().st_size > 16_000 for path in tmp_path.glob("*.wav.part")))
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
