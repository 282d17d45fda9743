"""``codex-nb serve``: the transcription server in the foreground, with codex-asr's options and variables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from codex_nb.errors import InvalidOption
from codex_nb.serve import config, upstream
from codex_nb.serve.running import Running

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``codex-nb serve``."""
    add = parser.add_argument
    add("--host", default=config.HOST, help="the address to listen on (default: %(default)s, this machine alone)")
    add("--port", type=int, default=config.PORT, help="0 takes a free one (default: %(default)s)")
    add("--api-key", metavar="KEY", help="what clients must send (default: CODEX_NB_SERVER_KEY)")
    add("--no-api-key", action="store_true", help="serve everybody on this machine; on loopback only")
    add("--concurrency", type=int, default=config.CONCURRENCY, metavar="N", help="at once (default: %(default)s)")
    add(
        "--queue",
        type=int,
        default=config.QUEUE,
        metavar="N",
        help="how many more may wait; beyond it is 429 (default: %(default)s)",
    )
    add(
        "--max-upload-mb",
        type=int,
        metavar="MIB",
        help=f"the largest upload (default: CODEX_NB_MAX_UPLOAD_MB, then {config.MAX_UPLOAD_MB})",
    )
    add("--allow-host", action="append", default=[], metavar="NAME", help="a name in Host headers; may be repeated")
    add("--language", metavar="CODE", help="what is spoken, where a request does not say")
    add("--route", metavar="NAME,…", help="the ways to take, in order: codex (default), platform")
    upstream.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit status."""
    key = None if options.no_api_key else options.api_key or upstream.variable("SERVER_KEY")
    if key is None and not options.no_api_key:
        raise InvalidOption(
            "serve requires --api-key, CODEX_NB_SERVER_KEY, or --no-api-key.",
            hint="A key keeps other programs and people from using your plan.",
        )
    megabytes = upstream.number("--max-upload-mb", options.max_upload_mb, config.MAX_UPLOAD_MB, "MAX_UPLOAD_MB")
    with upstream.open_session(options) as session:
        settings = config.ServerConfig(
            api_key=key,
            host=options.host,
            concurrency=options.concurrency,
            queue=options.queue,
            max_upload=megabytes * config.MEGABYTE,
            seconds=upstream.request_seconds(options),
            language=options.language,
            route=options.route,
            hosts=tuple(options.allow_host),
        )
        if session.auth is not None:
            session.auth.login()  # told now, not at the first request; read again for each
        server = Running(session, settings, options.port)
        print(f"codex-nb listening on {server.address} (max upload: {megabytes} MiB)", file=sys.stderr, flush=True)
        if not config.is_loopback(options.host):
            print("  Others on the network can reach it, and the key travels unencrypted.", file=sys.stderr)
        server.run()
    return 0
