"""The model calls functions of the notebook: synchronous, asynchronous and failing ones, asked for or not."""

import json

import pytest
from jupyter_client.manager import start_new_kernel

from codex_nb.local import FunctionCall, LocalBackend, Script, Turn
from tests.notebook.shells import WAIT
from tests.notebook.test_kernel import SECONDS, Kernel, displays

SETUP = """
%reload_ext codex_nb
import codex_nb
codex_nb.connect({url!r}, auth=codex_nb.Bearer('made-up'), max_retries=0)
codex_nb.notebook.chats._known.clear()

def add(a: int, b: int) -> int:
    "Add."
    return a + b

def fail(why: str):
    "Fail."
    raise KeyError(why)
"""
CALLS = [
    FunctionCall("add", '{"a": 2, "b": 40}', call_id="c1"),
    FunctionCall("wait", "{}", call_id="c2"),
    FunctionCall("fail", '{"why": "no"}', call_id="c3"),
]


@pytest.fixture
def backend():
    """A scripted backend."""
    with LocalBackend(Script()) as backend:
        yield backend


@pytest.fixture(scope="module")
def shared():
    """One kernel for the module."""
    kernel = Kernel(*start_new_kernel(kernel_name="python3"))
    kernel.run("import codex_nb.notebook.chats")
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(shared, backend):
    """The kernel with three functions, and nothing asked yet."""
    reply, _ = shared.run(SETUP.format(url=backend.url) + WAIT)
    assert reply["status"] == "ok", reply
    return shared


def outputs(backend):
    """Return what the model was told of its calls."""
    items = backend.requests[-1].body["input"]
    return {item["call_id"]: item["output"] for item in items if item.get("type") == "function_call_output"}


def test_three_tools_in_parallel_and_no_queued_cell_is_lost(kernel, backend):
    """Results and failures go to the model; the cells behind run, in order."""
    backend.add(Turn(text="Let me see.", calls=CALLS), Turn(text="It is 42."))
    first = kernel.start("%%codex -t add -t wait -t fail --approve always -o a\nhow much?")
    rest = [kernel.start(f"n = {number}") for number in range(5)]
    reply, messages = kernel.finish(first)
    assert reply["status"] == "ok"
    for each in rest:
        assert kernel.reply(each)["status"] == "ok"
    told = outputs(backend)
    assert told["c1"] == "42"
    assert told["c2"] == "from the kernel's loop"
    assert told["c3"] == "The call failed with KeyError: 'no'"
    answer, line = displays(messages)
    assert answer["text/plain"] == "Let me see.\n\nIt is 42."
    assert "3 tool calls" in line["text/plain"]
    assert "add(a=2, b=40) → 42" in line["text/plain"]
    assert "<details" in line["text/html"]
    assert kernel.value("[(c.name, c.status) for c in a.tool_calls]") == str(
        [("add", "done"), ("wait", "done"), ("fail", "failed")]
    )
    assert kernel.value("n") == "4"
    names = [tool["name"] for tool in backend.requests[-1].body["tools"]]
    assert names == ["add", "wait", "fail"]


def typed(kernel, code, *answers):
    """Run a cell and type ``answers`` when it asks; return its reply and the questions."""
    message = kernel.client.execute(code, allow_stdin=True)
    asked = []
    for answer in answers:
        question = kernel.client.get_stdin_msg(timeout=SECONDS)
        asked.append(question["content"]["prompt"])
        kernel.client.input(answer)
    return kernel.finish(message)[0], asked


def test_calls_are_approved_at_the_prompt(kernel, backend):
    """Each call is shown with its arguments; a no is told to the model."""
    backend.add(Turn(calls=[CALLS[0], FunctionCall("add", '{"a": 1, "b": 1}', call_id="c9")]), Turn(text="Done."))
    reply, asked = typed(kernel, "%%codex -t add -o a\nx", "y", "n")
    assert reply["status"] == "ok"
    assert "add(a=2, b=40)" in asked[0]
    assert outputs(backend) == {"c1": "42", "c9": "The user did not allow this call."}
    assert kernel.value("[c.status for c in a.tool_calls]") == "['done', 'denied']"


def test_always_holds_for_the_cell(kernel, backend):
    """One answer for all its calls; the next cell asks again."""
    backend.add(Turn(calls=[CALLS[0]]), Turn(calls=[CALLS[0]]), Turn(text="Done."))
    _, asked = typed(kernel, "%%codex -t add\nx", "always")
    assert len(asked) == 1
    backend.add(Turn(calls=[CALLS[0]]), Turn(text="Done."))
    _, asked = typed(kernel, "%%codex -t add\nx", "no")
    assert len(asked) == 1


def test_without_anybody_to_ask_the_answer_is_no(kernel, backend):
    """A kernel without input denies, and goes on."""
    backend.add(Turn(calls=[CALLS[0]]), Turn(text="Then not."))
    message = kernel.client.execute("%%codex -t add\nx", allow_stdin=False)
    reply, _ = kernel.finish(message)
    assert reply["status"] == "ok"
    assert outputs(backend) == {"c1": "The user did not allow this call."}


def test_calls_that_cannot_be_made_are_told_to_the_model(kernel, backend):
    """A tool that is not there, and arguments that do not validate."""
    calls = [FunctionCall("sub", "{}", call_id="c1"), FunctionCall("add", '{"a": "x"}', call_id="c2")]
    backend.add(Turn(calls=calls), Turn(text="Sorry."))
    kernel.run("%%codex -t add --approve always\nx")
    told = outputs(backend)
    assert "no tool 'sub'" in told["c1"]
    assert "do not validate" in told["c2"]


def test_a_model_that_never_stops_calling_is_stopped(kernel, backend):
    """After so many rounds it is an error, and what was said is kept."""
    backend.add(*[Turn(text="again", calls=[CALLS[0]])] * 20)
    reply, _ = kernel.run("%%codex -t add --approve always\nx")
    assert reply["ename"] == "ToolError"
    assert "16 rounds" in reply["evalue"]


def test_a_conversation_remembers_its_calls(kernel, backend):
    """The next cell sends the calls and their results along."""
    backend.add(Turn(calls=[CALLS[0]]), Turn(text="It is 42."), Turn(text="Yes."))
    kernel.run("%%codex -t add --approve always\nx")
    kernel.run("%%codex\nsure?")
    kinds = [item.get("type", "message") for item in backend.requests[-1].body["input"]]
    assert kinds == ["message", "function_call", "function_call_output", "message", "message"]
    assert json.loads(backend.requests[-1].body["input"][1]["arguments"]) == {"a": 2, "b": 40}


def test_what_is_no_function_is_no_tool(kernel, backend):
    """It is said before anything is sent."""
    reply, _ = kernel.run("%%codex -t SETUP -t 3\nx")
    assert reply["ename"] == "InvalidOption"
    reply, _ = kernel.run("%%codex -t 3\nx")
    assert reply["ename"] == "ToolError"
    assert backend.requests == []
