"""What is shown of an answer's text in each format, while it comes and when it is whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pydantic_core

from codex_nb.chat.fences import blocks, joined
from codex_nb.chat.records import shown_rows
from codex_nb.chat.sandbox import framed, page_in
from codex_nb.errors import InvalidAnswer
from codex_nb.safe_markdown import safe_markdown

if TYPE_CHECKING:
    from codex_nb.chat.schema import OutputSchema

__all__ = ["View", "Viewed", "json_of", "view_of"]

PLAIN: Final = "white-space: pre-wrap; overflow-wrap: anywhere; margin: 0"
BUTTON: Final = (
    "(async (button) => { const code = button.dataset.code; "
    "try { await navigator.clipboard.writeText(code); } catch { const area = document.createElement('textarea'); "
    "area.value = code; document.body.append(area); area.select(); document.execCommand('copy'); area.remove(); } "
    "button.textContent = 'Copied'; setTimeout(() => { button.textContent = 'Copy code'; }, 2000); })(this)"
)


class Viewed(NamedTuple):
    """What front ends are given: a bundle by type, and its metadata."""

    data: dict[str, Any]
    metadata: Mapping[str, Any] = MappingProxyType({})


class View:
    """How an answer of one format looks. ``coming`` is what is shown on the way, ``whole`` at the end.

    A format with ``part`` may be cut where Markdown may: it shows a part of a text, which is given, too.
    """

    def __init__(
        self,
        coming: Callable[[str], dict[str, Any]],
        whole: Callable[[str], Viewed] | None = None,
        *,
        part: Callable[[str, str], dict[str, Any]] | None = None,
    ) -> None:
        self.coming = coming
        self.part = part
        self._whole = whole

    def whole(self, text: str) -> Viewed:
        """Return what is shown of the whole text; as plain text it is the text itself, unless the format says more."""
        shown = self._whole(text) if self._whole else Viewed(self.coming(text))
        return Viewed({"text/plain": text, **shown.data}, shown.metadata)


def json_of(text: str) -> Any:
    """Return the JSON value that an answer is.

    Raises:
        InvalidAnswer: it is none.

    """
    found = blocks(text)
    alone = len(found) == 1 and text.lstrip().startswith(("```", "~~~"))
    try:
        return pydantic_core.from_json(
            (found[0].code if alone else text).encode("utf-8", "replace"), allow_inf_nan=False
        )
    except ValueError as error:
        raise InvalidAnswer(
            f"The answer is no JSON: {str(error)[:120]}.",
            hint="Its text is kept in _codex and in .partial. Ask again, or say what it shall be with -s.",
            code="invalid_json",
            partial=text,
        ) from None


def _markdown(text: str, whole: str = "") -> dict[str, Any]:
    return {"text/markdown": safe_markdown(text, whole)}


def _rows(text: str) -> dict[str, Any]:
    return {"text/markdown": shown_rows(text)}


def _text(text: str) -> dict[str, Any]:
    return {"text/html": f'<pre style="{PLAIN}">{escape(text)}</pre>'}


def _source(language: str) -> Callable[[str], dict[str, Any]]:
    """Return what shows a text that is all code."""

    def show(text: str) -> dict[str, Any]:
        return {"text/markdown": safe_markdown(f"~~~~~~~~{language}\n{text}\n~~~~~~~~") if text else ""}

    return show


def _json(text: str) -> Viewed:
    try:
        value = json_of(text)
    except InvalidAnswer:
        return Viewed(_text(text))
    pretty = json.dumps(value, indent=2, ensure_ascii=False)
    if not isinstance(value, dict | list):  # front ends fold objects and lists only
        return Viewed({**_source("json")(pretty), "text/plain": pretty})
    return Viewed({"application/json": value, "text/plain": pretty}, {"application/json": {"expanded": True}})


def _page(text: str) -> Viewed:
    return Viewed({"text/html": framed(page_in(text))})


def _code(text: str) -> Viewed:
    """Show the answer, and below it a button that takes all of its code along; it needs no kernel and no widget."""
    code = joined(text).code
    if not code:
        return Viewed(_markdown(text))
    held = "".join(char if char.isalnum() and char.isascii() else f"&#{ord(char)};" for char in code)
    button = f'<button class="codex-nb-copy" data-code="{held}" onclick="{escape(BUTTON)}">Copy code</button>'
    return Viewed({"text/markdown": f"{safe_markdown(text)}\n\n{button}"})


VIEWS: Final[Mapping[str, View]] = {
    "markdown": View(_markdown, part=_markdown),
    "text": View(_text),
    "json": View(_source("json"), _json),
    "html": View(_source("html"), _page),
    "code": View(_markdown, _code),
}
ROWS: Final = View(_rows)


def view_of(name: str, schema: OutputSchema | None = None) -> View:
    """Return the view of a format; records of a schema are a table, unless another format is asked for."""
    return ROWS if schema is not None and name == "markdown" else VIEWS[name]
