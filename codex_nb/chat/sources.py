"""Where an answer's words come from: what was cited from the web, and what was looked for there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from codex_nb.types.responses import OutputMessage, OutputText, Response, WebSearchCall
from codex_nb.wire.json import as_object

__all__ = ["Source", "searches_of", "sources_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """A page that an answer cites. Both are the service's words: a title may lie about its address."""

    url: str
    title: str = ""


def sources_of(responses: Iterable[Response]) -> tuple[Source, ...]:
    """Return the pages that are cited, in the order of their first citation, each once."""
    found: dict[str, Source] = {}
    for annotation in _annotations(responses):
        told = as_object(annotation)
        # Servers of the chat API's kind put the fields one level deeper.
        told = told | as_object(told.get("url_citation"))
        url, title = told.get("url"), told.get("title")
        if told.get("type") == "url_citation" and isinstance(url, str) and url:
            found.setdefault(url, Source(url, title if isinstance(title, str) else ""))
    return tuple(found.values())


def searches_of(responses: Iterable[Response]) -> tuple[str, ...]:
    """Return what the service did on the web, in a few words each."""
    calls = (item for each in responses for item in each.output if isinstance(item, WebSearchCall))
    return tuple(words for call in calls for words in _did(as_object(call.action)))


def _annotations(responses: Iterable[Response]) -> Iterator[Any]:
    messages = (item for each in responses for item in each.output if isinstance(item, OutputMessage))
    for part in (part for message in messages for part in message.content):
        if isinstance(part, OutputText):
            yield from part.annotations


def _did(action: dict[str, Any]) -> Iterator[str]:
    asked, url = action.get("query"), action.get("url")
    if action.get("type") == "open_page":
        yield f"opened {url or 'a page'}"
    elif action.get("type") == "find_in_page":
        yield f"looked for {action.get('pattern') or 'something'} in {url or 'a page'}"
    elif asked:
        yield f"searched for {asked}"
    else:
        several = action.get("queries")
        yield from (f"searched for {each}" for each in (several if isinstance(several, list) else []))  # pyright: ignore[reportUnknownVariableType]
