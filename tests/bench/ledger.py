"""What the ledger costs a call, and how fast it is read with a million rows.

Run by hand: ``uv run tests/bench/ledger.py``. "On the caller's path" is everything between the call and the writing
thread, measured without a network; the calls below it go to the embedded backend in a process of its own, with the
ledger on and off in turns, so that a slow minute of the machine hits both.
"""

import asyncio
import itertools
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, CALLS, ROWS = 7, 300, 1_000_000
STREAM_ROUNDS, DELTAS = 9, 5_000


def serve(pipe):
    """Run the embedded backend until the process is ended."""
    from codex_nb.local import LocalBackend, Script, Turn

    words = ["word "] * DELTAS
    backend = LocalBackend(Script(reply=lambda _ask: Turn(text=words), budget=10**12)).start()
    pipe.send(backend.url)
    pipe.recv()


def callers_path(folder):
    """Return microseconds a call of `Recording` from beginning to end, an answer with two windows of quota."""
    import httpx

    from codex_nb.client._recording import Recorder
    from codex_nb.client.ledger import Ledger
    from codex_nb.wire.assemble import Assembly
    from codex_nb.wire.call import Call

    ledger = Ledger(folder / "path.sqlite3")
    recorder = Recorder(ledger, "0cd36562-1e31-4bb8-94ec-555f26d3625f", "chatgpt")
    call = Call("POST", "codex/responses", json={"model": "gpt-5.4", "reasoning": {"effort": "high"}, "input": "x"})
    request = httpx.Request("POST", "https://chatgpt.com/backend-api/codex/responses")
    request.headers["authorization"] = "Bearer " + "x" * 1_500
    request.headers["chatgpt-account-id"] = "0cd36562-1e31-4bb8-94ec-555f26d3625f"
    windows = {
        f"x-codex-{slot}-{what}": number
        for slot in ("primary", "secondary")
        for what, number in (("used-percent", "41"), ("window-minutes", "300"), ("reset-at", "1800000000"))
    }
    others = {f"x-header-{number}": "something of the usual length" for number in range(15)}
    response = httpx.Response(200, headers={**windows, **others, "x-request-id": "req_1"}, request=request)
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12, "input_tokens_details": {"cached_tokens": 0}}
    spent, own = [], []
    for _ in range(3_000):
        answer = Assembly()
        answer.add({"type": "response.completed", "response": {"id": "resp_1", "model": "gpt-5.4", "usage": usage}})
        began, used = time.perf_counter(), time.thread_time()
        recording = recorder.begin(call)
        recording.sending(request)
        recording.arrived(response)
        recording.answer = answer
        recording.text_came()
        recording.ended()
        spent.append((time.perf_counter() - began) * 1e6)
        own.append((time.thread_time() - used) * 1e6)
        time.sleep(0.0002)  # as calls come: not all at once
    began = time.perf_counter()
    ledger.flush(60)
    waited = time.perf_counter() - began
    assert sum(1 for _ in ledger.calls()) == 3_000
    spent.sort()
    print("on the caller's path, microseconds a call:")
    print(f"  median {statistics.median(spent):.0f}, 99 of 100 below {spent[2_970]:.0f}, the longest {spent[-1]:.0f}")
    print(f"  of the processor: median {statistics.median(own):.0f}, mean {statistics.mean(own):.0f}")
    print(f"  then {waited * 1e3:.1f} ms until the last of them was in the file\n")


def in_turns(what, rounds, runs):
    """Run each of ``runs`` (name -> callable that returns seconds), in turns, and print the best and the median."""
    seconds = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            seconds[name].append(run())
    print(what)
    for name, spent in seconds.items():
        print(f"  {name:22}{min(spent) * 1e6:10.0f} best{statistics.median(spent) * 1e6:10.0f} median")
    print()


def session_with(ledger):
    """Return what opens sessions with this ledger ("off", or a path)."""
    from codex_nb import Bearer, Session

    def opened(url):
        os.environ["CODEX_NB_LEDGER"] = ledger
        return Session(url, auth=Bearer("made-up-token-0123456789", account_id="a"), model="gpt-5.4")

    return opened


def unary(opened, url):
    """Return seconds a call of a small endpoint."""

    def run():
        with opened(url) as session:
            session.codex.usage()
            began = time.perf_counter()
            for _ in range(CALLS):
                session.codex.usage()
            return (time.perf_counter() - began) / CALLS

    return run


def unary_async(opened, url):
    """Return seconds a call, eight at once on an event loop."""

    async def calls():
        async with opened(url) as session:
            await session.aio.codex.usage()

            async def some():
                for _ in range(CALLS // 8):
                    await session.aio.codex.usage()

            began = time.perf_counter()
            await asyncio.gather(*(some() for _ in range(8)))
            return (time.perf_counter() - began) / (CALLS // 8 * 8)

    return lambda: asyncio.run(calls())


def stream(opened, url):
    """Return seconds an event of a streamed answer."""

    def run():
        with opened(url) as session, session.responses.stream(input="x") as answer:
            began = time.perf_counter()
            events = sum(1 for _ in answer)
            return (time.perf_counter() - began) / events

    return run


async def longest_turn(opened, url):
    """Return the seconds that the event loop was held up at most while calls were made."""
    turns = []

    async def tick():
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0)
            turns.append(time.perf_counter() - began)

    async with opened(url) as session:
        await session.aio.codex.usage()
        ticking = asyncio.create_task(tick())
        for _ in range(100):
            await session.aio.codex.usage()
        ticking.cancel()
    return max(turns)


WRITER = """
import sys, time
from codex_nb.client._ledger_file import Entry
from codex_nb.client.ledger import Ledger
ledger = Ledger(sys.argv[1])
call = {"method": "POST", "endpoint": "codex/responses", "outcome": "completed", "attempts": 1, "seconds": 0.5}
window = {"source": "headers", "limit_name": "codex", "slot": "primary", "used": 1.0}
ledger.begin()
for number in range(5_000):
    now = time.time_ns() // 1000
    ledger.add(Entry(call | {"time": now}, "acc", [window | {"time": now}]))
    if number % 500 == 0: ledger.flush(60)
"""


def many_processes(folder):
    """Eight processes write 5 000 rows each."""
    path = folder / "many.sqlite3"
    began = time.perf_counter()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) for _ in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    spent = time.perf_counter() - began
    from codex_nb.client.ledger import Ledger

    assert sum(1 for _ in Ledger(path).calls()) == 40_000
    print(f"8 processes, 40 000 rows with a window of quota: {spent:.1f} s, {40_000 / spent:,.0f} rows/s, none lost\n")


def million(folder):
    """Read from a file of a million calls."""
    from codex_nb.client._ledger_file import Entry, LedgerFile
    from codex_nb.client.ledger import Ledger

    path = folder / "million.sqlite3"
    file = LedgerFile(path)
    call = {"method": "POST", "endpoint": "codex/responses", "outcome": "completed", "attempts": 1, "seconds": 0.5}
    call |= {"session": "0cd36562-1e31-4bb8-94ec-555f26d3625f", "backend": "chatgpt", "host": "chatgpt.com"}
    call |= {"model": "gpt-5.4", "effort": "high", "status": 200, "input_tokens": 1_000, "output_tokens": 300}
    window = {"source": "headers", "limit_name": "codex", "slot": "primary", "used": 1.0}
    numbers = iter(range(ROWS))
    began = time.perf_counter()
    while batch := list(itertools.islice(numbers, 10_000)):
        file.write(Entry(call | {"time": n * 1_000_000}, "acc", [window | {"time": n * 1_000_000}]) for n in batch)
    file.close()
    print(f"{ROWS:,} calls, {path.stat().st_size / 1e6:.0f} MB, written in {time.perf_counter() - began:.0f} s")
    ledger = Ledger(path)
    reads = {
        "the last 50": lambda: ledger.calls(limit=50),
        "the last 1 000 s": lambda: ledger.calls(since=ROWS - 1_000),
        "100 of the quota": lambda: ledger.quota_history(limit=100),
        "all calls": ledger.calls,
    }
    for name, read in reads.items():
        began = time.perf_counter()
        count = sum(1 for _ in read())
        print(f"  {name:20}{count:>10,} rows {(time.perf_counter() - began) * 1e3:10.1f} ms")


def main():
    """Measure and print."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        callers_path(folder)
        off, on = session_with("off"), session_with(str(folder / "on.sqlite3"))
        for what, rounds, run in (
            ("a call of a small endpoint, microseconds:", ROUNDS, unary),
            ("the same, eight at once on an event loop:", ROUNDS, unary_async),
            (f"an event of an answer of {DELTAS} deltas, microseconds:", STREAM_ROUNDS, stream),
        ):
            in_turns(what, rounds, {"ledger off": run(off, url), "ledger on": run(on, url)})
        held = {"off": off, "on": on}
        held = {name: min(asyncio.run(longest_turn(each, url)) for _ in range(5)) for name, each in held.items()}
        print("longest turn of the event loop, best of 5:")
        print("".join(f"  ledger {name:15}{seconds * 1e6:10.0f}\n" for name, seconds in held.items()))
        many_processes(folder)
        million(folder)
    ours.send("end")
    server.terminate()


if __name__ == "__main__":
    main()
