"""The options of a transcription, which the command and the magic share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["JOBS", "SHARED", "add_speech_options"]

JOBS = 8
# What of them is said to each transcription.
SHARED = ("language", "route", "engine", "prompt", "model", "pcm")


def add_speech_options(parser: argparse.ArgumentParser) -> None:
    """Declare what is spoken, and how it becomes text."""
    add = parser.add_argument
    add("--language", "-l", metavar="CODE", help="what is spoken: en, de, …; without it the service listens for it")
    add(
        "--route",
        "-r",
        metavar="NAME,…",
        help="the ways to take, in order: codex (default), platform and realtime (may be billed to the platform "
        "organization), local (on this machine)",
    )
    add(
        "--engine",
        metavar="X",
        help="what hears on the route local: sphinx (default; English), the address of an OpenAI-compatible server, "
        "or module:function (also CODEX_NB_ENGINE)",
    )
    add("--model", "-m", help="the model, on routes that have several")
    add("--prompt", metavar="TEXT", help="names and words that are said")
    add("--pcm", metavar="RATE:CHANNELS:FORMAT", help="the format of bare samples, such as 16000:1:s16le")
    add("--jobs", "-j", type=int, default=JOBS, metavar="N", help="how many are sent at once (default: %(default)s)")
