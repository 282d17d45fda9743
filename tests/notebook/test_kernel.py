"""The magic in a real kernel: outputs, interrupts and the queue of cells behind it."""

import time

import pytest
from jupyter_client.manager import start_new_kernel

from codex_nb.local import Fault, LocalBackend, Script, Turn
from tests.waiting import until

SECONDS = 20


class Kernel:
    """A kernel under test: cells go in, their outputs come back."""

    def __init__(self, manager, client):
        self.manager, self.client = manager, client

    def start(self, cell):
        """Queue a cell; return its message id."""
        return self.client.execute(cell, stop_on_error=True)

    def finish(self, message_id):
        """Wait for a cell; return its reply and its iopub messages."""
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        return self.reply(message_id), messages

    def reply(self, message_id):
        """Wait for the reply to a cell."""
        while True:
            reply = self.client.get_shell_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == message_id:
                return reply["content"]

    def run(self, cell):
        """Run a cell to its end."""
        return self.finish(self.start(cell))

    def value(self, expression):
        """Return the repr of an expression."""
        _, messages = self.run(f"print(repr({expression}))")
        return "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream").strip()


@pytest.fixture(scope="module")
def kernel():
    """One kernel for the module, with the extension loaded."""
    manager, client = start_new_kernel(kernel_name="python3")
    kernel = Kernel(manager, client)
    reply, _ = kernel.run("%load_ext codex_nb\nimport codex_nb")
    assert reply["status"] == "ok", reply
    yield kernel
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def backend(kernel):
    """A scripted backend in this process that the kernel's session talks to."""
    with LocalBackend(Script()) as backend:
        kernel.run(f"_s = codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('made-up'), timeout=5, max_retries=0)")
        yield backend


def displays(messages):
    """Return the outputs as a front end would keep them: the last state of each display id, in order."""
    kept = {}
    for message in messages:
        if message["msg_type"] in {"display_data", "update_display_data"}:
            kept[message["content"]["transient"]["display_id"]] = message["content"]["data"]
    return list(kept.values())


def test_the_saved_output_is_the_answer_and_its_receipt(kernel, backend):
    """One Markdown output with the text itself as plain text, one line below it, whatever came in between."""
    text = "# Title\n\n<script>alert(1)</script> and `code`.\n"
    backend.add(Turn(text=[text[i : i + 3] for i in range(0, len(text), 3)], pause=0.01))
    reply, messages = kernel.run("%%codex\nx")
    assert reply["status"] == "ok"
    answer, line = displays(messages)
    assert answer["text/plain"] == text
    assert "<script" not in answer["text/markdown"]
    assert answer["text/markdown"].startswith("# Title")
    assert "gpt-6.1-sol" in line["text/plain"]
    assert sum(m["msg_type"] == "display_data" for m in messages) == 2


def test_a_slow_start_counts_the_seconds(kernel, backend):
    """Something stands in the cell at once, and goes on."""
    backend.add(Turn(text="late", delay=2.4))
    _, messages = kernel.run("%%codex\nx")
    shown = [m["content"]["data"].get("text/markdown", "") for m in messages if "data" in m["content"]]
    waiting = [text for text in shown if "Waiting for" in text]
    assert waiting
    assert any("1 s" in text for text in waiting)
    assert any("2 s" in text for text in waiting)
    assert "Waiting" not in displays(messages)[0]["text/markdown"]


def test_text_before_a_pause_of_the_stream_is_painted(kernel, backend):
    """A delta that came just after a painting does not wait for the next one."""
    backend.add(Turn(text=["one ", "two ", "three "]))
    backend.inject(Fault.silence(8, after_events=7))
    message_id = kernel.start("%%codex\nx")
    assert until(lambda: backend.open_streams == 1, SECONDS)
    seen = ""
    while backend.open_streams and seen != "one two three ":
        message = kernel.client.get_iopub_msg(timeout=SECONDS)
        seen = message["content"].get("data", {}).get("text/markdown", seen)
    assert backend.open_streams == 1
    kernel.manager.interrupt_kernel()
    kernel.finish(message_id)


def test_interrupt_keeps_the_partial_answer_and_closes_the_connection(kernel, backend):
    """It is quick, one line, and the next cell works."""
    backend.add(Turn(text=["word "] * 4000, pause=0.02))
    message_id = kernel.start("%%codex -o stopped\nx")
    assert until(lambda: backend.open_streams == 1, SECONDS)
    time.sleep(0.5)
    asked = time.monotonic()
    kernel.manager.interrupt_kernel()
    reply, messages = kernel.finish(message_id)
    assert time.monotonic() - asked < 20
    assert (reply["status"], reply["ename"]) == ("error", "Stopped")
    assert len(reply["traceback"]) == 1
    assert until(lambda: backend.open_streams == 0, SECONDS)
    answer, line = displays(messages)
    assert answer["text/plain"].startswith("word word ")
    assert "stopped" in line["text/plain"]
    assert kernel.value("stopped.status") == "'interrupted'"
    assert kernel.value("stopped.text") == repr(answer["text/plain"])
    assert kernel.value("_s._core.transport.client()._transport._pool.connections") == "[]"
    backend.add(Turn(text="fine again"))
    reply, messages = kernel.run("%%codex\nx")
    assert reply["status"] == "ok"
    assert displays(messages)[0]["text/plain"] == "fine again"


def test_interrupt_before_the_first_byte_stops_too(kernel, backend):
    """A request that gets no answer can be stopped."""
    backend.add(Turn(text="never", delay=30))
    message_id = kernel.start("%%codex\nx")
    assert until(lambda: any(r.path.endswith("/responses") for r in backend.requests), SECONDS)
    time.sleep(0.2)
    asked = time.monotonic()
    kernel.manager.interrupt_kernel()
    reply, _ = kernel.finish(message_id)
    assert time.monotonic() - asked < 20
    assert reply["ename"] == "Stopped"


def test_run_all_stops_at_a_failing_cell(kernel, backend):
    """The cells queued behind it are not run."""
    backend.inject(Fault.server_error(500))
    first = kernel.start("%%codex\nx")
    second = kernel.start("after = 1")
    reply = kernel.reply(first)
    assert (reply["status"], reply["ename"]) == ("error", "InternalServerError")
    assert len(reply["traceback"]) == 2
    assert kernel.reply(second)["status"] == "aborted"
    kernel.run("1")  # the abort lasts as long as the queue


def test_queued_cells_all_run(kernel, backend):
    """Ten cells sent at once come out in their order, none lost."""
    ids = [kernel.start(f"%%codex -o a{i} -q\nquestion {i}") for i in range(10)]
    assert [kernel.reply(i)["status"] for i in ids] == ["ok"] * 10
    for i in range(10):
        assert f"question {i}" in kernel.value(f"a{i}.text")


def test_capture_takes_the_answer(kernel, backend):
    """%%capture holds the outputs instead of the page."""
    kernel.run("%%capture held\nimport codex_nb\n_ = codex_nb.ask('x')")
    assert kernel.value("len({output.transient['display_id'] for output in held.outputs})") == "2"
