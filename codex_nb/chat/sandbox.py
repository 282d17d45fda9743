"""A page that a model wrote, shown where it can do no harm: it runs, but reaches neither the notebook nor any network.

The page is in a frame without an origin of its own, inside another one. The outer one's policy holds for both, and
keeps the inner one from going elsewhere too, which its own policy could not.
"""

from __future__ import annotations

from html import escape
from typing import Final

from codex_nb.chat.fences import blocks

__all__ = ["framed", "page_in"]

POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
    "font-src data:; form-action 'none'; base-uri 'none'"
)
FULL: Final = "border: 0; width: 100%; height: 100%; display: block"
OUTER: Final = (
    "width: 100%; height: 26em; max-height: 80vh; min-height: 6em; resize: vertical; overflow: auto; "
    "border: 1px solid #bdbdbd; background: white; color-scheme: light"
)


def page_in(text: str) -> str:
    """Return the page that an answer holds: its first block of HTML, else the text itself."""
    found = [block.code for block in blocks(text) if block.language in {"html", "svg", "xml", ""}]
    return found[0] if found else text


def framed(page: str) -> str:
    """Return HTML that shows ``page`` in a frame of bounded height."""
    inner = f'<iframe sandbox="allow-scripts" style="{FULL}" srcdoc="{escape(page)}"></iframe>'
    outer = (
        f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">'
        f"<style>html, body {{ margin: 0; height: 100% }}</style>{inner}"
    )
    return f'<iframe sandbox="allow-scripts" style="{OUTER}" srcdoc="{escape(outer)}"></iframe>'
