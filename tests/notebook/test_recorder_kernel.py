"""The recorder in a real kernel: what a page would send, and a kernel that is killed in the middle."""

import hashlib
import io
import os
import signal
from array import array
from importlib.util import find_spec
from math import sin

import pytest
from jupyter_client.manager import start_new_kernel

from tests.notebook.test_kernel import Kernel
from tests.requirements_gate import require

SECONDS = 6
KEY = "fedcba9876543210"


def sound():
    """Return a few seconds of tone as a browser would record them: Opus in WebM, written to be streamed."""
    import av

    file = io.BytesIO()
    rate = 48_000
    with av.open(file, "w", format="webm", options={"live": "1"}) as out:
        stream = out.add_stream("libopus", rate=rate, layout="mono")
        samples = array("h", (int(8000 * sin(i / 17)) for i in range(rate * SECONDS)))
        for at in range(0, len(samples), 960):
            frame = av.AudioFrame(format="s16", layout="mono", samples=960)
            frame.planes[0].update(samples[at : at + 960].tobytes())
            frame.sample_rate, frame.pts = rate, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def played(path):
    """Return the seconds that decode of a file."""
    import av

    found = 0.0
    with av.open(str(path)) as file:
        for packet in file.demux(audio=0):
            try:
                found += sum(frame.samples / frame.sample_rate for frame in packet.decode())
            except av.error.InvalidDataError:
                break
    return found


class Page:
    """What a page does, by messages on the kernel's shell channel."""

    def __init__(self, kernel, comm):
        self.kernel, self.comm = kernel, comm

    def send(self, kind, *buffers, **facts):
        """Send a message; return the kernel's answer to it."""
        content = {"method": "custom", "content": {"kind": kind, "id": KEY, **facts}}
        client = self.kernel.client
        client.session.send(
            client.shell_channel.socket, "comm_msg", {"comm_id": self.comm, "data": content}, buffers=list(buffers)
        )
        while True:
            message = client.get_iopub_msg(timeout=20)
            data = message["content"].get("data", {})
            if message["msg_type"] == "comm_msg" and data.get("method") == "custom":
                return data["content"]


@pytest.fixture
def page(tmp_path):
    """A recorder in a kernel of its own, and its page."""
    require("av", None if find_spec("av") else "the package av is missing")
    manager, client = start_new_kernel(kernel_name="python3")
    kernel = Kernel(manager, client)
    hear = "lambda recording, **options: Transcript(text=str(recording.path.stat().st_size))"
    reply, _ = kernel.run(
        "import codex_nb\nfrom codex_nb.types.audio import Transcript\n"
        f"r = codex_nb.Recorder(save={str(tmp_path)!r}, transcriber={hear})"
    )
    assert reply["status"] == "ok", reply
    yield Page(kernel, kernel.value("r.comm.comm_id").strip("'"))
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_killed_kernel_leaves_what_had_arrived(page, tmp_path):
    """Each byte that was acknowledged is on the disk, and the file plays as far as it goes."""
    whole = sound()
    page.send("begin", type="audio/webm;codecs=opus", asked=1)
    half = len(whole) * 6 // 10
    for at in range(0, half, 4096):
        answer = page.send("chunk", whole[at : min(at + 4096, half)], at=at)
    assert answer["have"] == half
    pid = page.kernel.value("__import__('os').getpid()")
    os.kill(int(pid), signal.SIGKILL)
    (path,) = tmp_path.glob("*.webm.part")
    assert path.read_bytes() == whole[:half]
    assert played(path) == pytest.approx(SECONDS * 0.6, abs=0.5)


def test_the_result_comes_in_a_cell_that_waits_and_in_one_after_it(page, tmp_path):
    """A page sends, the kernel writes and transcribes; ``_transcript`` is the last text."""
    data = sound()
    page.send("begin", type="audio/webm", asked=1)
    page.send("chunk", data, at=0)
    sha256 = hashlib.sha256(data).hexdigest()
    assert page.send("end", size=len(data), sha256=sha256, seconds=SECONDS, asked=1)["whole"]
    assert page.kernel.value("(await r.result()).text") == repr(str(len(data)))
    assert page.kernel.value("(_transcript is r.transcript, r.recording.duration, r.recording.whole)") == (
        f"(True, {float(SECONDS)}, True)"
    )
    (path,) = tmp_path.glob("*.webm")
    assert played(path) == pytest.approx(SECONDS, abs=0.3)
