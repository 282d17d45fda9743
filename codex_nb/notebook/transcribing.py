"""``%codex_transcribe`` and its twin in Python, `transcribe`."""

from __future__ import annotations

import glob
import os
import shlex
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from codex_nb.chat.folder import from_here
from codex_nb.client.default import session_of
from codex_nb.errors import CodexError, InvalidOption, Stopped
from codex_nb.notebook.heard import watched
from codex_nb.notebook.options import transcribe_parser, variable
from codex_nb.notebook.prompt import split_target
from codex_nb.serve.speech_options import SHARED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import pandas as pd

    from codex_nb.client.session import Session
    from codex_nb.types.audio import Transcript

__all__ = ["transcribe", "transcribe_line"]

LAST = "_transcript"
PATTERN = "*?["
PROG = "%codex_transcribe"


@overload
def transcribe(source: list[Any], **options: Any) -> pd.DataFrame: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def transcribe(source: object, **options: Any) -> Transcript: ...
def transcribe(source: object, *, session: Session | None = None, **options: Any) -> pd.DataFrame | Transcript:
    """Return what is said in a recording: a path, bytes, an open binary file or a `Recording`.

    Of a list of them, the DataFrame of `codex_nb.frames.transcripts`: ``source, text, duration, route, error``, and a
    bad one stops no other. ``options`` are those of ``session.audio.transcriptions.create``: ``language``, ``route``,
    ``engine``, ``prompt``, ``model``; of a list ``concurrency`` are sent at once.

    Raises:
        AudioError: there is no sound in it that can be sent, or the service cannot decode it.
        APIError: the request failed; the error names the recording, the route and what to try.

    """
    if isinstance(source, list):
        from codex_nb.frames.transcripts import transcripts

        return transcripts(cast("list[Any]", source), session, **options)
    create: Any = session_of(session).audio.transcriptions.create
    return create(file=source, **options)


def transcribe_line(magics: Any, line: str) -> Any:
    """Run one ``%codex_transcribe`` line."""
    parser = transcribe_parser(PROG)
    target, line = split_target(line)
    options = parser.parse_line(_words(line))
    if options.help:
        print(parser.format_help())
        return None
    shell = magics.shell
    options.engine = shell.user_ns.get(options.engine, options.engine)
    name = variable(options.out or target)

    def keep(result: Any) -> None:
        shell.user_ns[LAST] = result
        if name:
            shell.user_ns[name] = result

    if options.mic:
        result = _run_here(shell, options, keep)
    elif options.seconds or options.device:
        raise InvalidOption("--seconds and --device are for --mic.", hint="Add --mic, or leave them out.")
    elif not options.sources:
        return _recorder(options, keep)
    else:
        result = _run(shell, _sources(options.sources, shell.user_ns), options, keep)
    keep(result)
    return None if options.quiet else result


def _run_here(shell: Any, options: argparse.Namespace, keep: Callable[[Any], None]) -> Any:
    """Record with the kernel's own microphone, and transcribe that."""
    from codex_nb.notebook.listening import record_here

    if options.sources:
        raise InvalidOption("--mic records; it takes no files.", hint="Leave one of them out.")
    recording = record_here(shell, seconds=options.seconds, device=options.device, save=options.save)
    try:
        return _run(shell, [recording], options, keep)
    except CodexError as error:
        error.hint = f"{error.hint} The recording is kept in {recording.path}.".lstrip()
        raise


def _recorder(options: argparse.Namespace, keep: Callable[[Any], None]) -> Any:
    """Return a recorder; ``--save`` is where its recordings go, each with its transcript beside it."""
    from codex_nb.notebook.recorder import Recorder

    folder = _Folder(options.save) if options.save else None

    def on_transcript(found: Transcript) -> None:
        keep(found)
        if folder:
            folder.write(found)

    asked = {name: getattr(options, name) for name in ("language", "route", "prompt", "model", "save")}
    transcriber = partial(transcribe, engine=options.engine) if options.engine else None
    return Recorder(**asked, on_transcript=on_transcript, transcriber=transcriber)


def _run(shell: Any, sources: list[Any], options: argparse.Namespace, keep: Callable[[Any], None]) -> Any:
    asked = {name: getattr(options, name) for name in SHARED}
    keeper = _Folder(options.save) if options.save else None
    if len(sources) == 1:
        try:
            if options.route:
                found: Transcript = watched(shell, sources[0], quiet=options.quiet, asked=asked)
            else:
                found = transcribe(cast("object", sources[0]), **asked)
        except KeyboardInterrupt:
            raise Stopped("Stopped.") from None
        if keeper:
            keeper.write(found)
        return found
    return _run_many(sources, asked, keeper, keep, quiet=options.quiet, concurrency=options.jobs)


def _run_many(
    sources: list[Any],
    asked: dict[str, Any],
    keeper: _Folder | None,
    keep: Callable[[Any], None],
    *,
    quiet: bool,
    concurrency: int,
) -> Any:
    """Transcribe with a progress bar; the table so far is kept when the user stops it."""
    from codex_nb.frames.progress import bar
    from codex_nb.frames.transcripts import transcripts

    failed = 0
    with bar(len(sources), "files", "transcribing", shown=not quiet) as progress:

        def done(_place: int, outcome: Transcript | CodexError) -> None:
            nonlocal failed
            if isinstance(outcome, Exception):
                failed += 1
                progress.set_postfix_str(f"{failed} failed")
            elif keeper:
                keeper.write(outcome)
            progress.update()

        try:
            return transcripts(sources, concurrency=concurrency, on_done=done, on_interrupt=keep, **asked)
        except KeyboardInterrupt:
            raise Stopped(f"Stopped; the table so far is in {LAST}.") from None


class _Folder:
    """Where transcripts are kept as text files, one a recording, none over another."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).expanduser()
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidOption(
                f"--save: {path} cannot be a folder ({error.strerror}).", hint="Name a folder that may be written to."
            ) from None

    def write(self, found: Transcript) -> None:
        stem = Path(found.source).stem or "transcript"
        for number in count(1):
            path = self._path / (f"{stem}.txt" if number == 1 else f"{stem}-{number}.txt")
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(f"{found.text}\n")
            except FileExistsError:
                continue
            return


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, posix=os.name != "nt")
    except ValueError:
        raise InvalidOption("A quote is not closed.", hint="Close it, or leave the quotes out.") from None


def _sources(words: list[str], variables: dict[str, Any]) -> list[Any]:
    """Return the recordings that ``words`` name: files, what patterns match, variables of the notebook.

    Raises:
        InvalidOption: a pattern matches nothing.

    """
    found: list[Any] = []
    for word in words:
        path = Path(word).expanduser()
        if path.exists():
            found.append(str(path))
        elif any(letter in word for letter in PATTERN):
            matches = sorted(one for one in glob.glob(str(path), recursive=True) if Path(one).is_file())  # noqa: PTH207 - an absolute pattern is fine here
            if not matches:
                raise InvalidOption(f"No file matches {word}.", hint=f"The kernel's folder is {from_here(Path())}.")
            found += matches
        elif word.isidentifier() and word in variables:
            value = variables[word]
            found += value if isinstance(value, list) else [value]
        else:
            found.append(str(path))
    return found
