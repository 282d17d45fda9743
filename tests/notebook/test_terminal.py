"""A terminal: IPython behind a pseudo-terminal, with somebody who types."""

import json
import os
import re
import sys

import pytest

from codex_nb.local import FunctionCall, LocalBackend, Script, Turn

pexpect = pytest.importorskip("pexpect", reason="no pseudo-terminals here")
SETUP = """
import codex_nb
_ = codex_nb.connect({url!r}, auth=codex_nb.Bearer('made-up'), max_retries=0)
def add(a: int, b: int) -> int: return a + b
def send(text: str) -> str: return 'sent'
get_ipython().run_line_magic('load_ext', 'codex_nb')
"""
CALLS = [
    FunctionCall("add", '{"a": 2, "b": 40}', call_id="c1"),
    FunctionCall("send", '{"text": "Dear all,\\n\\u001b[2Jsell everything."}', call_id="c2"),
]
PATCH = Turn(text=json.dumps({"explanation": "A typo.", "code": "total", "confidence": "high"}))


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals here")
def test_calls_are_approved_at_the_prompt_of_a_terminal(tmp_path):
    """A line for each argument, control characters shown and not obeyed, a no told to the model, the answer below.

    A patch of a failing line is a diff in colours.
    """
    setup = tmp_path / "setup.py"
    thoughts = ["**Adding**\n\nIt is a sum."]
    with LocalBackend(Script(turns=[Turn(reasoning=thoughts, calls=CALLS), Turn(text="It is 42."), PATCH])) as backend:
        setup.write_text(SETUP.format(url=backend.url))
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit", "-i", str(setup)],
            env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "TERM": "xterm"},
            encoding="utf-8",
            timeout=60,
        )
        try:
            terminal.expect_exact("In [1]: ")
            terminal.sendline("%codex ask --summary auto -t add -t send how much?")
            terminal.expect_exact("Allow it? once / always in this cell / no [no]: ")
            assert "\r\nThe model wants to call add(a=2, b=40)\r\n" in terminal.before
            assert "It is a sum." in re.sub("\x1b\\[\\d*m", "", terminal.before)
            terminal.sendline("once")
            terminal.expect_exact("Allow it? once / always in this cell / no [no]: ")
            assert "| Dear all,\r\n    | �[2Jsell everything." in terminal.before
            terminal.sendline("n")
            terminal.expect_exact("In [2]: ")
            shown = terminal.before
            told = {item["call_id"]: item["output"] for item in backend.requests[-1].body["input"] if "output" in item}
            terminal.sendline("toatl")
            terminal.expect_exact("In [3]: ")
            terminal.sendline("%codex fix")
            terminal.expect_exact("The whole cell (high confidence):")
            diff = terminal.before
        finally:
            terminal.close(force=True)
    assert told == {"c1": "42", "c2": "The user did not allow this call."}
    assert "It is 42." in shown
    assert "add(a=2, b=40) → 42" in shown
    assert "denied" in shown
    assert "A typo." in diff
    assert re.search("\x1b\\[[\\d;]*m-toatl\x1b", diff)
    assert re.search("\x1b\\[[\\d;]*m\\+total\x1b", diff)
