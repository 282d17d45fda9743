"""A recorded stream without what tells of the account: the same events in the same chunks."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise
from typing import Any, Final

from codex_nb.wire.json import JSONObject, as_object

__all__ = ["KEPT_HEADERS", "scrubbed"]

# What a reader of the answer needs of a reply's headers; the others tell of quota, account and route.
KEPT_HEADERS: Final = frozenset({"content-type", "openai-model", "x-codex-nb-engine"})
OF_THE_ACCOUNT: Final = frozenset({"prompt_cache_key", "safety_identifier", "user", "metadata", "client_metadata"})
FRAME: Final = re.compile(rb".*?(?:\r\n\r\n|\n\n|\r\r|\Z)", re.DOTALL)
DATA: Final = re.compile(rb"^data:[ ]?([^\r\n]*)", re.MULTILINE)


def scrubbed(chunks: Iterable[bytes], hide: Callable[[bytes], bytes] = bytes) -> list[bytes]:
    """Return ``chunks`` cut where they were cut; ``hide`` takes a login out of what is handed to it."""
    given = list(chunks)
    whole = b"".join(given)
    cuts = list(accumulate(map(len, given)))
    places, parts, at = [0], list[bytes](), 0
    for match in FRAME.finditer(whole):
        new = hide(_frame(match[0]))
        parts.append(new)
        inside = cuts[bisect_right(cuts, match.start()) : bisect_left(cuts, match.end())]
        places += [at + min(cut - match.start(), len(new)) for cut in inside]
        at += len(new)
        if match.end() in cuts[bisect_left(cuts, match.end()) : bisect_right(cuts, match.end())]:
            places.append(at)
    joined = b"".join(parts)
    return [joined[start:end] for start, end in pairwise(sorted({*places, at})) if end > start]


def _frame(frame: bytes) -> bytes:
    """Return one event without what tells of the account; nothing, if it tells of nothing else."""
    lines = DATA.findall(frame)
    try:
        event = as_object(json.loads(b"\n".join(lines)))
    except (ValueError, RecursionError):
        return frame
    if event.get("type") == "codex.rate_limits":
        return b""
    kept = _event(event)
    if kept == event:
        return frame
    name = str(event.get("type", "message"))
    return f"event: {name}\ndata: {json.dumps(kept, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _event(event: JSONObject) -> JSONObject:
    if event.get("type") == "response.metadata":
        headers = as_object(event.get("headers"))
        said: Any = {name: value for name, value in headers.items() if name.lower() in KEPT_HEADERS}
        return {"type": event["type"], "headers": said}
    if not isinstance(event.get("response"), dict):
        return event
    response = as_object(event["response"])
    return event | {"response": {name: value for name, value in response.items() if name not in OF_THE_ACCOUNT}}
