"""What stands under an answer: the receipt, notes of tools that failed, the pages it cites, the calls behind it.

All words in it are text, never markup: they come from the service, the model, the web, and from tools.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from codex_nb.notebook.receipt import plural
from codex_nb.safe_markdown import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codex_nb.chat.answer import Answer
    from codex_nb.chat.sources import Source
    from codex_nb.tools.toolbox import ToolCall

__all__ = ["below"]

STYLE: Final = "color: var(--jp-ui-font-color2, GrayText); font-size: var(--jp-ui-font-size1, 13px)"
PRE: Final = "white-space: pre-wrap; overflow-wrap: anywhere; margin: 2px 0 6px; max-height: 20em; overflow: auto"
MOST: Final = 50
LONGEST_NOTE: Final = 300
LONGEST_TITLE: Final = 150
LONGEST_URL: Final = 2_000
LONGEST_OUTPUT: Final = 2_000


def below(line: str, answer: Answer | None = None) -> dict[str, str]:
    """Return the receipt's ``line`` and what ``answer`` has to go below it, as front ends show it; {} for nothing."""
    calls: tuple[ToolCall, ...] = answer.tool_calls if answer else ()
    sources, searches = (answer.sources, answer.searches) if answer else ((), ())
    notes = [_note(number, call) for number, call in enumerate(calls) if call.status == "failed"]
    html = [
        f"<div>{_text(line)}</div>" if line else "",
        *(f'<div style="color: var(--jp-warn-color1, inherit)">{_text(note)}</div>' for note in notes[:MOST]),
        _listed(plural(len(sources), "source"), map(_link, sources[:MOST]), " open"),
        _listed(plural(len(searches), "step") + " on the web", (f"<li>{_text(each)}</li>" for each in searches[:MOST])),
        _listed(plural(len(calls), "tool call"), map(_call, calls[:MOST])),
    ]
    plain = [
        *([line] if line else []),
        *notes[:MOST],
        *(
            f"  [{number}] {_title(each)}: {_cut(each.url, LONGEST_URL)}"
            for number, each in enumerate(sources[:MOST], 1)
        ),
        *(f"  {_cut(each, LONGEST_NOTE)}" for each in searches[:MOST]),
        *(f"  {call}" for call in calls[:MOST]),
    ]
    if not plain:
        return {}
    return {"text/html": f'<div style="{STYLE}">{"".join(html)}</div>', "text/plain": printable("\n".join(plain))}


def _text(words: str) -> str:
    # Front ends look for formulas in a page's text, so what begins one becomes an element of its own.
    shown = escape(printable(words))
    return shown.replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")


def _cut(words: str, limit: int) -> str:
    words = " ".join(words.split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def _listed(title: str, items: Iterable[str], how: str = "") -> str:
    entries = "".join(items)
    return f"<details{how}><summary>{title}</summary><ol>{entries}</ol></details>" if entries else ""


def _note(number: int, call: ToolCall) -> str:
    raised = type(call.error).__name__ if call.error else "an error"
    words = _cut(f"The tool {call.name} raised {raised}{f': {call.error}' if str(call.error) else ''}", LONGEST_NOTE)
    return f"{words} (the model was told; the exception is _codex.tool_calls[{number}].error)"


def _title(source: Source) -> str:
    return _cut(source.title, LONGEST_TITLE) or "untitled"


def _link(source: Source) -> str:
    """Return a cited page. The address is shown beside the title, which may claim anything."""
    title, host = _text(_title(source)), _host(source.url)
    if not host:
        return f"<li>{title}: {_text(_cut(source.url, LONGEST_NOTE))}</li>"
    href = escape(source.url, quote=True)
    return f'<li><a href="{href}" target="_blank" rel="noopener noreferrer nofollow">{title}</a> {_text(host)}</li>'


def _host(url: str) -> str:
    """Return the host of an address that may be a link; empty where it may not."""
    if len(url) > LONGEST_URL or not url.isprintable() or any(char in url for char in " \\<>\"'`"):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host if parts.scheme in {"http", "https"} else ""


def _call(call: ToolCall) -> str:
    from codex_nb.tools.written import cut, written_call

    came = cut(call.output, LONGEST_OUTPUT)
    became = f"{call.status}, {call.seconds:.1f} s" if call.status in {"done", "failed"} else call.status
    return (
        f'<li><pre style="{PRE}">{_text(written_call(call.name, call.arguments))}</pre>'
        f'{became}<pre style="{PRE}">{_text(came)}</pre></li>'
    )
