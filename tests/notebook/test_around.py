"""The painter in a kernel, with all that can stand around an answer, in plain cells and captured ones."""

import pytest
from jupyter_client.manager import start_new_kernel

from codex_nb.local import FunctionCall, LocalBackend, Script, Turn
from codex_nb.local.pieces import Item
from tests.notebook.test_kernel import Kernel, displays

THOUGHTS = ["**Reading**\n\nThe table is small.", "**Deciding**\n\nA bar chart."]
SEARCH = Item({"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "lisbon"}})
CITED = Item(
    {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [
            {
                "type": "output_text",
                "text": "It has 545 000 people.",
                "annotations": [{"type": "url_citation", "url": "https://city.example/lisbon", "title": "Lisbon"}],
            }
        ],
    }
)


@pytest.fixture(scope="module")
def shared():
    """One kernel for the module."""
    kernel = Kernel(*start_new_kernel(kernel_name="python3"))
    kernel.run("%load_ext codex_nb\nimport codex_nb")
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.fixture
def backend():
    """A scripted backend."""
    with LocalBackend(Script()) as backend:
        yield backend


@pytest.fixture
def kernel(shared, backend):
    """The kernel, connected."""
    shared.run(f"_s = codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('made-up'), max_retries=0)")
    return shared


def test_thoughts_stand_above_the_answer_in_an_output_of_their_own(kernel, backend):
    """Three outputs from the first moment to the last, none of them ever taken away."""
    backend.add(Turn(reasoning=THOUGHTS, text="Bars.", pause=0.01))
    _, messages = kernel.run("%%codex --summary auto -n -o a\nwhich plot?")
    thoughts, answer, line = displays(messages)
    assert thoughts["text/plain"] == "\n\n".join(THOUGHTS)
    assert "<summary>Thoughts</summary>" in thoughts["text/markdown"]
    assert answer["text/plain"] == "Bars."
    assert "gpt" in line["text/plain"]
    kinds = [m["msg_type"] for m in messages if "data" in m["content"] and "transient" in m["content"]]
    assert kinds.count("display_data") == 3
    assert "clear_output" not in [m["msg_type"] for m in messages]
    assert kernel.value("a.summary") == repr("\n\n".join(THOUGHTS))


def test_thoughts_that_were_not_asked_for_take_no_room(kernel, backend):
    """They are kept with the answer."""
    backend.add(Turn(reasoning=THOUGHTS, text="Bars."))
    _, messages = kernel.run("%%codex -n\nx")
    assert len(displays(messages)) == 2
    assert "Reading" in kernel.value("_codex.summary")


def test_a_message_that_comes_whole_is_painted_with_its_sources(kernel, backend):
    """Some servers send no deltas."""
    backend.add(Turn(calls=[SEARCH, CITED]))
    _, messages = kernel.run("%%codex --web -n\nhow many people?")
    answer, line = displays(messages)
    assert answer["text/plain"] == "It has 545 000 people."
    assert "searched for lisbon" in line["text/plain"]
    assert "[1] Lisbon: https://city.example/lisbon" in line["text/plain"]
    assert 'href="https://city.example/lisbon"' in line["text/html"]
    assert kernel.value("_codex.sources[0].title") == "'Lisbon'"


def test_all_rounds_of_a_tool_loop_think_into_one_fold(kernel, backend):
    """Calls do not add outputs, and the exception of one is told."""
    kernel.run("def fail():\n    raise ValueError('no file')")
    backend.add(
        Turn(reasoning=THOUGHTS[:1], calls=[FunctionCall("fail", "{}")]), Turn(reasoning=THOUGHTS[1:], text="Then not.")
    )
    _, messages = kernel.run("%%codex --summary auto -t fail --approve always -n\nx")
    thoughts, answer, line = displays(messages)
    assert thoughts["text/plain"] == "\n\n".join(THOUGHTS)
    assert answer["text/plain"] == "Then not."
    assert "The tool fail raised ValueError: no file" in line["text/plain"]


def test_thoughts_of_a_stopped_answer_are_kept(kernel, backend):
    """What was shown of them stays, folded."""
    backend.add(Turn(reasoning=["**Long**\n\n" + "word " * 500], text="never", pause=0.02))
    message = kernel.start("%%codex --summary auto -n\nx")
    while "Thinking: Long" not in str(kernel.client.get_iopub_msg(timeout=20)["content"]):
        pass
    kernel.manager.interrupt_kernel()
    reply, messages = kernel.finish(message)
    assert reply["ename"] == "Stopped"
    assert any("<summary>Thoughts</summary>" in str(data.get("text/markdown")) for data in displays(messages))


def test_capture_and_replay_keep_the_last_state(kernel, backend):
    """%%capture holds three outputs, whose last states are the thoughts, the answer and the receipt."""
    backend.add(Turn(reasoning=THOUGHTS, text="Bars. " * 20, pause=0.01))
    _, messages = kernel.run("%%capture held\nimport codex_nb\na = codex_nb.ask('x', summary='auto', new=True)")
    assert displays(messages) == []
    _, messages = kernel.run("held.show()")
    thoughts, answer, line = displays(messages)
    assert "<summary>Thoughts</summary>" in thoughts["text/markdown"]
    assert answer["text/plain"] == "Bars. " * 20
    assert "gpt" in line["text/plain"]


def test_an_output_widget_takes_all_of_it(kernel, backend):
    """What is painted by the helper thread, too, goes into the widget and nowhere else."""
    backend.add(Turn(reasoning=THOUGHTS, text="Bars. " * 20, pause=0.03))
    _, messages = kernel.run(
        "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    a = codex_nb.ask('x', summary='auto', new=True)"
    )
    comms = [m for m in messages if m["msg_type"] in {"comm_msg", "comm_open"}]
    assert any("msg_id" in str(m["content"]) for m in comms)
    parents = {m["parent_header"]["msg_id"] for m in messages if m["msg_type"].endswith("display_data")}
    assert len(parents) == 1
    assert displays(messages)[1]["text/plain"] == "Bars. " * 20
