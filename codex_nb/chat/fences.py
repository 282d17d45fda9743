"""The code in an answer: its fenced blocks, and which of them belong together."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Block", "blocks", "joined"]

OPENING: Final = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[^\s`{]*)[^\n]*")
SAME: Final = {"py": "python", "python3": "python", "ipython": "python", "sh": "bash", "shell": "bash", "zsh": "bash"}


class Block(NamedTuple):
    """One fenced block. ``language`` is one word, in lower case (``py`` is ``python``); empty where none is named."""

    language: str
    code: str


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of ``text``, in order; one that is not closed goes to the end."""
    found: list[Block] = []
    lines = iter(text.replace("\r\n", "\n").removesuffix("\n").split("\n"))
    for line in lines:
        opening = OPENING.fullmatch(line)
        if not opening or ("`" in opening["fence"] and "`" in line[opening.end("fence") :]):
            continue
        indent, fence = len(line) - len(line.lstrip(" ")), opening["fence"]
        closing = re.compile(rf" {{0,3}}{re.escape(fence)}{re.escape(fence[0])}*[ \t]*")
        inside: list[str] = []
        for each in lines:
            if closing.fullmatch(each):
                break
            inside.append(each.removeprefix(" " * indent))
        language = opening["language"].lower()
        found.append(Block(SAME.get(language, language), "\n".join(inside)))
    return found


def joined(text: str) -> Block:
    """Return the code of ``text``: the language of its first block wins, and all blocks of that language are joined.

    They are put together in their order, with an empty line between; blocks of other languages stay apart.
    """
    found = blocks(text)
    if not found:
        return Block("", "")
    language = found[0].language
    return Block(language, "\n\n".join(block.code.strip("\n") for block in found if block.language == language))
