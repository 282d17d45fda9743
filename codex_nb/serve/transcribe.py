"""``codex-nb transcribe``: text of recordings on standard output."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_nb.errors import CodexError, InvalidOption
from codex_nb.serve import upstream
from codex_nb.serve.speech_options import JOBS, SHARED, add_speech_options

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

STDIN = "-"
NO_ARGUMENT = 2
FORMATS = ("text", "json", "srt", "vtt")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``codex-nb transcribe``; those of codex-asr have its names."""
    parser.usage = "codex-nb transcribe [options] AUDIO …"
    add = parser.add_argument
    add("audio", nargs="*", metavar="AUDIO", help="recordings; - reads one from standard input")
    add_speech_options(parser)
    add("--content-type", metavar="TYPE", help="the recording's media type, where its bytes do not tell")
    add("--filename", metavar="NAME", help="what the service calls the recording")
    add("--silk-decoder", metavar="PROGRAM", help="what decodes SILK (default: rust-silk where it is, else in here)")
    add("--silk-sample-rate", type=int, default=24_000, metavar="HZ", help="of decoded SILK (default: %(default)s)")
    add("--no-silk-decode", action="store_true", help="send SILK as it is")
    add("--format", "-f", choices=FORMATS, default="text", help="what is written (default: text)")
    add("--json", action="store_const", const="json", dest="format", help="write JSON, one object a recording")
    upstream.add_arguments(parser)
    parser.set_defaults(parser=parser)


def run(options: argparse.Namespace) -> int:
    """Transcribe; return 0, 1 if a recording failed, 2 without any."""
    files: list[str] = options.audio
    if not files:
        options.parser.print_help(sys.stderr)
        return NO_ARGUMENT
    if options.filename and len(files) > 1:
        raise InvalidOption("--filename is for one recording.", hint="Leave it out; each has its own name.")
    if options.jobs < 1:
        raise InvalidOption("--jobs must be a positive integer.", hint=f"Leave it out for {JOBS}.")
    from codex_nb.client.side_by_side import side_by_side

    asked = {name: getattr(options, name) for name in (*SHARED, "silk_decoder")}
    asked |= {"silk_rate": options.silk_sample_rate, "silk_decode": not options.no_silk_decode}
    asked["response_format"] = "json" if options.format == "text" else options.format
    with upstream.open_session(options) as session:
        create: Any = session.audio.transcriptions.create

        def one(file: str) -> Any:
            return create(file=_given(file, options), **asked)

        return _write(files, side_by_side(one, files, options.jobs), options.format)


def _given(file: str, options: argparse.Namespace) -> Any:
    """Return a recording as `create` takes it: with a name and a type where they are told."""
    content: Any = sys.stdin.buffer if file == STDIN else Path(file).expanduser()
    if file != STDIN and not (options.filename or options.content_type):
        return content
    name = options.filename or ("stdin" if file == STDIN else Path(file).name)
    return (name, content, options.content_type) if options.content_type else (name, content)


def _write(files: list[str], outcomes: Any, form: str) -> int:
    """Write what comes in the order of the files, errors to standard error as they come; return the exit status."""
    ready: dict[int, Any] = {}
    following, failed = 0, False
    for place, outcome in outcomes:
        ready[place] = outcome
        while following in ready:
            found = ready.pop(following)
            if isinstance(found, CodexError):
                failed = True
                hint = f"\n  {found.hint}" if found.hint else ""
                print(f"codex-nb: {found.message}{hint}", file=sys.stderr)
            else:
                print(_line(found, form, files[following] if len(files) > 1 else None), flush=True)
            following += 1
    return int(failed)


def _line(found: Any, form: str, name: str | None) -> str:
    if form == "json":
        told = found.raw if name is None else {"source": name, "text": found.text, "duration": found.duration}
        return json.dumps(told, ensure_ascii=False)
    if form != "text":
        return str(found) if name is None else f"{name}\n{found}"
    return found.text if name is None else f"{name}: {' '.join(found.text.split())}"
