"""A load on ``codex-nb serve``: how fast it is, how much memory it takes, and whom it turns away.

Run by hand: ``uv run tests/bench/serve.py``. 1 000 uploads of 2 MiB from 64 clients, which is within its bounds (16 at
the service, 64 waiting), then from 160, which is not. The service and the server are processes of their own; memory is
the server's largest resident set (Linux).
"""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.bench.upstream import upstream
from tests.client.test_transcriptions import sound

UPLOADS, SECONDS, KEY = 1000, 0.05, "the-servers-own-key"
CONTENT = sound(65.5, 16_000)


async def load(address, clients):
    """Send the uploads; count the statuses."""
    statuses, left = Counter(), iter(range(UPLOADS))
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(limits=limits, timeout=120, trust_env=False) as client:

        async def one():
            for _ in left:
                reply = await client.post(
                    f"{address}/v1/audio/transcriptions",
                    files={"file": ("talk.wav", CONTENT, "audio/wav")},
                    headers={"authorization": f"Bearer {KEY}"},
                )
                statuses[reply.status_code] += 1
                assert reply.status_code == 429 or reply.json() == {"text": "ok"}

        await asyncio.gather(*(one() for _ in range(clients)))
    return statuses


def memory(process, what):
    """Return a figure of the server's, in MiB."""
    return int(re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


def main():
    """Print what came of each load."""
    with upstream(SECONDS) as url:
        command = [sys.executable, "-m", "codex_nb.cli", "serve", "--port", "0", "-b", url, "--bearer", "made-up"]
        environment = {**os.environ, "CODEX_NB_SERVER_KEY": KEY, "CODEX_NB_LEDGER": "off"}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        address = process.stderr.readline().split()[3]
        time.sleep(0.5)
        idle = memory(process, "VmRSS")
        for clients in (64, 160):
            began = time.perf_counter()
            statuses = asyncio.run(load(address, clients))
            took = time.perf_counter() - began
            print(
                f"{UPLOADS} uploads of {len(CONTENT) / 2**20:.1f} MiB from {clients} clients: {took:.1f} s, "
                f"statuses {dict(statuses)}, at most {memory(process, 'VmHWM'):.0f} MiB (idle {idle:.0f})"
            )
            assert sum(statuses.values()) == UPLOADS
            assert set(statuses) <= ({200} if clients <= 80 else {200, 429})
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
