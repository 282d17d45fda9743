"""What the painter costs: iopub messages and bytes, and the kernel's CPU, beside an update for every delta.

Run by hand: ``uv run tests/bench/paint.py [tokens a second …]``. A backend in a process of its own sends 20 000 tokens
of 4 characters (headings, lists, code, tables, formulas) at each pace to a real kernel; messages are counted as they
leave the client's socket, before anything parses them. ``--tokens N`` sends fewer. ``--update-per-delta never`` leaves
the slow peer out. ``--browser ROUNDS`` (with ``--group browser``) shows the answer in JupyterLab instead, and measures
how long after the last token was sent the page has its end.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

sys.path.insert(0, str(Path(__file__).parents[2]))
CHARACTERS = 4
SECTION = """## Part {number}

Some *words* about the subject, with `code`, a [link](https://example.org/{number}) and $x_{number}^2 + 1$ in it.
They go on for a while, as the sentences of an answer do: one says what the part is about, the next one why it matters,
and a third how it follows from what was said before. There is seldom more than one formula in such a paragraph.

- first of several points that the text makes
- second one, **stronger** than the first
- a third, which is longer because it has a condition: only if the one above holds

| region | revenue |
|---|---:|
| North | {number} |

```python
def part_{number}(rows):
    return [row for row in rows if row < {number}]
```

"""
END = "\n\nThe very end."
CONNECT = """
%load_ext codex_nb
import codex_nb, time
_ = codex_nb.connect({url!r}, auth=codex_nb.Bearer('made-up'))
def cpu(): return time.process_time()
"""
# What one writes without a painter.
PER_DELTA = """
from IPython.display import Markdown, display
shown, text = display(Markdown(''), display_id=True), ''
with codex_nb.session().responses.stream(input='x', model='gpt-5.4') as stream:
    for delta in stream.text_deltas():
        text += delta
        shown.update(Markdown(text))
"""
WAYS = {
    "nothing shown (-q)": "%%codex -q -n\nx",
    "the painter": "%%codex -n\nx",
    "update per delta": PER_DELTA,
}


def answer(tokens):
    """Return the text, cut into tokens."""
    size, number, parts = tokens * CHARACTERS - len(END), 0, []
    while sum(map(len, parts)) < size:
        parts.append(SECTION.format(number=(number := number + 1)))
    text = "".join(parts)[:size] + END
    return [text[at : at + CHARACTERS] for at in range(0, len(text), CHARACTERS)]


class Paced:
    """An engine that sends tokens when they are due, however late the one before was."""

    name = "paced"

    def __init__(self, tokens, pace, ended):
        from codex_nb.local.catalogue import scripted_rows

        self.rows, self._tokens, self._pace, self._ended = scripted_rows(), tokens, pace, ended

    async def answer(self, ask):
        """Begin."""
        from codex_nb.local.pieces import Answer

        return Answer(self._pieces(), ask.model)

    async def _pieces(self):
        from codex_nb.local.pieces import Text

        began = time.monotonic()
        for number, token in enumerate(self._tokens):
            due = began + number / self._pace.value - time.monotonic()
            if due > 0.001:
                await asyncio.sleep(due)
            yield Text(token)
        self._ended.value = time.time()

    def close(self):
        """Hold nothing."""


def serve(tokens, pace, ended, address):
    """Serve in a process of its own, until it is terminated."""
    from codex_nb.local import LocalBackend

    with LocalBackend(Paced(tokens, pace, ended)) as backend:
        address.send(backend.url)
        time.sleep(3_600)


class Kernel:
    """A kernel whose iopub messages are counted raw."""

    def __init__(self, url):
        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.run(CONNECT.format(url=url))

    def run(self, cell):
        """Run a cell; return the display messages, all iopub bytes, and what was printed."""
        asked = self.client.execute(cell)
        socket = self.client.iopub_channel.socket
        shown = sent = 0
        printed = []
        while True:
            frames = socket.recv_multipart()
            at = frames.index(b"<IDS|MSG>")
            if json.loads(frames[at + 3]).get("msg_id") != asked:
                continue
            kind = json.loads(frames[at + 2])["msg_type"]
            sent += sum(map(len, frames))
            shown += kind in {"display_data", "update_display_data"}
            if kind == "error":
                raise RuntimeError(json.loads(frames[at + 5])["evalue"])
            if kind == "stream":
                printed.append(json.loads(frames[at + 5])["text"])
            if kind == "status" and json.loads(frames[at + 5])["execution_state"] == "idle":
                return shown, sent, "".join(printed)

    def cpu(self):
        """Return the kernel's seconds of CPU."""
        return float(self.run("print(cpu())")[2])

    def stop(self):
        """Stop it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def measure(kernel, cell):
    """Return messages, bytes, seconds of CPU and of the clock."""
    before, began = kernel.cpu(), time.monotonic()
    shown, sent, _ = kernel.run(cell)
    wall = time.monotonic() - began
    return shown, sent, kernel.cpu() - before, wall


def behind(url, ended):
    """Return the seconds between the last token that was sent and the end of the answer on a page of JupyterLab."""
    import nbformat
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS, TOKEN, Notebook, Server

    folder = tempfile.TemporaryDirectory()
    server = Server(Path(folder.name))
    node = nbformat.v4.new_notebook()
    node.cells = [nbformat.v4.new_code_cell(cell) for cell in (CONNECT.format(url=url), WAYS["the painter"])]
    node.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(node, server.folder / "paint.ipynb")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = browser.new_page(viewport={"width": 1100, "height": 900})
            page.goto(f"{server.url}/lab/tree/paint.ipynb?token={TOKEN}&reset")
            notebook = Notebook(page, server.folder / "paint.ipynb")
            notebook.ready()
            notebook.run(0)
            notebook.evaluate(WATCH)
            devtools = page.context.new_cdp_session(page)
            devtools.send("Performance.enable")
            ended.value = 0
            notebook.start(1)
            page.wait_for_function("() => window.ended", timeout=600_000)
            seen = page.evaluate("() => [window.ended, window.gaps, window.longest]")
            worked = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
            browser.close()
    finally:
        server.stop()
        folder.cleanup()
    return seen[0] / 1000 - ended.value, worked["TaskDuration"], *seen[1:]


WATCH = """
const area = panel.content.widgets[1].node;
Object.assign(window, {ended: 0, gaps: 0, longest: 0});
let before = performance.now();
const look = (now) => {
    const gap = now - before;
    before = now;
    window.gaps += gap > 50;
    window.longest = Math.max(window.longest, gap);
    const passage = [...area.querySelectorAll('.jp-RenderedMarkdown')].at(-1);
    const last = passage?.lastElementChild?.textContent ?? '';
    if (last.includes('The very end.')) window.ended = Date.now();
    else requestAnimationFrame(look);
};
requestAnimationFrame(look);
return null;
"""


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paces", type=int, nargs="*", default=[100, 500, 2_000], help="tokens a second")
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--update-per-delta", choices=["always", "never"], default="always")
    parser.add_argument("--browser", type=int, metavar="ROUNDS")
    given = parser.parse_args()
    tokens = answer(given.tokens)
    size = len("".join(tokens).encode())
    context = multiprocessing.get_context("spawn")
    pace, ended = context.Value("d", 1.0), context.Value("d", 0.0)
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as home:
        # Nothing of the user's is read or written.
        os.environ |= {"CODEX_NB_LEDGER": f"{home}/ledger.sqlite3", "CODEX_HOME": home, "IPYTHONDIR": home}
        os.chdir(home)
        server = context.Process(target=serve, args=(tokens, pace, ended, there), daemon=True)
        server.start()
        url = here.recv()
        print(f"{len(tokens):,} tokens, {size / 1000:.0f} kB\n")
        if given.browser:
            for pace.value in given.paces * given.browser:
                late, worked, gaps, longest = behind(url, ended)
                print(
                    f"{pace.value:.0f} tokens/s: JupyterLab {late:.2f} s behind at the end, {worked:.1f} s of its main "
                    f"thread, {gaps} frames later than 50 ms, the longest wait {longest:.0f} ms",
                    flush=True,
                )
            server.terminate()
            return
        print(f"{'tokens/s':>8}  {'':22}{'messages':>9}{'MB':>9}{'x answer':>10}{'CPU s':>8}{'wall s':>8}")
        with contextlib.ExitStack() as stack:
            kernel = Kernel(url)
            stack.callback(kernel.stop)
            stack.callback(server.terminate)
            pace.value = 1e6
            measure(kernel, WAYS["nothing shown (-q)"])  # imports are not what is measured
            for pace.value in given.paces:
                for name, cell in WAYS.items():
                    if cell is PER_DELTA and given.update_per_delta == "never":
                        continue
                    shown, sent, cpu, wall = measure(kernel, cell)
                    counted = f"{shown:9,}{sent / 1e6:9.2f}{sent / size:10.1f}"
                    print(f"{pace.value:8.0f}  {name:22}{counted}{cpu:8.2f}{wall:8.1f}", flush=True)


if __name__ == "__main__":
    main()
