"""A room with a tone in it: PulseAudio's null sink, whose monitor is the machine's microphone."""

import contextlib
import os
import shutil
import subprocess

import numpy as np

from tests.requirements_gate import require
from tests.sounds import wav
from tests.waiting import until


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


@contextlib.contextmanager
def room(folder):
    """Give the environment in which a tone is heard."""
    require("pulse", missing())
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
    assert until((folder / "native").exists, 60)
    tone = folder / "tone.wav"
    tone.write_bytes(wav((8000 * np.sin(np.arange(16_000 * 120) / 6)).astype(np.int16)))
    player = subprocess.Popen(["paplay", tone], env=environment, stderr=subprocess.DEVNULL)
    yield environment
    for process in (player, server):
        process.terminate()
        process.wait()
