"""``codex-nb local``: the backend in the foreground, for other programs on this machine."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from codex_nb.errors import CodexError
from codex_nb.local.script import Script
from codex_nb.local.server import LocalBackend

if TYPE_CHECKING:
    import argparse
    from types import FrameType

PORT = 8765


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``codex-nb local``."""
    parser.add_argument("--engine", choices=["llama", "sphinx", "scripted"], help="what answers (default: llama)")
    parser.add_argument("--model", metavar="GGUF", type=Path, help="model file for llama (default: $CODEX_NB_GGUF)")
    parser.add_argument("--script", metavar="FILE.json", type=Path, help="turns and faults to play; implies scripted")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit status."""
    try:
        backend = LocalBackend(_engine(args), port=args.port, model=args.model, host=args.host).start()
    except CodexError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        ended.set()

    # Both by our own hand: a shell starts background jobs with Ctrl-C ignored, and Python then keeps it so.
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        print(guide(backend), flush=True)  # noqa: T201
        # In steps, because Windows delivers Ctrl-C only between them.
        while not ended.wait(1.0):
            pass
    finally:
        backend.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    print("Stopped.")  # noqa: T201
    return 0


def _engine(args: argparse.Namespace) -> str | Script:
    if args.script is None:
        return args.engine or "llama"
    if args.engine in {"llama", "sphinx"}:
        raise CodexError("A script needs the scripted engine.", hint=f"Leave out --engine {args.engine}.")
    return Script.from_json(args.script)


def guide(backend: LocalBackend) -> str:
    """Return where a backend listens, and how to point three clients at it."""
    url, models, engine = backend.url, backend.state.models(), backend.state.engine.name
    model = models[0]
    return f"""\
The Codex wire is served at {url}, by the {engine} engine. Models: {", ".join(models)}.
Ctrl-C stops it.

codex_nb:
    import codex_nb
    codex_nb.connect("{url}", auth=codex_nb.Bearer("local"))

openai-python:
    from openai import OpenAI
    OpenAI(base_url="{url}/v1", api_key="local").responses.create(model="{model}", input="Say hi")

Codex CLI, in $CODEX_HOME/config.toml:
    model = "{model}"
    model_provider = "local"
    [model_providers.local]
    name = "local"
    base_url = "{url}/backend-api/codex"
    wire_api = "responses"
    experimental_bearer_token = "local"
"""
