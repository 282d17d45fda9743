"""The llama engine: a GGUF model through llama.cpp, in this process, one answer at a time."""

from __future__ import annotations

import asyncio
import atexit
import os
import queue
import secrets
import sys
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from codex_nb.errors import CodexError
from codex_nb.extras import extra
from codex_nb.local.catalogue import row
from codex_nb.local.engines import chat
from codex_nb.local.engines.ears import Sphinx
from codex_nb.local.engines.gguf import find_model, name_of
from codex_nb.local.engines.meaning import Meaning
from codex_nb.local.pieces import Answer, Failure
from codex_nb.local.vectors import SIZES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from pathlib import Path

    from codex_nb.local.ask import Ask
    from codex_nb.local.pieces import Embedding, Json, Piece, Vectors

# Tokens. What a longer prompt gets is `context_length_exceeded`.
CONTEXT = 8192
# A prompt is read in such steps (tokens); between two of them it can be stopped.
BATCH = 32
MOST_THREADS = 8
CLOSE_SECONDS = 0.2
EXIT_SECONDS = 5.0


@dataclass(slots=True)
class Job:
    """One generation that was asked for. ``told`` takes each chunk, None at the end, an exception on failure."""

    request: Json
    told: Callable[[Json | Exception | None], None]
    stopped: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class Measuring:
    """Vectors that were asked for; without ``asked``, only their length."""

    asked: Embedding | None = None
    done: Future[Vectors | int] = field(default_factory=Future["Vectors | int"])
    stopped: threading.Event = field(default_factory=threading.Event)


class LlamaEngine(Sphinx):
    """A loaded model. Requests queue; one that nobody waits for any more stops within a token."""

    name = "llama"

    def __init__(self, api: Any, path: Path) -> None:
        slug, title = name_of(path)
        self.rows: Sequence[Json] = [
            row(
                slug,
                title,
                "A small model on this machine.",
                default_reasoning_level=None,
                supported_reasoning_levels=[],
                supports_reasoning_summary_parameter=False,
                supports_reasoning_summaries=False,
                default_reasoning_summary="none",
                support_verbosity=False,
                default_verbosity=None,
                supports_parallel_tool_calls=False,
                context_window=CONTEXT,
                max_context_window=CONTEXT,
                input_modalities=["text"],
            )
        ]
        params = _params(api, path)
        params.n_ctx, params.n_parallel = CONTEXT, 1
        params.n_batch = params.n_ubatch = BATCH
        self._server: Any = api.Server(params)
        self._api, self._path = api, path
        self._meaning: Meaning | None = None
        self._jobs: queue.SimpleQueue[Job | Measuring | None] = queue.SimpleQueue()
        self._current: Job | Measuring | None = None
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="codex-nb-llama", daemon=True)
        self._worker.start()
        # A native thread that outlives the interpreter crashes it.
        atexit.register(self._leave)

    @classmethod
    def open(cls, model: str | Path | None = None) -> LlamaEngine:
        """Load a model file.

        Raises:
            CodexError: llama.cpp is not installed, or there is no usable model file.

        """
        with extra("local", "The llama engine", otherwise='Without a model: LocalBackend("scripted").'):
            api: Any = import_module("xllamacpp")  # it has no types
        path = find_model(model)
        try:
            return cls(api, path)
        except (RuntimeError, ValueError) as error:
            raise CodexError(f"llama.cpp cannot load {path.name}.", hint="It must be a GGUF language model.") from error

    @property
    def busy(self) -> bool:
        """Whether the model is computing now."""
        return self._current is not None

    async def answer(self, ask: Ask) -> Answer:
        """Queue a generation; its first piece comes when the model has read the prompt."""
        return Answer(self._pieces(ask), str(self.rows[0]["slug"]))

    async def sizes(self) -> Mapping[str, int]:
        """Take this model's name, and the public ones for it: what a program asks for by default is served too."""
        if self._meaning is None:
            await self._measure(Measuring())
        size = self._meaning.size if self._meaning else 0
        return dict.fromkeys([str(self.rows[0]["slug"]), *SIZES], size)

    async def embed(self, asked: Embedding) -> Vectors:
        """Queue a batch of vectors. They come from a second copy of the model, loaded when it is first needed."""
        return cast("Vectors", await self._measure(Measuring(asked)))

    async def _measure(self, job: Measuring) -> Vectors | int:
        self._jobs.put(job)
        try:
            return await asyncio.wrap_future(job.done)
        finally:
            job.stopped.set()

    def close(self) -> None:
        """Stop what is under way. The model is unloaded soon after, when its current step is done."""
        self._closed = True
        if (job := self._current) is not None:
            job.stopped.set()
        self._jobs.put(None)
        self._worker.join(CLOSE_SECONDS)

    def _leave(self) -> None:
        self.close()
        self._worker.join(EXIT_SECONDS)

    async def _pieces(self, ask: Ask) -> AsyncGenerator[Piece, None]:
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[Json | Exception | None] = asyncio.Queue()

        def told(chunk: Json | Exception | None) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)

        job = Job(chat.request_of(ask), told)
        self._jobs.put(job)
        try:
            while (chunk := await chunks.get()) is not None:
                if isinstance(chunk, Exception):
                    yield Failure("invalid_prompt", f"The model cannot be asked this: {chunk}")
                    return
                for piece in chat.pieces_of(chunk):
                    yield piece
        finally:
            job.stopped.set()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._closed:
            if not job.stopped.is_set():
                self._current = job
                if isinstance(job, Job):
                    self._run(job)
                else:
                    self._gauge(job)
                self._current = None
        self._server = self._meaning = None
        atexit.unregister(self._leave)

    def _gauge(self, job: Measuring) -> None:
        try:
            if self._meaning is None:
                self._meaning = Meaning(self._api, _params(self._api, self._path), str(self.rows[0]["slug"]))
            found = self._meaning.of(job.asked, job.stopped) if job.asked else self._meaning.size
        except Exception as error:  # noqa: BLE001 - whoever asked shall hear of it
            _settle(job.done.set_exception, error)
        else:
            _settle(job.done.set_result, found)

    def _run(self, job: Job) -> None:
        def heard(chunk: Json) -> bool:
            job.told(chunk)
            return job.stopped.is_set()

        try:
            self._server.handle_chat_completions(job.request, heard)
        except (RuntimeError, ValueError) as error:
            job.told(error)
        else:
            job.told(None)


def _params(api: Any, path: Path) -> Any:
    """Return what both copies of a model are opened with."""
    params = api.CommonParams()
    params.model.path = str(path)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
    params.warmup, params.verbosity, params.cache_ram_mib = False, -1, 0
    # The library opens an HTTP port of its own; nobody else shall ask it.
    params.api_keys = [secrets.token_hex()]
    return params


def _settle(tell: Callable[[Any], None], what: object) -> None:
    """Hand over what came out, unless nobody waits for it any more."""
    with suppress(InvalidStateError):
        tell(what)


def _threads() -> int:
    """Return how many threads compute: one core stays free.

    llama.cpp's threads wait for each other in a busy loop, so one that must share its core slows all: on two cores,
    two threads make 78 tokens a second alone and 7 beside a busy process; one makes 41 either way.
    """
    free = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 2
    return min(max(1, free - 1), MOST_THREADS)
