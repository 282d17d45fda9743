"""A question that was not sent: exactly what it would have told, and about how many tokens each part has."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from codex_nb.chat.tokens import estimate_request
from codex_nb.safe_markdown import printable

if TYPE_CHECKING:
    from codex_nb.chat.ask import Ask
    from codex_nb.client.preview import Preview
    from codex_nb.client.session import Session

__all__ = ["DryRun", "dry_run"]

# A longer text that is data, not words, is shown by its beginning; the object holds all of it.
LONGEST_DATA: Final = 80
STYLE: Final = "max-height: 30em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; text-align: left"


@dataclass(frozen=True, slots=True, repr=False)
class DryRun:
    """What a question would send. ``request`` is the whole body, ``headers`` those of the request, the login hidden.

    ``tokens`` is an estimate: ``instructions``, ``history`` (earlier turns), ``context`` (what was put beside the
    prompt), ``prompt``, ``tools`` and ``schema``, those that are not there left out, and ``total``.
    ``guessed`` names what only the service can tell. Nothing was sent.
    """

    request: dict[str, Any]
    tokens: dict[str, int]
    url: str
    headers: Mapping[str, str]
    size: int
    guessed: tuple[str, ...] = ()

    @property
    def _lines(self) -> list[str]:
        parts = ", ".join(f"{name} {count:,}" for name, count in self.tokens.items() if name != "total")
        return [
            f"Not sent: POST {self.url} · {self.size:,} bytes",
            f"about {self.tokens['total']:,} tokens: {parts}",
            *(f"not known here: {what}" for what in self.guessed),
        ]

    @property
    def _details(self) -> tuple[str, str]:
        shown = json.dumps(_shortened(self.request), indent=2, ensure_ascii=False)
        return "\n".join(f"{name}: {value}" for name, value in self.headers.items()), shown

    def __repr__(self) -> str:
        return printable("\n".join([*self._lines, "", *self._details]))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        headers, body = (html.escape(text) for text in self._details)
        first, *others = map(html.escape, self._lines)
        return (
            f"<div><b>{first}</b>{''.join(f'<br>{line}' for line in others)}</div>"
            f'<details open><summary>body</summary><pre style="{STYLE}">{body}</pre></details>'
            f'<details><summary>headers</summary><pre style="{STYLE}">{headers}</pre></details>'
        )


def dry_run(ask: Ask, session: Session) -> DryRun:
    """Return what ``ask`` would send to ``session``; nothing is sent."""
    seen = ask.preview(session)
    return DryRun(seen.body, _tokens(ask, seen), seen.url, seen.headers, seen.size, seen.guessed)


def _tokens(ask: Ask, seen: Preview) -> dict[str, int]:
    """Return the estimate by part. Tools count where the body has them, which is the input for some models."""
    body = seen.body
    inside = [item for item in body["input"] if item.get("type") == "additional_tools"]
    prompt = estimate_request(ask.prompt)
    parts = {
        "instructions": estimate_request(body.get("instructions")),
        "history": estimate_request(ask.history),
        "context": max(0, estimate_request(ask.input) - estimate_request(_alone(ask.prompt))),
        "prompt": prompt,
        "tools": estimate_request([*body.get("tools", ()), *(item.get("tools", ()) for item in inside)]),
        "schema": estimate_request(body.get("text", {}).get("format")),
    }
    kept = {name: count for name, count in parts.items() if count or name == "prompt"}
    return kept | {"total": sum(kept.values())}


def _alone(prompt: str) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "input_text", "text": prompt}]}


def _shortened(value: Any) -> Any:
    """Return ``value`` with images and other data cut short."""
    if isinstance(value, str):
        data = value.startswith("data:") or (len(value) > LONGEST_DATA * 4 and not any(mark in value for mark in " \n"))
        return f"{value[:LONGEST_DATA]}… ({len(value):,} characters)" if data and len(value) > LONGEST_DATA else value
    if isinstance(value, Mapping):
        return {name: _shortened(each) for name, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_shortened(each) for each in cast("list[Any]", value)]
    return value
