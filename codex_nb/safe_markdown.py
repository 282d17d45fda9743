r"""Make a model's Markdown safe to show as trusted `text/markdown`.

Nothing is recognised as dangerous and removed. What Markdown could read as markup is written again by this module
(fences, inline code, links, math, a few bare tags); every other character that could open markup becomes an entity.
So it does not matter where the parsers of JupyterLab and nbclassic (marked) and of nbconvert (mistune) disagree.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from html import unescape
from typing import ClassVar
from urllib.parse import quote

from codex_nb.markdown_parts import ITEM, fences
from codex_nb.safe_tex import safe_tex

__all__ = ["printable", "safe_markdown"]

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ENTITIES = {ord(char): f"&#{ord(char)};" for char in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}
# MathJax reads the page after Markdown, when entities are gone, but never joins text across an element.
_LITERAL = _ENTITIES | {ord(char): f"<span>&#{ord(char)};</span>" for char in "$\\"} | dict.fromkeys(b"\t\n", " ")

_LANGUAGE = re.compile(r"(?!.*(?:mermaid|math|geojson|topojson|stl))[a-z0-9_+.#-]{0,40}", re.IGNORECASE)
_ITEM_LINE = re.compile(rf"^[ \t]*{ITEM}(?=[ \t]|$)", re.MULTILINE)
_MARGIN = re.compile(r"\n[ \t]*\n(?=\S)")
_INDENTED = re.compile(r"\n[ \t]*\n((?: {4}| {0,3}\t)[ \t]*[^\s][^\n]*(?:\n(?: {4}| {0,3}\t)[^\n]*|\n[ \t]*(?=\n))*+)")
_DEFINITION = re.compile(r"^ {0,3}\[([^\[\]^\n][^\[\]\n]{0,200})\]:[ \t]*+(<[^<>\n]*+>|[^\s<>]++)[^\n]*$", re.MULTILINE)
# No inline code or link goes beyond the line before one of these; a display formula only stops at a blank line.
_PIECE_END = re.compile(rf"\n(?=[ \t]*(?:\n|{ITEM}[ \t]|#{{1,6}}[ \t]|\||>))")
_PARAGRAPH_END = re.compile(r"\n(?=[ \t]*\n)")
_TASK = re.compile(rf"[ \t]*{ITEM}[ \t]+(?=\[[ xX]\][ \t])")

_TAGS = r"(/?)(b|del|em|i|ins|kbd|mark|s|small|strong|sub|sup|u)"
_ENVIRONMENTS = (
    r"(?:align(?:ed|at)?|array|[bBpvV]?matrix|[dr]?cases|eqnarray|equation|flalign|gather(?:ed)?|multline|split)"
)
_SPACE = r"[ \t]*+(?:\n[ \t]*+)?+"
_TITLE = rf"""(?:(?=\s){_SPACE}(?:"[^"\n]*+"|'[^'\n]*+'))?+"""
_TARGET = rf"\({_SPACE}(<[^<>\n]*+>|[^\s()<>\[\]`]*+(?:\([^\s()<>\[\]`]*+\)[^\s()<>\[\]`]*+)*+){_TITLE}{_SPACE}\)"
# Each alternative begins with a literal character: only then does `re` skip quickly to the next candidate.
_TOKEN = re.compile(
    rf"\\\\?[(\[]|\\\\(?:\\\\)*+|\\begin\{{{_ENVIRONMENTS}\*?\}}|\\(?:[^\w\s]|_|\n(?=.)|)|``*|\$\$*"
    rf"|<br\s?/?>|<{_TAGS}>|<((?:https?://|mailto:)[^\s<>]{{1,2000}})>|<<*(?=<)|<"
    rf"|&\#?\w{{1,40}};?|!\[\[*|\[\[*|\]\]*(?=\])|\](?:{_TARGET}|\[([^\[\]\n]{{0,200}})\])?|@@+|~~~+"
)
_TAG, _NAME, _AUTOLINK, _DESTINATION, _LABEL = range(1, 6)
_SAFE_URL = re.compile(r"https?://[^/?#\s]|mailto:|#", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([^\w\s]|_)")

_CLOSERS = {
    "$": re.compile(r"(?<!\\)(?:\\\\)*+\$"),
    "$$": re.compile(r"(?<!\\)(?:\\\\)*+\$\$"),
    r"\(": re.compile(r"(?<!\\)(?:\\\\)*+\\\)"),
    r"\[": re.compile(r"(?<!\\)(?:\\\\)*+\\\]"),
    r"\\(": re.compile(r"\\\\\)"),
    r"\\[": re.compile(r"\\\\\]"),
}


def printable(text: str) -> str:
    """Drop what a terminal would obey: control characters except newline and tab, and changes of text direction."""
    return _UNSEEN.sub(lambda char: "\ufffd" if char[0] >= "\ud800" else "", text)


def safe_markdown(text: str, whole: str = "") -> str:
    """Return Markdown that looks as `text` was meant, and can neither run a script nor fetch anything.

    Where it is a part of `whole`, the links that are defined anywhere in that hold in it.
    """
    text = printable(text)
    definitions = _DEFINITION.findall(printable(whole) or text) if "]:" in (whole or text) else []
    links = {label.lower(): url for label, target in definitions if (url := _safe_url(target))}
    return "\n".join(
        _Inline(block, links).rewrite() if language is None else _fenced(language, block)
        for language, block in _blocks(text)
        if block or language is not None
    )


def _blocks(text: str) -> Iterator[tuple[str | None, str]]:
    """Cut a document into code, with its language, and text, whose language is None."""
    at = depth = 0
    for fence in fences(text):
        yield from _prose(text[at : max(at, fence.start - 1)], depth)
        if _ITEM_LINE.match(fence.opening[1]):
            yield None, fence.opening[1]
        yield fence.opening[4], fence.code
        at, depth = fence.end, fence.depth
    yield from _prose(text[at:], depth)


def _prose(text: str, depth: int) -> Iterator[tuple[str | None, str]]:
    """Set apart the indented code of a text, after moving it to the margin as far as the fence above it moved."""
    if depth and (moved := re.match(rf"(?:[ \t]{{{depth}}}[^\n]*(?:\n|\Z)|[ \t]*\n)+", text)):
        text = re.sub(rf"^[ \t]{{1,{depth}}}", "", moved[0], flags=re.MULTILINE) + text[moved.end() :]
    text = "\n\n" + text if text[:1].isspace() else text
    at = seen = 0
    in_list = False
    for code in _INDENTED.finditer(text):
        for paragraph in _MARGIN.finditer(text, seen, code.start(1)):
            seen, in_list = paragraph.start(), False
        in_list = in_list or bool(_ITEM_LINE.search(text, seen, code.start(1)))
        seen = code.start(1)
        if not in_list:
            yield None, text[at : code.start(1)]
            yield "", re.sub(r"^(?: {4}| {0,3}\t)", "", code[1], flags=re.MULTILINE)
            at = code.end()
    yield None, text[at:]


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.search(text, at)
    return found.start() if found else len(text)


def _fenced(language: str, code: str) -> str:
    ticks = "`" * (1 + max(map(len, re.findall("```+", code)), default=2))
    word = language if _LANGUAGE.fullmatch(language) else "text"
    return f"\n{ticks}{word}\n{code.rstrip()}\n{ticks}\n"


class _Inline:
    """A text outside code blocks, read once from left to right."""

    def __init__(self, text: str, links: dict[str, str]) -> None:
        self.text = (
            _DEFINITION.sub(lambda found: "" if found[1].lower() in links else found[0], text) if links else text
        )
        self.links = links
        self.out: list[str] = []
        self.brackets: list[tuple[int, int]] = []  # places in `out` and in `text` of brackets that may open a link
        self.tags: defaultdict[str, list[int]] = defaultdict(list)
        self.ticks: dict[int, list[int]] = {}
        self.vain: dict[str, int] = {}  # opener of a formula: how far there is no closer for it
        self.piece_end = self.paragraph_end = self.task = 0
        self.container = ""

    def rewrite(self) -> str:
        at = 0
        while token := _TOKEN.search(self.text, at):
            if token.start() >= self.piece_end:
                self.begin_piece(token.start())
            before = self.text[at : token.start()]
            # A link written right behind this would be an image.
            self.out.append(before[:-1] + "&#33;" if before.endswith("!") else before)
            at = self._READERS[token[0][0]](self, token)
        return "".join(self.out) + self.text[at:]

    def begin_piece(self, at: int) -> None:
        line = self.text.rfind("\n", 0, at) + 1
        self.container = self.text[line : at + 1].lstrip()[0]
        self.task = task.end() if (task := _TASK.match(self.text, line)) else -1
        self.piece_end = _end(_PIECE_END, self.text, at)
        self.brackets.clear()
        self.tags.clear()

    def literal(self, token: re.Match[str]) -> int:
        return self.put(token[0].translate(_LITERAL), token.end())

    def put(self, markdown: str, at: int) -> int:
        self.out.append(markdown)
        return at

    def backslash(self, token: re.Match[str]) -> int:
        mark, start = token[0], token.start()
        if (mark in _CLOSERS or mark.startswith(r"\begin")) and (end := self.formula(token)):
            return end
        if mark == "\\\n":
            return self.put(mark, token.end())
        if mark.startswith("\\\\"):
            return self.put(("\\" * (len(mark) // 2)).translate(_LITERAL), start + len(mark) // 2 * 2)
        if len(mark) == 2:
            return self.put(mark[1].translate(_LITERAL), token.end())
        return self.put("\\".translate(_LITERAL), start + 1)

    def dollar(self, token: re.Match[str]) -> int:
        return (len(token[0]) <= 2 and self.formula(token)) or self.literal(token)

    def formula(self, token: re.Match[str]) -> int:
        """Write the formula that opens here and return its end; return 0 if there is none."""
        opener, start = token[0], token.end()
        inline = opener in ("$", r"\(", r"\\(")
        if start < self.vain.get(opener, 0):
            return 0
        if start >= self.paragraph_end:
            self.paragraph_end = _end(_PARAGRAPH_END, self.text, start)
        limit = self.piece_end if inline else self.paragraph_end
        closer = _CLOSERS.get(opener) or re.compile(re.escape(opener.replace("begin", "end")))
        found = closer.search(self.text, start, limit)
        tex, end = "", found.end() if found else 0
        if found:
            body = self.text[start : end - len(opener)] if opener in _CLOSERS else self.text[token.start() : end]
            price = opener == "$" and (body != body.strip() or self.text[end : end + 1].isdigit())
            tex = "" if price else safe_tex(body, in_quote=self.container == ">", in_table=self.container == "|")
        if not tex:
            self.vain[opener] = limit if not found or "$" not in opener else 0
            return 0
        mark = "$" if inline else "$$"
        space = " " if "".join(self.out[-2:]).endswith("$") else ""
        return self.put(f"{space}{mark}{tex}{mark}", end)

    def code(self, token: re.Match[str]) -> int:
        if not self.ticks:
            for run in reversed(list(re.finditer("``*", self.text))):
                self.ticks.setdefault(len(run[0]), []).append(run.start())
        start, closers = token.end(), self.ticks.get(len(token[0]), [])
        while closers and closers[-1] < start:
            closers.pop()
        if not closers or closers[-1] > self.piece_end:
            return self.literal(token)
        code = re.sub(r"[ \t]*+\n[ \t]*+", " ", self.text[start : closers[-1]])
        code = code.replace(r"\|", "|") if self.container == "|" else code
        code = code[1:-1] if code[:1] == code[-1:] == " " and code.strip() else code
        return self.put(f"<code>{code.translate(_ENTITIES)}</code>", closers[-1] + len(token[0]))

    def angle(self, token: re.Match[str]) -> int:
        if token[0].startswith("<br"):
            return self.put("<br>", token.end())
        if token[_AUTOLINK] and not self.brackets and (url := _safe_url(token[_AUTOLINK])):
            return self.put(f"[{token[_AUTOLINK].translate(_LITERAL)}]({url})", token.end())
        opened = self.tags[token[_NAME] or ""]
        if token[_TAG] and opened:
            self.out[opened.pop()] = f"<{token[_NAME]}>"
            return self.put(token[0], token.end())
        if token[_NAME] and not token[_TAG]:
            opened.append(len(self.out))
        return self.literal(token)

    def ampersand(self, token: re.Match[str]) -> int:
        plain = unescape(token[0])
        if plain == token[0]:
            return self.put(plain, token.end())
        if token[0].endswith(";"):
            return self.put(printable(plain).translate(_LITERAL), token.end())
        return self.put("&amp;", token.start() + 1)

    def bracket(self, token: re.Match[str]) -> int:
        if token.start() == self.task:
            return self.put(self.text[self.task : self.task + 3], self.task + 3)
        image, count = token[0].startswith("!"), token[0].count("[")
        places = range(len(self.out), len(self.out) + count)
        self.brackets += zip(places, range(token.end() - count + 1, token.end() + 1), strict=True)
        self.out += ["&#91;"] * count
        self.out[places[0]] = "!&#91;" if image else "&#91;"
        return token.end()

    def closing_bracket(self, token: re.Match[str]) -> int:
        if token[0].startswith("]]"):
            del self.brackets[-len(token[0]) :]
            return self.literal(token)
        place, start = self.brackets.pop() if self.brackets else (-1, 0)
        label = token[_LABEL] or self.text[start : min(token.start(), start + 200)]
        url = self.links.get(label.lower()) if token[_DESTINATION] is None else _safe_url(token[_DESTINATION])
        if place < 0 or not url:
            return self.put("&#93;", token.start() + 1)
        image = self.out[place].startswith("!")
        if start == token.start():
            self.out.append("image" if image else "link")
        if image and self.brackets:
            self.out[place] = " "
            return token.end()
        self.out[place] = "["
        self.brackets.clear()
        return self.put(f"]({url})", token.end())

    _READERS: ClassVar[dict[str, Callable[[_Inline, re.Match[str]], int]]] = {
        "\\": backslash,
        "$": dollar,
        "`": code,
        "<": angle,
        "&": ampersand,
        "[": bracket,
        "!": bracket,
        "]": closing_bracket,
        "@": literal,
        "~": literal,
    }


def _safe_url(target: str) -> str:
    url = unescape(_ESCAPED.sub(r"\1", target.strip("<>")))
    if not _SAFE_URL.match(url):
        return ""
    return quote(url, safe="!#%&'*+,/:;=?@-._~").replace("&", "&amp;").replace("@@", "%40%40")
