"""Record and replay: answers in a file of JSON lines, by what was asked, so that a notebook runs without a service.

A line is one answer: the request in short, the chunks of its stream as they came, and how long it took. Lines are only
added; of several answers to one request of one cell the last one counts.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from codex_nb.chat.folder import FOLDER, RECORDING, append, from_here
from codex_nb.client.tape import Recorded, file_name
from codex_nb.errors import CacheMiss, InvalidOption
from codex_nb.wire.content import changes, digest, leaves
from codex_nb.wire.scrub import KEPT_HEADERS, scrubbed

if TYPE_CHECKING:
    from codex_nb.wire.json import JSONObject

__all__ = ["Cache", "cache_of"]

MODES: Final = ("record", "replay", "off")
# A longer text stands in the file by its digest: it is compared, not read.
LONGEST_TEXT: Final = 500
SHORT: Final = 60
TOLD: Final = 3
# What people wrote, or what was made of it, is not quoted by an error.
NOT_QUOTED: Final = ("input", "instructions", "tools", "text.format")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the file. ``cell`` names the cell that asked, or is the number of the question among its like."""

    key: str
    cell: str
    request: Mapping[str, Any]
    recorded: Recorded


class Cache:
    """The recording of one notebook. ``path`` is written to; ``sources`` are read."""

    def __init__(self, mode: str, path: Path, sources: Sequence[Path] | None = None) -> None:
        self.mode, self.path = mode, path
        self.sources = sources if sources is not None else [path]
        self._asked: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self.renamed: dict[str, str] = {}

    def of_cell(self, cell: str | None) -> CellTape:
        """Return the tape for a question of ``cell``, None where cells have no names."""
        return CellTape(self, cell)

    def label(self, key: str, cell: str | None) -> tuple[str, int]:
        """Return who asks ``key``, and the how-manieth that is in this kernel, from 0."""
        if cell is None:
            self._counts[key] = self._counts.get(key, 0) + 1
            cell = f"#{self._counts[key]}"
        asked = self._asked.setdefault(key, [])
        if cell not in asked:
            asked.append(cell)
        return cell, asked.index(cell)

    def entries(self) -> list[Entry]:
        """Read what is recorded; lines that are torn or foreign are passed over."""
        lines = (line for source in self.sources if source.is_file() for line in source.read_bytes().split(b"\n"))
        return [entry for line in lines if (entry := _entry(line))]

    def write(self, entry: Entry) -> None:
        """Add one answer. Where that is not possible a warning says so: the answer itself is not lost."""
        try:
            append(self.path, _line(entry), 0o666)
        except OSError as error:
            warnings.warn(f"The answer cannot be recorded in {self.path} ({error.strerror}).", stacklevel=2)


class CellTape:
    """A recording as one cell uses it."""

    def __init__(self, cache: Cache, cell: str | None) -> None:
        self._cache, self._cell = cache, cell

    @property
    def replays(self) -> bool:
        """Whether the service is never asked."""
        return self._cache.mode == "replay"

    def rename(self, address: str, digest: str) -> None:
        """Know an uploaded file by its content: its address is another one each time."""
        self._cache.renamed[address] = file_name(digest)

    def _named(self, said: JSONObject) -> JSONObject:
        """Return ``said`` with uploaded files by their content; a text that is sent along needs no address."""
        if not self._cache.renamed:
            return said
        text = json.dumps(said)
        for address, name in self._cache.renamed.items():
            text = text.replace(f", {address}:", ":").replace(address, name)
        return json.loads(text)

    def find(self, said: JSONObject) -> Recorded | None:
        """Return the answer to ``said``; None when recording.

        The same question may stand in several cells, each with its own answer: that of the same cell is taken, or,
        where cells have no names, that of the same place among them.

        Raises:
            CacheMiss: there is no answer; it names what differs from the closest question.

        """
        if self._cache.mode == "record":
            return None
        said = self._named(said)
        key, entries = digest(said), self._cache.entries()
        found = {entry.cell: entry for entry in entries if entry.key == key}
        if not found:
            raise self._miss(said, entries)
        cell, number = self._cache.label(key, self._cell)
        entry = found.get(cell) or list(found.values())[min(number, len(found) - 1)]
        return entry.recorded

    def begin(self, said: JSONObject) -> Callable[[Mapping[str, str], Sequence[bytes], Callable[[bytes], bytes]], None]:
        """Note when the service is asked; return what records its answer."""
        said = self._named(said)
        key = digest(said)
        cell, _ = self._cache.label(key, self._cell)
        request = _short(said)
        began = time.monotonic()

        def keep(headers: Mapping[str, str], chunks: Sequence[bytes], hide: Callable[[bytes], bytes]) -> None:
            kept = {name: value for name, value in headers.items() if name in KEPT_HEADERS}
            recorded = Recorded(kept, scrubbed(chunks, hide), round(time.monotonic() - began, 3))
            self._cache.write(Entry(key, cell, request, recorded))

        return keep

    def _miss(self, said: JSONObject, entries: Sequence[Entry]) -> CacheMiss:
        path, now = self._cache.path, _short(said)
        hint = "Record it with --cache record, or ask without a recording: --cache off."
        if not entries:
            return CacheMiss(f"Nothing is recorded in {path}.", hint=hint, path=str(path))
        closest = max(entries, key=lambda entry: _closeness(entry, now, self._cell))
        changed = changes(closest.request, now)
        told = "; ".join(_told(*change) for change in changed[:TOLD])
        more = f"; and {len(changed) - TOLD} more" if len(changed) > TOLD else ""
        return CacheMiss(
            f"No answer to this is recorded in {path.name}. Compared with the closest question: {told}{more}.",
            hint=hint,
            path=str(path),
            changed=tuple(place for place, _, _ in changed),
        )


def _short(said: JSONObject) -> dict[str, Any]:
    """Return what is asked by its places, long texts by their digest."""
    return {place: _short_text(value) if isinstance(value, str) else value for place, value in leaves(said)}


def _short_text(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"sha256:{digest(text)} ({len(text)} characters)"


def _closeness(entry: Entry, now: Mapping[str, Any], cell: str | None) -> tuple[bool, float, int]:
    alike = SequenceMatcher(None, _prompt(entry.request), _prompt(now), autojunk=False).ratio()
    return entry.cell == cell, round(alike, 2), -len(changes(entry.request, now))


def _prompt(request: Mapping[str, Any]) -> str:
    texts = [str(value) for place, value in request.items() if place.startswith("input") and place.endswith(".text")]
    return texts[-1] if texts else ""


def _told(place: str, before: Any, after: Any) -> str:
    shown = [repr(value) for value in (before, after) if isinstance(value, str | int | float | bool | None)]
    quoted = len(shown) == 2 and all(len(text) <= SHORT for text in shown)
    if quoted and not place.startswith(NOT_QUOTED):
        return f"{place} was {shown[0].strip(chr(39))}, is {shown[1].strip(chr(39))}"
    if len(shown) == 2:
        return f"{place} changed"
    return f"{place} is {'new' if isinstance(after, str | int | float | bool | None) else 'gone'}"


def _line(entry: Entry) -> bytes:
    row = {
        "key": entry.key,
        "cell": entry.cell,
        "request": entry.request,
        "headers": entry.recorded.headers,
        "seconds": entry.recorded.seconds,
        # A chunk may end inside of a character.
        "chunks": [chunk.decode("utf-8", "surrogateescape") for chunk in entry.recorded.chunks],
    }
    try:
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _entry(line: bytes) -> Entry | None:
    try:
        row: Any = json.loads(line)
        chunks = [chunk.encode("utf-8", "surrogateescape") for chunk in row["chunks"]]
        headers = {str(name): str(value) for name, value in row["headers"].items()}
        recorded = Recorded(headers, chunks, float(row["seconds"]))
        return Entry(str(row["key"]), str(row["cell"]), dict(row["request"]), recorded)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


_known: dict[tuple[str, Path], Cache] = {}


def cache_of(option: str | None, variable: str | None, notebook: str | None) -> Cache | None:
    """Return the recording that an option and the environment's ``CODEX_NB_CACHE`` ask for; None for none.

    Both are ``record``, ``replay`` or ``off``, and a path may follow: ``replay:answers.jsonl``. Without one the file is
    in the folder ``.codex_nb`` beside ``notebook``; where that is not known, in that of the working folder, whose
    recordings are all read.

    Raises:
        InvalidOption: it is none of these, or counts from a working folder that is gone.

    """
    mode, path = _split(option, "--cache")
    usual_mode, usual_path = _split(variable, "CODEX_NB_CACHE")
    mode, path = mode or usual_mode or "off", path or usual_path
    if mode == "off":
        return None
    sources = None
    if path:
        target = from_here(Path(path).expanduser())
    else:
        folder = from_here(Path(notebook).parent if notebook else Path()) / FOLDER
        target = folder / f"{Path(notebook or 'notebook').stem}{RECORDING}"
        if not notebook and folder.is_dir():
            sources = sorted(folder.glob(f"*{RECORDING}"))
    cache = _known.setdefault((mode, target), Cache(mode, target))
    cache.sources = [target] if sources is None else sources
    return cache


def _split(text: str | None, name: str) -> tuple[str, str]:
    mode, _, path = (text or "").strip().partition(":")
    if mode and mode not in MODES:
        raise InvalidOption(
            f"{name} is {mode[:40]!r}.", hint="It is record, replay or off; a path may follow: replay:answers.jsonl."
        )
    return mode, path
