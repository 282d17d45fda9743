"""Conversations in a notebook: they go on from cell to cell, and over a restart of the kernel."""

import pytest
from jupyter_client.manager import start_new_kernel

from codex_nb.local import LocalBackend, Script, Turn
from tests.notebook.test_kernel import Kernel, displays
from tests.waiting import until

SETUP = """
%reload_ext codex_nb
import codex_nb, codex_nb.notebook.chats, os
os.environ["JPY_SESSION_NAME"] = {notebook!r}
codex_nb.notebook.chats._known.clear()
codex_nb.connect({url!r}, auth=codex_nb.Bearer("made-up"), max_retries=0);
"""


@pytest.fixture
def backend():
    """A backend that says what it was given."""
    with LocalBackend(Script(reply=lambda ask: Turn(text=f"{len(ask.items)} items"))) as backend:
        yield backend


def started(backend, folder):
    """Start a kernel of the notebook sales.ipynb."""
    kernel = Kernel(*start_new_kernel(kernel_name="python3"))
    opened(kernel, backend, folder)
    return kernel


def opened(kernel, backend, folder):
    """Let a kernel be that of the notebook sales.ipynb, with nothing asked yet."""
    reply, _ = kernel.run(SETUP.format(url=backend.url, notebook=str(folder / "sales.ipynb")))
    assert reply["status"] == "ok", reply


def stop(kernel):
    """Stop a kernel."""
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def shared():
    """One kernel for the module."""
    kernel = Kernel(*start_new_kernel(kernel_name="python3"))
    yield kernel
    stop(kernel)


@pytest.fixture
def kernel(shared, backend, tmp_path):
    """The kernel as that of a new notebook."""
    opened(shared, backend, tmp_path)
    return shared


def ask(kernel, text, *, cell=None, options=""):
    """Run a cell with an id, as a front end does; return its answer and its receipt."""
    client = kernel.client
    message = client.session.msg("execute_request", {"code": f"%%codex {options}\n{text}", "silent": False})
    message["metadata"]["cellId"] = cell
    client.shell_channel.send(message)
    reply, messages = kernel.finish(message["header"]["msg_id"])
    assert reply["status"] == "ok", reply
    answer, line = displays(messages)
    return answer["text/plain"], line["text/plain"]


def sent(backend):
    """Return the texts of the last request."""
    return [item["content"][0]["text"].strip() for item in backend.requests[-1].body["input"] if "content" in item]


def test_a_conversation_goes_on_after_a_restart(backend, tmp_path):
    """A new kernel of the same notebook knows what was said; the receipt says what was sent."""
    first = started(backend, tmp_path)
    assert "sent" not in ask(first, "one", cell="a")[1]
    assert "1 turn sent" in ask(first, "two", cell="b")[1]
    stop(first)
    second = started(backend, tmp_path)
    assert "2 turns sent" in ask(second, "three", cell="c")[1]
    assert sent(backend) == ["one", "1 items", "two", "3 items", "three"]
    # A cell of the first kernel's time is known by its id, too.
    assert "1 turn sent · 1 later turn not asked again" in ask(second, "two, but better", cell="b")[1]
    second.run("t = get_ipython().run_line_magic('codex', 'chats')")
    assert second.value("t[['prompt', 'stale']].values.tolist()") == str(
        [["one", False], ["two, but better", False], ["three", True]]
    )
    stop(second)


def test_a_cell_that_runs_again_has_no_twin(kernel, backend):
    """It replaces its turn, and the receipt says that later ones are older than it."""
    for cell in "abc":
        ask(kernel, cell, cell=cell)
    assert "1 turn sent · 1 later turn not asked again" in ask(kernel, "better", cell="b")[1]
    assert sent(backend) == ["a", "1 items", "better"]
    ask(kernel, "d", cell="d")
    assert [text for text in sent(backend) if "items" not in text] == ["a", "better", "c", "d"]


def test_options_choose_what_is_sent(kernel, backend):
    """Another chat, a new beginning, an earlier turn, a few turns."""
    for cell in "abc":
        ask(kernel, cell, cell=cell)
    ask(kernel, "other", cell="x", options="-c plans")
    assert sent(backend) == ["other"]
    ask(kernel, "short", cell="y", options="--turns 1")
    assert sent(backend) == ["c", "5 items", "short"]
    ask(kernel, "back", cell="z", options="--at 1")
    assert sent(backend) == ["a", "1 items", "back"]
    ask(kernel, "anew", cell="n", options="-n")
    assert sent(backend) == ["anew"]
    reply, _ = kernel.run("%%codex --at 7\nx")
    assert reply["ename"] == "InvalidOption"


def test_chats_are_a_table(kernel, backend):
    """One row a turn; a turn of a line that was left has no number."""
    assert kernel.value("len(get_ipython().run_line_magic('codex', 'chats'))") == "0"
    ask(kernel, "one", cell="a")
    ask(kernel, "two", cell="b", options="-n")
    ask(kernel, "plan", cell="c", options="-c plans")
    kernel.run("t = get_ipython().run_line_magic('codex', 'chats')")
    assert kernel.value("t[['chat', 'prompt']].values.tolist()") == str(
        [["default", "one"], ["default", "two"], ["plans", "plan"]]
    )
    assert kernel.value("t.turn.fillna(0).tolist()") == "[0, 1, 1]"
    assert kernel.value("(str(t['at'].dtype), str(t.turn.dtype))") == "('datetime64[us, UTC]', 'Int64')"


def test_what_was_stopped_is_not_sent(kernel, backend):
    """An interrupted turn is kept apart."""
    ask(kernel, "one", cell="a")
    backend.add(Turn(text=["word "] * 4000, pause=0.02))
    message = kernel.start("%%codex\nlong")
    assert until(lambda: backend.open_streams)
    kernel.manager.interrupt_kernel()
    assert kernel.finish(message)[0]["ename"] == "Stopped"
    ask(kernel, "two", cell="b")
    assert sent(backend) == ["one", "1 items", "two"]


def test_several_questions_of_one_cell_follow_one_another(kernel, backend):
    """Each is a turn of its own, also when the cell runs again."""
    code = "from codex_nb import ask\na = ask('one', quiet=True); b = ask('two', quiet=True)"
    for _ in range(2):
        message = kernel.client.session.msg("execute_request", {"code": code, "silent": False})
        message["metadata"]["cellId"] = "a"
        kernel.client.shell_channel.send(message)
        kernel.finish(message["header"]["msg_id"])
    assert sent(backend) == ["one", "1 items", "two"]
