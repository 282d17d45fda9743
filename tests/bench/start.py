"""How long it takes to begin: ``%load_ext``, and the first painting of a first answer, imports included.

Run by hand: ``python tests/bench/start.py``. Each round is a fresh kernel; times are as a front end sees them.
"""

import statistics
import time

from jupyter_client.manager import start_new_kernel

from codex_nb.local import LocalBackend, Script, Turn

ROUNDS = 7


def seconds_until(client, cell, *, shown):
    """Run a cell; return the seconds until an output holds ``shown`` (None: until it is done), and the total."""
    began = time.perf_counter()
    message_id = client.execute(cell)
    first = None
    while True:
        message = client.get_iopub_msg(timeout=30)
        content = message["content"]
        if message["parent_header"].get("msg_id") != message_id:
            continue
        if message["msg_type"] == "error":
            raise RuntimeError(content["evalue"])
        if first is None and shown is not None and shown in str(content.get("data", "")):
            first = time.perf_counter() - began
        if content.get("execution_state") == "idle":
            return first, time.perf_counter() - began


def one_round():
    """Return seconds: load, and from nothing to the first painting (connecting and asking)."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        with LocalBackend(Script(turns=[Turn(text="Hello.")])) as backend:
            seconds_until(client, "1", shown=None)
            _, load = seconds_until(client, "%load_ext codex_nb", shown=None)
            connect = f"import codex_nb; codex_nb.connect({backend.url!r}, auth=codex_nb.Bearer('made-up'))"
            _, connecting = seconds_until(client, connect, shown=None)
            painting, _ = seconds_until(client, "%%codex\nhi", shown="Waiting for")
            return load, connecting + painting
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def main():
    """Measure and print medians."""
    rows = list(zip(*[one_round() for _ in range(ROUNDS)], strict=True))
    for name, column in zip(("%load_ext", "first %%codex, all imports, first painting"), rows, strict=True):
        print(f"{name:45} median {statistics.median(column) * 1000:5.0f} ms   worst {max(column) * 1000:5.0f} ms")


if __name__ == "__main__":
    main()
